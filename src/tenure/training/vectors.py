"""Vectors of a `Box` as a learner takes them: every number from -1 to 1, whatever its unit and bounds."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from tenure.core.arrays import Floats, Ints
from tenure.core.spaces import Box
from tenure.simulators.vec_env import SimulatorVecEnv

CELLS = 10
"""Cells a number's range is cut into, to count how often the same vector is taken."""


class UnitVectors(VecEnvWrapper):
    """Worlds whose actions are vectors in [-1, 1]; -1 stands for each number's low bound, 1 for its high one."""

    def __init__(self, worlds: SimulatorVecEnv, space: Box) -> None:
        unit = spaces.Box(-1.0, 1.0, (space.size,), np.float32)
        super().__init__(worlds, action_space=unit)
        self._low, self._width = np.array(space.low), np.array(space.high) - np.array(space.low)
        self._space = space

    def reset(self) -> VecEnvObs:
        """Fresh worlds everywhere."""
        return self.venv.reset()

    def step_async(self, actions: Floats) -> None:
        """Keep the vectors, in their own units, for `step_wait`; [n, numbers]."""
        self.venv.step_async(self._space.nearest(self._low + (actions.astype(np.float64) + 1) / 2 * self._width))

    def step_wait(self) -> VecEnvStepReturn:
        """Step every world once."""
        return self.venv.step_wait()


def cells(action: Floats, space: Box) -> Ints:
    """How often each cell of the space is taken, of those taken at all; int64 [cells taken].

    Args:
        action: vectors; [..., numbers].
        space: their bounds, finite.
    """
    share = (action.reshape(-1, space.size) - space.low) / (np.array(space.high) - space.low)
    cell = np.minimum((share * CELLS).astype(np.int64), CELLS - 1)
    return np.unique(cell, axis=0, return_counts=True)[1]
