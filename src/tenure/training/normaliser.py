"""Observations in the learner's units: per size, centred, scaled, clipped; the same numbers go into the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put
from tenure.training.settings import Scale

CLIP = 5.0
"""Standard deviations beyond which an observation is cut off."""
IQR = 1.349
"""Interquartile range of a standard Gaussian."""
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
        clipped = np.clip(self.scaled(observation), -CLIP, CLIP).astype(np.float32)
        return clipped if self.mix is None else np.asarray(clipped @ self.mix)

    def scaled(self, observation: Floats) -> Floats:
        """Before they are cut off and mixed; [n, features]."""
        return np.asarray((per_feature(observation, self.per) - self.mean) / self.std)


def per_feature(observation: Floats, per: Ints) -> Floats:
    """Each feature divided by the one it is stated per; [n, features]."""
    divisor = np.where(per >= 0, observation[:, np.maximum(per, 0)], np.float32(1.0))
    return np.asarray(observation / divisor)


def per_columns(problem: Problem) -> Ints:
    """Column each feature is divided by, -1 for none; [features]."""
    names = problem.feature_names
    return np.array([names.index(f.per) if f.per else -1 for f in problem.observation])


def fit_normaliser(
    problem: Problem,
    simulator: Simulator,
    incumbent: Policy,
    rng: np.random.Generator,
    level: str = "normal",
    scale: Scale = "deviation",
) -> Normaliser:
    """Means and deviations over training worlds, half steered by the incumbent and half at random.

    Actions are allowed ones; a world that ends by itself starts again. With `robust`, medians and `robust_deviation`;
    with `none`, 0 and 1.
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
    centre, width = units(np.concatenate(seen), scale)
    reward_std = float(units(np.ravel(rewards), scale)[1])
    return Normaliser(
        mean=centre.astype(np.float32), std=(width + 1e-6).astype(np.float32), per=per, reward_std=reward_std or 1.0
    )


def units(rows: Floats, scale: Scale) -> tuple[Floats, Floats]:
    """Where each column's zero lies and how wide its unit is; both [columns], or plain for one row of numbers.

    Args:
        rows: what was seen; [rows, columns] or [rows].
        scale: as the settings have it.
    """
    if scale == "none":
        return np.zeros(rows.shape[1:]), np.ones(rows.shape[1:])
    if scale == "robust":
        return np.median(rows, axis=0), robust_deviation(rows)
    return rows.mean(axis=0), rows.std(axis=0)


def robust_deviation(rows: Floats) -> Floats:
    """Interquartile range over 1.349, a Gaussian's standard deviation; the deviation itself where half is one value.

    Args:
        rows: what was seen; [rows, columns].

    Source: Tukey (1977), "Exploratory data analysis".
    """
    low, high = np.quantile(rows, [0.25, 0.75], axis=0)
    return np.asarray(np.where(high > low, (high - low) / IQR, rows.std(axis=0)))


def hiding(normaliser: Normaliser, names: Sequence[str], hide: Sequence[str]) -> Normaliser:
    """The same, which shows 0 in place of these features, whatever is seen there and however old it is.

    Args:
        normaliser: of the learner's observation, plain or a window of plain ones.
        names: of the plain observation's features.
        hide: some of them.
    """
    columns = [column for column in range(len(normaliser.std)) if names[column % len(names)] in hide]
    std = normaliser.std.copy()
    std[columns] = np.inf
    return replace(normaliser, std=std)
