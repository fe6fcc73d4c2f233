"""What the controller needs of rooms above it: replays, scores on the selection data, repeated decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tenure.cli.judge import simulate
from tenure.cli.workspace import Workspace
from tenure.core.arrays import Floats, Ints
from tenure.core.errors import ProjectError
from tenure.core.evidence import Estimate
from tenure.core.policy import Policy
from tenure.core.simulator import Panel
from tenure.core.trace import Trace
from tenure.evaluation import cluster_by, compare
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
        traces = [simulate(project, policy(name), panel) for name in (None, version)]
        period, cluster = cluster_by(panel, DAY, "day")
        return compare(project.problem, traces[0], traces[1:], period, np.random.default_rng(0), cluster).gain

    def decide(version: str, observation: Floats) -> Ints:
        return np.asarray(workspace.bundle(version).propose(observation, None, np.zeros(len(observation))).action)

    return Services(replay=replay, selection=selection, decide=decide)


def stretch(workspace: Workspace, live: Panel, begin: datetime, days: int) -> Panel:
    """The live panel's worlds over whole days from a moment on.

    Raises:
        ProjectError: the simulator's worlds do not last that long, so there is no time in which they could go live.
    """
    panel = workspace.project.simulator.panel("held_out", (begin - live.started_at) // DAY, days)
    if panel.steps * panel.interval < days * DAY:
        raise ProjectError(
            expected=f"a panel of {days} whole days, to replay day by day as live traffic",
            found=f"worlds of {panel.steps} decisions, {panel.steps * panel.interval} in all",
            where=f"simulator of {workspace.project.problem.name!r}, panel('held_out', days={days})",
            fix="judge it with `tenure evaluate`; to go live by replay, give the simulator a panel by day",
        )
    return panel
