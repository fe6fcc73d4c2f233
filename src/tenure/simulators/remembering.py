"""Worlds that show the newest observations side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.history import History
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State, Step
from tenure.simulators.disturbances.wrapper import Disturbed, DisturbedSimulator


@dataclass(frozen=True)
class Window:
    """The newest observations of n worlds, newest first; float32 [n, steps * features]."""

    seen: Floats


class RememberingWorlds(DisturbedSimulator):
    """A simulator that shows windows; everything else is the simulator's own.

    Args:
        problem: of the simulator, with plain observations.
        simulator: shows them.
        history: how many.
    """

    def __init__(self, problem: Problem, simulator: Simulator, history: History) -> None:
        super().__init__(problem, simulator, history)
        self._history = history

    def begin(self, world: State, rng: np.random.Generator) -> Window:  # noqa: ARG002
        """The first observation, in every place."""
        return Window(self._history.begun(self.inner.observe(world)))

    def observe(self, state: Disturbed) -> Floats:
        """The windows."""
        seen: Floats = state.memory.seen
        return seen

    def step(self, state: Disturbed, action: Any, rng: np.random.Generator) -> Step:
        """One decision in each world; what it then shows comes first in the window."""
        after = self.inner.step(state.world, action, rng)
        window = Window(self._history.pushed(state.memory.seen, self.inner.observe(after.state)))
        return Step(Disturbed(after.state, window), after.signals, after.terminated)
