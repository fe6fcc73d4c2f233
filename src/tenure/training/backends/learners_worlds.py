"""Training worlds in the learner's units, as RLlib's environment runners step them: one Gymnasium `VectorEnv`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from tenure.core.arrays import Bools, Floats
from tenure.core.project import load_project
from tenure.simulators.actions import Actions
from tenure.simulators.vector_env import SimulatorVectorEnv
from tenure.training.normaliser import CLIP, Normaliser
from tenure.training.settings import Settings
from tenure.training.worlds import training_worlds


class LearnersWorlds(SimulatorVectorEnv):
    """Worlds whose observations are normalised, whose rewards are in deviations of one step's; infos are left out.

    Args:
        project: what `load_project` takes, loaded in the runner's own process.
        settings: of the run.
        normaliser: fitted by the learner.
        n: how many worlds.
    """

    def __init__(self, project: str, settings: Settings, normaliser: Normaliser, n: int) -> None:
        loaded = load_project(project)
        reward = loaded.problem.reward
        for signal in settings.without:
            reward = reward.without(signal)
        problem = replace(loaded.problem, reward=reward)
        super().__init__(problem, training_worlds(loaded, settings), n, level=settings.level)
        self.normaliser = normaliser
        self.single_observation_space = spaces.Box(-CLIP, CLIP, (normaliser.width,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, n)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Fresh worlds everywhere; float32 [n, width]."""
        observation, _ = super().reset(seed=seed, options=options)
        return self.normaliser(observation), {}

    def step(self, actions: Actions) -> tuple[Floats, Floats, Bools, Bools, dict[str, Any]]:
        """One decision in each world that goes on."""
        observation, reward, terminated, truncated, _ = super().step(actions)
        return self.normaliser(observation), reward / self.normaliser.reward_std, terminated, truncated, {}
