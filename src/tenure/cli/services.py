"""What the controller needs of rooms above it: replays, scores on the selection data, repeated decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tenure.cli.judge import simulate
from tenure.cli.workspace import Workspace
from tenure.core.arrays import Floats, Ints
from tenure.core.evidence import Estimate
from tenure.core.policy import Policy
from tenure.core.simulator import Panel
from tenure.core.trace import Trace
from tenure.evaluation import crossed_bootstrap
from tenure.rollout import Services

DAY = timedelta(days=1)


def services(workspace: Workspace) -> Services:
    """The callables over one workspace."""
    project = workspace.project
    live = project.simulator.panel("held_out")

    def policy(version: str | None) -> Policy:
        return project.incumbent if version is None else workspace.bundle(version)

    def replay(version: str | None, begin: datetime, days: int) -> Trace:
        return simulate(project, policy(version), stretch(workspace, live, begin, days))

    def selection(version: str) -> Estimate:
        panel = project.simulator.panel("selection")
        pair = [daily(workspace, simulate(project, policy(name), panel)) for name in (None, version)]
        return crossed_bootstrap(pair[0], pair[1][None], cluster="day", rng=np.random.default_rng(0))

    def decide(version: str, observation: Floats) -> Ints:
        return workspace.bundle(version).propose(observation, None, np.zeros(len(observation))).action

    return Services(replay=replay, selection=selection, decide=decide)


def stretch(workspace: Workspace, live: Panel, begin: datetime, days: int) -> Panel:
    """The live panel's worlds over whole days from a moment on."""
    return workspace.project.simulator.panel("held_out", (begin - live.started_at) // DAY, days)


def daily(workspace: Workspace, trace: Trace) -> Floats:
    """First KPI's numerator over all worlds, for each day; [days]."""
    per_step = workspace.project.problem.kpis[0].numerator(trace.signals).sum(axis=1)
    return np.asarray(np.bincount(trace.periods(DAY), weights=per_step), dtype=float)
