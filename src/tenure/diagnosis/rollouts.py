"""Roll-outs a probe may ask for: the run's own policies, the incumbent, the rules and chance, over the same worlds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.history import remembering
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.core.simulator import Panel, Simulator
from tenure.core.spaces import Box
from tenure.core.trace import Trace
from tenure.simulators.rollout import run
from tenure.training.settings import Settings
from tenure.training.worlds import training_worlds

WORLDS = 128
"""Training worlds a policy is tried in: a mean over them is known to a tenth of its deviation."""
FEWEST_UNITS = 20
"""Independent units an interval is taken over; with fewer worlds, stretches of time stand in for them."""


@dataclass(frozen=True)
class Chance:
    """An even choice among the allowed actions; of a `Box`, anywhere within it.

    Args:
        problem: with the actions.
    """

    problem: Problem
    version: str = "chance"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """One uniform draw per world decides."""
        space, n = self.problem.action, len(observation)
        if isinstance(space, Box):
            share = np.random.default_rng(int(draw[0] * 2**32)).random((n, space.size))
            return Proposal(np.asarray(space.low) + share * np.subtract(space.high, space.low), np.ones(n))
        free = np.ones((n, space.size), dtype=bool) if allowed is None else allowed
        place = np.floor(draw * free.sum(axis=1)).astype(np.int64)
        return Proposal((free.cumsum(axis=1) > place[:, None]).argmax(axis=1), 1.0 / free.sum(axis=1))


class Shuffled:
    """A policy that sees some other world's value of one feature, all else its own; for one run of worlds.

    Args:
        policy: proposes.
        column: of the feature in the plain observation.
    """

    def __init__(self, policy: Policy, column: int) -> None:
        self.version, self._column = policy.version, column
        self._policy, self._rng = remembering(policy), np.random.default_rng(column)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """As the policy does, from what it is shown."""
        shown = observation.copy()
        shown[:, self._column] = self._rng.permutation(shown[:, self._column])
        return self._policy.propose(shown, allowed, draw)


@dataclass(frozen=True)
class Rollouts:
    """Where a probe lets policies decide.

    Args:
        project: problem, rules and simulator.
        settings: of the run.
        run_folder: with the checkpoints of its seeds.
        seeds: of the run.
    """

    project: Project
    settings: Settings
    run_folder: Path
    seeds: tuple[int, ...]

    @cached_property
    def selection(self) -> Panel:
        """The selection data."""
        return self.project.simulator.panel("selection")

    @cached_property
    def training(self) -> Panel:
        """Training worlds, as the learner meets them, always the same ones."""
        state = self._worlds.reset(WORLDS, np.random.default_rng(WORLDS), self.settings.hardest)
        names = tuple(f"training-{world}" for world in range(WORLDS))
        start = datetime(2000, 1, 1, tzinfo=UTC)
        return Panel(state, self.project.problem.horizon, names, start, timedelta(hours=1), independent=True)

    @cached_property
    def _worlds(self) -> Simulator:
        return training_worlds(self.project, self.settings)

    def on_selection(self, policy: Policy) -> Trace:
        """A policy over the selection data."""
        return run(self.project.problem, self.project.simulator, policy, self.selection).trace

    def in_training(self, policy: Policy) -> Trace:
        """A policy over training worlds."""
        return run(self.project.problem, self._worlds, policy, self.training).trace

    def learned(self, which: str) -> list[Policy]:
        """Of each seed, its `best` or its `last` checkpoint; seeds whose file is gone are left out."""
        from tenure.training.ground import policy_of
        from tenure.training.watcher import load_graph

        paths = [self.run_folder / f"seed-{seed}" / f"{which}.pt" for seed in self.seeds]
        return [policy_of(load_graph(path), self.project, self.settings) for path in paths if path.exists()]

    def standings(self) -> dict[str, tuple[float, float]]:
        """Merit and mean reward per decision of each seed's last checkpoint, the incumbent and chance, on the selection
        data; those whose first KPI is undefined are left out."""
        from tenure.training.worlds import reward_of

        problem, reward = self.project.problem, reward_of(self.project, self.settings)
        policies = {f"last {number}": policy for number, policy in enumerate(self.learned("last"), 1)}
        policies |= {"incumbent": self.project.incumbent, "chance": Chance(problem)}
        found = {}
        for name, policy in policies.items():
            trace = self.on_selection(policy)
            paid = float((reward(trace.signals) * trace.alive).sum() / trace.alive.sum())
            found[name] = problem.kpis[0].sign * trace.kpi(problem.kpis[0]), paid
        return {name: pair for name, pair in found.items() if np.isfinite(pair).all()}


def merits(problem: Problem, trace: Trace, average: float) -> Floats:
    """The first KPI of each independent unit, the higher the better, about linear in what happened; [units].

    Their mean is the trace's KPI; a ratio is taken apart at `average`.

    Args:
        problem: with the KPI.
        trace: of one policy.
        average: the KPI at which ratios are taken apart, one for all policies that are compared.

    Source: linearisation (delta method) of a ratio of means, Deng et al. (2018).
    """
    kpi = problem.kpis[0]
    above, below = (by_unit(part) for part in trace.kpi_parts(kpi))
    return kpi.sign * (average + (above - average * below) / max(float(below.mean()), 1e-12))


def returns(trace: Trace, reward: Reward) -> Floats:
    """Reward of each independent unit; [units]."""
    return by_unit(reward(trace.signals) * trace.alive)


def by_unit(values: Floats) -> Floats:
    """Sums over worlds where there are enough of them, else over stretches of time; [units].

    Args:
        values: of each step of each world; [steps, worlds].
    """
    steps, worlds = values.shape
    if worlds >= FEWEST_UNITS:
        return np.asarray(values.sum(axis=0))
    stretches = np.array_split(values.sum(axis=1), min(FEWEST_UNITS, steps))
    return np.array([part.sum() for part in stretches])
