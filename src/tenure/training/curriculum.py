"""Curriculum: from easy worlds to hard ones, promoted by success or by a schedule, with an eye on what is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure.core.errors import SettingsError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator
from tenure.simulators.rollout import run

EPISODES = 128
"""Training worlds of each level that a policy is tried on."""


@dataclass(frozen=True)
class Curriculum:
    """Levels to train on, one after the other.

    Args:
        levels: the simulator's, from the first to the last; at least two, each once.
        promote_at: gain over the incumbent on the present level (share of the incumbent's first KPI, above 0 where the
            policy is better) at which the next one begins; 0 asks for no more than the incumbent can.
        schedule: instead, the share of the steps at which each further level begins; rising, in (0, 1).

    Raises:
        SettingsError: levels repeat or are too few, or the schedule does not fit them.

    Source: Narvekar et al. (2020), "Curriculum learning for reinforcement learning domains".
    """

    levels: tuple[str, ...]
    promote_at: float = 0.0
    schedule: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.levels) < 2 or len(set(self.levels)) < len(self.levels):
            raise _wrong("at least two levels, each once", str(list(self.levels)))
        rising = list(self.schedule) == sorted(set(self.schedule)) and all(0 < share < 1 for share in self.schedule)
        if self.schedule and not (rising and len(self.schedule) == len(self.levels) - 1):
            raise _wrong(f"{len(self.levels) - 1} rising shares in (0, 1)", str(list(self.schedule)))

    def after(self, level: str, gain: float, share: float) -> str:
        """The level to go on with.

        Args:
            level: the present one.
            gain: over the incumbent, on that level.
            share: of the steps that are done.
        """
        place = self.levels.index(level)
        if self.schedule:
            return self.levels[max(place, sum(share >= start for start in self.schedule))]
        promoted = gain >= self.promote_at and place + 1 < len(self.levels)
        return self.levels[place + 1] if promoted else level

    def until(self, level: str) -> tuple[str, ...]:
        """The levels up to and with that one."""
        return self.levels[: self.levels.index(level) + 1]


class Trials:
    """Tries policies on training worlds of each level, always the same worlds and chance, beside the incumbent.

    Args:
        problem: with the actions of the simulator.
        simulator: of training worlds.
        incumbent: what a gain is over.
        seed: of the worlds and their chance; apart from what is trained on.
        episodes: training worlds of each level, each for one horizon.
    """

    def __init__(
        self, problem: Problem, simulator: Simulator, incumbent: Policy, seed: int, episodes: int = EPISODES
    ) -> None:
        self.problem, self.simulator, self.incumbent, self.seed = problem, simulator, incumbent, seed
        self.episodes = episodes
        self._panels: dict[str, Panel] = {}
        self._own: dict[str, float] = {}

    def gain(self, policy: Policy, level: str) -> float:
        """How much better the first KPI is than the incumbent's on that level, as a share of it; below 0 where worse.

        The share is of the incumbent's absolute value; where that is 0, the plain difference.
        """
        if level not in self._own:
            self._own[level] = self.kpi(self.incumbent, level)
        own = self._own[level]
        return self.problem.kpis[0].sign * (self.kpi(policy, level) - own) / (abs(own) or 1.0)

    def kpi(self, policy: Policy, level: str) -> float:
        """The first KPI on that level."""
        if level not in self._panels:
            self._panels[level] = self._panel(level)
        trace = run(self.problem, self.simulator, policy, self._panels[level], seed=self.seed).trace
        return trace.kpi(self.problem.kpis[0])

    def _panel(self, level: str) -> Panel:
        state = self.simulator.reset(self.episodes, np.random.default_rng([self.seed, EPISODES]), level)
        names = tuple(f"{level}-{world}" for world in range(self.episodes))
        return Panel(state, self.problem.horizon, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1))


class Climb:
    """Where a learner stands among the levels, and which worlds it is given next.

    Args:
        curriculum: the levels.
        trials: say how a policy does on each.
        start: sets the level that worlds begin anew on; called at once with the first one.
    """

    def __init__(self, curriculum: Curriculum, trials: Trials, start: Callable[[str], None]) -> None:
        self.curriculum, self.trials, self._start = curriculum, trials, start
        self.go_on(curriculum.levels[0])

    def go_on(self, level: str) -> None:
        """Stand on that level; a resumed run does."""
        self.level = level
        self._start(level)

    def look(self, policy: Policy, share: float) -> dict[str, float]:
        """Gain over the incumbent on every level so far; then go on with the level that follows.

        Args:
            policy: as it is.
            share: of the steps that are done.
        """
        gains = {level: self.trials.gain(policy, level) for level in self.curriculum.until(self.level)}
        self.go_on(self.curriculum.after(self.level, gains[self.level], share))
        return gains


def forgotten(points: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What the last checkpoint lost of each level's best gain so far, in shares of the incumbent's KPI; 0 for nothing.

    >>> forgotten([{"easy": 0.25}, {"easy": 0.5, "hard": 0.125}, {"easy": 0.25, "hard": 0.25}])
    {'easy': 0.25, 'hard': 0.0}
    """
    last = points[-1] if points else {}
    return {level: max(point[level] for point in points if level in point) - now for level, now in last.items()}


def _wrong(expected: str, found: str) -> SettingsError:
    fix = "mend [train.curriculum], or leave it out"
    return SettingsError(expected=expected, found=found, where="the curriculum", fix=fix)
