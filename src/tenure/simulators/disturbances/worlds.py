"""Things that happen to a world from outside: more or less demand than ever, something in the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tenure.core.arrays import Bools, Ints
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State, Step
from tenure.simulators.batch import put, size, take
from tenure.simulators.disturbances.wrapper import Disturbed, DisturbedSimulator, refused


@dataclass(frozen=True)
class Age:
    """Decisions taken in each world; int64 [n]."""

    age: Ints


@dataclass(frozen=True)
class DemandShock:
    """What comes from outside (demand, orders, traffic) is multiplied by `factor` for a while.

    The simulator must have a method `shocked(state, factor)`: the same worlds with what comes from outside times that
    factor from now on; 1 is the world as it is.

    Args:
        factor: at least 0; 1 changes nothing.
        at: decisions before it begins; the decision after so many is the first to see it.
        steps: for how many decisions; None for ever.
    """

    factor: float
    at: int = 0
    steps: int | None = None
    layer: ClassVar[int] = 0
    hook: ClassVar[str] = "shocked"
    rest: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        _check(self, self.factor, math.inf)

    @property
    def strength(self) -> float:
        """What the simulator is told."""
        return self.factor

    @property
    def idle(self) -> bool:
        """Demand stays as it is."""
        return self.factor == 1 or self.steps == 0

    def around(self, problem: Problem, simulator: Simulator) -> DisturbedSimulator:
        """The simulator under this disturbance."""
        return _happening(problem, simulator, self)


@dataclass(frozen=True)
class Obstacle:
    """A share of what the world works with (road, room, machines, docks) is out of use for a while.

    The simulator must have a method `obstructed(state, share)`: the same worlds with that share out of use from now
    on; 0 is the world as it is.

    Args:
        share: in [0, 1]; 0 changes nothing.
        at: decisions before it begins; the decision after so many is the first to see it.
        steps: for how many decisions; None for ever.
    """

    share: float
    at: int = 0
    steps: int | None = None
    layer: ClassVar[int] = 0
    hook: ClassVar[str] = "obstructed"
    rest: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _check(self, self.share, 1.0)

    @property
    def strength(self) -> float:
        """What the simulator is told."""
        return self.share

    @property
    def idle(self) -> bool:
        """Nothing is out of use."""
        return self.share == 0 or self.steps == 0

    def around(self, problem: Problem, simulator: Simulator) -> DisturbedSimulator:
        """The simulator under this disturbance."""
        return _happening(problem, simulator, self)


def _happening(problem: Problem, simulator: Simulator, disturbance: DemandShock | Obstacle) -> DisturbedSimulator:
    if not hasattr(simulator, disturbance.hook):
        fix = f"give the simulator `{disturbance.hook}(state, {_argument(disturbance)})`, or leave this one out"
        raise refused(disturbance, f"a simulator with a method `{disturbance.hook}`", "one without", fix)
    return _Happening(problem, simulator, disturbance)


def _argument(disturbance: DemandShock | Obstacle) -> str:
    return "factor" if isinstance(disturbance, DemandShock) else "share"


class _Happening(DisturbedSimulator):
    def begin(self, world: State, rng: np.random.Generator) -> Age:  # noqa: ARG002
        return Age(np.zeros(size(world), np.int64))

    def step(self, state: Disturbed, action: Any, rng: np.random.Generator) -> Step:
        step = self.inner.step(state.world, action, rng)
        after = self._happened(Disturbed(step.state, Age(state.memory.age + 1)))
        return Step(after, step.signals, step.terminated)

    def _started(self, world: State, rng: np.random.Generator) -> Disturbed:
        return self._happened(super()._started(world, rng))

    def _happened(self, state: Disturbed) -> Disturbed:
        what, age = self.disturbance, state.memory.age
        world = self._told(state.world, age == what.at, what.strength)
        if what.steps is not None:
            world = self._told(world, age == what.at + what.steps, what.rest)
        return Disturbed(world, state.memory)

    def _told(self, world: State, which: Bools, strength: float) -> State:
        if not which.any():
            return world
        return put(world, which, getattr(self.inner, self.disturbance.hook)(take(world, which), strength))


def _check(disturbance: object, strength: float, most: float) -> None:
    if not 0 <= strength <= most or math.isinf(strength):
        raise refused(disturbance, f"a strength in [0, {most:g}]", f"{strength}", "mend the setting")
