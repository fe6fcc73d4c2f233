"""What a behaviour did: signals, reward by term and KPIs, from the simulator or from hand-written rows."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import ProjectError, TenureError
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.reward import KPI, Reward
from tenure.core.simulator import Panel, Simulator
from tenure.core.spaces import Discrete
from tenure.core.trace import Trace
from tenure.design.reward.scenarios import Behaviour
from tenure.simulators.actions import nearest_allowed
from tenure.simulators.rollout import run

WORLDS = 64
"""Worlds a behaviour is tried in; every behaviour meets the same ones."""
SEED = 2016
"""Of those worlds and of their chance; the year of Amodei et al., Concrete problems in AI safety."""

WRITTEN = ("written",)
"""The only world of a behaviour that was written by hand."""


@dataclass(frozen=True)
class Conduct:
    """One behaviour over worlds that every other behaviour met too.

    Args:
        name: the behaviour's.
        kind: `incumbent`, `rule`, `scenario`, or the exploiter that found it.
        trace: every step of every world.
        good: it is what is meant by behaving well.
    """

    name: str
    kind: str
    trace: Trace
    good: bool = False

    @property
    def written(self) -> bool:
        """By hand, as rows; it met no world."""
        return self.trace.worlds == WRITTEN

    @property
    def scheduled(self) -> Conduct:
        """The same with every step of the panel counted; after a world's end they bring nothing, of good or bad."""
        alive = self.trace.alive
        action = np.where(alive if self.trace.action.ndim == 2 else alive[..., None], self.trace.action, 0)
        return replace(self, trace=replace(self.trace, action=action))

    def taken(self) -> Floats:
        """Decisions taken in each world, before it ended by itself or the panel did; [worlds]."""
        return np.asarray(self.trace.alive.sum(axis=0), dtype=float)

    def returns(self, reward: Reward) -> Floats:
        """Undiscounted sum of a reward over each world; [worlds]."""
        # A reward whose last term was left out is a lone 0.
        return np.asarray(np.broadcast_to(reward(self.trace.signals), self.trace.alive.shape).sum(axis=0))

    def by_term(self, reward: Reward) -> dict[str, float]:
        """Mean over worlds of each term's sum, by its signal."""
        return {name: float(part.sum(axis=0).mean()) for name, part in reward.by_term(self.trace.signals).items()}

    def kpi(self, kpi: KPI) -> float:
        """The KPI over all worlds; NaN where there is nothing to divide by."""
        return self.trace.kpi(kpi)

    def mean(self, signal: str) -> float:
        """Mean of a signal per decision taken."""
        return float(self.trace.signals[signal].sum() / max(self.trace.alive.sum(), 1))

    def action_shares(self, actions: int) -> Floats:
        """Share of each action among all taken; [actions]."""
        taken = self.trace.action[self.trace.alive]
        return np.bincount(taken, minlength=actions) / max(len(taken), 1)


@dataclass(frozen=True)
class Always:
    """One action for ever; where it is not allowed, the allowed action whose index is nearest."""

    action: int
    version: str

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The action in every row."""
        same: Ints = np.full(len(observation), self.action, dtype=np.int64)
        return Proposal(same if allowed is None else nearest_allowed(same, allowed), np.ones(len(observation)))


def fresh_panel(
    problem: Problem, simulator: Simulator, worlds: int = WORLDS, level: str = "normal", seed: int = SEED
) -> Panel:
    """Training worlds side by side for one horizon; the same seed gives the same worlds."""
    state = simulator.reset(worlds, np.random.default_rng(seed), level)
    names = tuple(f"world-{number:03d}" for number in range(worlds))
    return Panel(state, problem.horizon, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1))


def conduct(project: Project, behaviour: Behaviour, panel: Panel | None, kind: str = "scenario") -> Conduct:
    """Let one behaviour act; hand-written rows need no panel.

    Raises:
        ProjectError: the simulator or the policy breaks its contract.
    """
    if behaviour.rows is not None:
        return Conduct(behaviour.name, kind, _written(project.problem, behaviour), behaviour.good)
    assert panel is not None
    try:
        trace = run(project.problem, project.simulator, policy_of(project, behaviour), panel, seed=SEED).trace
    except TenureError:
        raise
    except Exception as error:
        raise ProjectError(
            expected=f"a simulator and a policy that can act out {behaviour.name!r}",
            found=f"{type(error).__name__}: {error}",
            where=_raised_in(project, error),
            fix="mend whichever of the two raised it; `check_simulator` and `check_policy` test their contracts",
        ) from error
    return Conduct(behaviour.name, kind, trace, behaviour.good)


def _raised_in(project: Project, error: Exception) -> str:
    """The last line of the project's own that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent == project.folder]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else str(project.folder)


def policy_of(project: Project, behaviour: Behaviour) -> Policy:
    """What decides in a behaviour that runs on the simulator."""
    if behaviour.policy is not None:
        return behaviour.policy
    assert isinstance(project.problem.action, Discrete)
    assert behaviour.always is not None
    return Always(project.problem.action.labels.index(behaviour.always), behaviour.name)


def _written(problem: Problem, behaviour: Behaviour) -> Trace:
    rows = behaviour.rows or ()
    signals: Mapping[str, Floats] = {
        name: np.array([[row.get(name, 0.0)] for row in rows], dtype=float) for name in sorted(problem.signal_names)
    }
    taken = np.zeros((len(rows), 1), dtype=np.int64)
    return Trace(signals, taken, None, WRITTEN, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1))
