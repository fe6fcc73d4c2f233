"""A look at the training worlds before training: do they end by themselves, and how much do their signals vary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put

WORLDS = 64
"""Worlds walked through for one horizon, half steered by the incumbent and half at random."""


@dataclass(frozen=True)
class Scouting:
    """What was seen.

    Args:
        ends: a world ended by itself.
        deviation: standard deviation of each signal over decisions, in its unit; 1 where it never changed.
    """

    ends: bool
    deviation: Mapping[str, float]


def scout(problem: Problem, simulator: Simulator, incumbent: Policy, rng: np.random.Generator, level: str) -> Scouting:
    """Walk through training worlds for one horizon; a world that ends by itself starts again."""
    state, ends = simulator.reset(WORLDS, rng, level), False
    seen: dict[str, list[Floats]] = {name: [] for name in problem.signal_names}
    for _ in range(problem.horizon):
        observation = simulator.observe(state)
        allowed = allowed_actions(problem, simulator, state, observation)
        action = incumbent.propose(observation, allowed, rng.random(WORLDS)).action.copy()
        action[::2] = random_actions(problem, WORLDS, rng, allowed)[::2]
        step = simulator.step(state, action, rng)
        for name, values in seen.items():
            values.append(step.signals[name])
        ended = np.flatnonzero(step.terminated)
        ends = ends or len(ended) > 0
        state = put(step.state, ended, simulator.reset(len(ended), rng, level)) if len(ended) else step.state
    return Scouting(ends, {name: float(np.std(values)) or 1.0 for name, values in seen.items()})
