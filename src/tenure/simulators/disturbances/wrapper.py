"""A simulator around a simulator: the world as it is, and what a disturbance keeps in mind about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import SettingsError
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator, Split, State, Step
from tenure.core.trajectories import Trajectories

PANEL_SEED = 1948
"""Of what a disturbance draws before the first step of a panel, where nobody gives a generator."""


@dataclass(frozen=True)
class Disturbed:
    """n worlds, and what a disturbance keeps in mind about each: a dataclass of arrays like any state."""

    world: State
    memory: State


class Disturbance(Protocol):
    """One way in which a world, its sensors or its actuators are not as they should be; a frozen dataclass."""

    @property
    def layer(self) -> int:
        """Where it takes effect: 0 in the world, 1 on the way of the action, 2 on the way of the observation."""
        ...

    @property
    def idle(self) -> bool:
        """It has no strength and so changes nothing."""
        ...

    def around(self, problem: Problem, simulator: Simulator) -> DisturbedSimulator:
        """The simulator under this disturbance.

        Raises:
            SettingsError: it names what the problem or the simulator does not have.
        """
        ...


class DisturbedSimulator:
    """What all disturbed simulators share; a subclass says what it keeps in mind and how a step goes.

    The inner world draws its chance first, so a policy that decides the same meets the same world with and without a
    disturbance wherever each step has a generator of its own, as in `simulators.run`.

    Args:
        problem: names and bounds the features and states the actions.
        inner: the simulator as it is.
        disturbance: what is done to it; part of the version.
    """

    mask: Callable[[State], Bools]
    replayed: Callable[[Trajectories], Panel]
    unaffected: tuple[str, ...]
    shocked: Callable[[State, float], State]
    obstructed: Callable[[State, float], State]

    def __init__(self, problem: Problem, inner: Any, disturbance: Any) -> None:
        self.problem, self.inner, self.disturbance = problem, inner, disturbance
        # Others ask whether a simulator has these, so they are there only where the inner one has them.
        if hasattr(inner, "mask"):
            self.mask = self._mask
        if hasattr(inner, "replayed"):
            self.replayed, self.unaffected = self._replayed, inner.unaffected
        if hasattr(inner, "shocked"):
            self.shocked = self._shocked
        if hasattr(inner, "obstructed"):
            self.obstructed = self._obstructed

    @property
    def version(self) -> str:
        """Hash of the inner simulator's version and of the disturbance with its parameters."""
        said = json.dumps([type(self.disturbance).__name__, asdict(self.disturbance)], sort_keys=True)
        return hashlib.sha256(f"{self.inner.version} {said}".encode()).hexdigest()[:12]

    @property
    def levels(self) -> Mapping[str, Any]:
        """Those of the inner simulator."""
        levels: Mapping[str, Any] = self.inner.levels
        return levels

    def begin(self, world: State, rng: np.random.Generator) -> State:
        """What is kept in mind of worlds that have just started."""
        raise NotImplementedError

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Disturbed:
        """n fresh worlds of the inner simulator."""
        return self._started(self.inner.reset(n, rng, level), rng)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """The inner simulator's panel."""
        return self.around_panel(self.inner.panel(split, first_day, days))

    def around_panel(self, panel: Panel) -> Panel:
        """Any panel of the inner simulator, its worlds under the disturbance from their first step on."""
        return replace(panel, state=self._started(panel.state, np.random.default_rng(PANEL_SEED)))

    def observe(self, state: Disturbed) -> Floats:
        """What is seen of the worlds; float32 [n, features]."""
        return np.asarray(self.inner.observe(state.world))

    def step(self, state: Disturbed, action: Any, rng: np.random.Generator) -> Step:
        """One decision in each world."""
        raise NotImplementedError

    def _started(self, world: State, rng: np.random.Generator) -> Disturbed:
        return Disturbed(world, self.begin(world, rng))

    def _mask(self, state: Disturbed) -> Bools:
        return np.asarray(self.inner.mask(state.world))

    def _shocked(self, state: Disturbed, factor: float) -> Disturbed:
        return replace(state, world=self.inner.shocked(state.world, factor))

    def _obstructed(self, state: Disturbed, share: float) -> Disturbed:
        return replace(state, world=self.inner.obstructed(state.world, share))

    def _replayed(self, log: Trajectories) -> Panel:
        return self.around_panel(self.inner.replayed(log))


def disturbed(problem: Problem, simulator: Simulator, disturbances: Sequence[Disturbance]) -> Simulator:
    """A simulator under disturbances; with none that has strength, the simulator itself.

    Those in the world come first, then those of the action, then those of the observation, each group in the order
    given: a delay named after noise delays noisy readings.

    Args:
        problem: whose features, bounds and actions are meant.
        simulator: the world as it is.
        disturbances: what is done to it.

    Raises:
        SettingsError: a disturbance names a feature that the problem does not have, or one that the simulator does
            not support.
    """
    for one in sorted((one for one in disturbances if not one.idle), key=lambda one: one.layer):
        simulator = one.around(problem, simulator)
    return simulator


def refused(disturbance: object, expected: str, found: str, fix: str) -> SettingsError:
    """The error about a disturbance that cannot be."""
    where = f"disturbance {type(disturbance).__name__}"
    return SettingsError(expected=expected, found=found, where=where, fix=fix)
