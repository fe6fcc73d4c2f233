"""Observations in the learner's units: per size, centred, scaled, clipped; the same numbers go into the bundle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put

CLIP = 5.0
"""Standard deviations beyond which an observation is cut off."""
WORLDS, STEPS = 256, 48
"""Size of the sample that means and deviations are taken from."""


@dataclass(frozen=True)
class Normaliser:
    """z = clip((x / x[per] - mean) / std), then z @ mix where there is one.

    Args:
        mean: of each feature after the division; float32 [features].
        std: its standard deviation; float32 [features], above 0.
        per: column each feature is divided by; -1 leaves it as it is; int64 [features].
        reward_std: standard deviation of one step's reward, in the reward's unit.
        mix: float32 [features, width], what the learner sees instead, as for averages over a window; None for none.
    """

    mean: Floats
    std: Floats
    per: Ints
    reward_std: float
    mix: Floats | None = None

    @property
    def width(self) -> int:
        """How many numbers the learner sees."""
        return len(self.mean) if self.mix is None else self.mix.shape[1]

    def __call__(self, observation: Floats) -> Floats:
        """Observations [n, features] in the learner's units; float32 [n, width]."""
        scaled = (per_feature(observation, self.per) - self.mean) / self.std
        clipped = np.clip(scaled, -CLIP, CLIP).astype(np.float32)
        return clipped if self.mix is None else np.asarray(clipped @ self.mix)


def per_feature(observation: Floats, per: Ints) -> Floats:
    """Each feature divided by the one it is stated per; [n, features]."""
    divisor = np.where(per >= 0, observation[:, np.maximum(per, 0)], np.float32(1.0))
    return np.asarray(observation / divisor)


def per_columns(problem: Problem) -> Ints:
    """Column each feature is divided by, -1 for none; [features]."""
    names = problem.feature_names
    return np.array([names.index(f.per) if f.per else -1 for f in problem.observation])


def fit_normaliser(
    problem: Problem, simulator: Simulator, incumbent: Policy, rng: np.random.Generator, level: str = "normal"
) -> Normaliser:
    """Means and deviations over training worlds, half steered by the incumbent and half at random.

    Actions are allowed ones; a world that ends by itself starts again.
    """
    per, state = per_columns(problem), simulator.reset(WORLDS, rng, level)
    seen, rewards = [], []
    for _ in range(STEPS):
        observation = simulator.observe(state)
        allowed = allowed_actions(problem, simulator, state, observation)
        action = incumbent.propose(observation, allowed, rng.random(WORLDS)).action.copy()
        action[::2] = random_actions(problem, WORLDS, rng, allowed)[::2]
        step = simulator.step(state, action, rng)
        ended = np.flatnonzero(step.terminated)
        state = put(step.state, ended, simulator.reset(len(ended), rng, level)) if len(ended) else step.state
        seen.append(per_feature(observation, per))
        rewards.append(problem.reward(step.signals)[1::2])
    rows = np.concatenate(seen)
    return Normaliser(
        mean=rows.mean(axis=0).astype(np.float32),
        std=(rows.std(axis=0) + 1e-6).astype(np.float32),
        per=per,
        reward_std=float(np.std(rewards)) or 1.0,
    )
