"""A simulator whose readings pass through something on their way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Problem
from tenure.core.simulator import State, Step
from tenure.simulators.disturbances.wrapper import Disturbed, DisturbedSimulator, refused


@dataclass(frozen=True)
class Shown:
    """What is seen of each world instead of its true reading; float32 [n, features]."""

    shown: Floats


@dataclass(frozen=True)
class History(Shown):
    """As `Shown`, with the latest readings.

    Args:
        kept: from the oldest to the newest, float32 [n, readings, features].
        delay: how long each was on its way, int64 [n, readings]; no columns where all take the same time.
    """

    kept: Floats
    delay: Ints


class Observed(DisturbedSimulator):
    """Shows what the disturbance makes of each reading, worked out once, when the world gives it."""

    def begin(self, world: State, rng: np.random.Generator) -> State:
        """The first reading after the disturbance."""
        return self.disturbance.first(self.problem, self.inner.observe(world), rng)

    def observe(self, state: Disturbed) -> Floats:
        """What is seen of the worlds; float32 [n, features]."""
        return np.array(state.memory.shown, dtype=np.float32)

    def step(self, state: Disturbed, action: object, rng: np.random.Generator) -> Step:
        """One decision in each world, then the next reading."""
        step = self.inner.step(state.world, action, rng)
        memory = self.disturbance.update(self.problem, state.memory, self.inner.observe(step.state), rng)
        return Step(Disturbed(step.state, memory), step.signals, step.terminated)


def columns(disturbance: object, problem: Problem, names: tuple[str, ...]) -> Ints:
    """Columns of the features named, in the problem's order; all without a name.

    Raises:
        SettingsError: the problem has no such feature.
    """
    unknown = sorted(set(names) - set(problem.feature_names))
    if unknown:
        fix = "name features of problem.py"
        raise refused(disturbance, f"some of the features {list(problem.feature_names)}", repr(unknown[0]), fix)
    return np.array([at for at, name in enumerate(problem.feature_names) if not names or name in names])


def merged(seen: Floats, instead: Floats, at: Ints) -> Floats:
    """The readings with some columns taken from others; float32 [n, features]."""
    shown = seen.copy()
    shown[:, at] = instead[:, at]
    return shown
