"""Small logs of one-step decisions for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.logged import Logged


def logged(
    action: Any, propensity: Any, reward: Any, *, actions: int = 2, features: Any = None, unit: Any = None, **more: Any
) -> Logged:
    """A batch from plain lists; one unit per row and one constant feature unless given."""
    n = len(reward)
    return Logged(
        index=np.arange(n),
        decision_id=np.array([f"d{row}" for row in range(n)], dtype=object),
        unit=np.arange(n, dtype=np.uint64) if unit is None else np.asarray(unit, dtype=np.uint64),
        action=np.asarray(action),
        propensity=np.asarray(propensity, dtype=float),
        reward=np.asarray(reward, dtype=float),
        features=np.zeros((n, 1)) if features is None else np.asarray(features, dtype=float),
        names=("x",) if features is None else tuple(f"x{i}" for i in range(np.shape(features)[1])),
        labels=tuple(map(str, range(actions))),
        **more,
    )


def bandit_log(n: int, rng: np.random.Generator, actions: int = 3, per_unit: int = 1) -> tuple[Logged, Floats]:
    """A softmax policy on two features, rewards linear in them; also returns the true mean reward of each action."""
    x = rng.normal(size=(n, 2))
    score = x @ np.array([[0.4, -0.2, 0.0], [0.0, 0.25, -0.3]])[:, :actions]
    p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    action = (p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    mean = 1 + x @ np.array([[0.5, 0.0, -0.3], [0.0, 0.7, 0.2]])[:, :actions]
    reward = mean[np.arange(n), action] + rng.normal(scale=0.3, size=n)
    unit = np.arange(n) // per_unit
    return logged(action, p[np.arange(n), action], reward, actions=actions, features=x, unit=unit), mean


def uniform(batch: Logged) -> Floats:
    """Every action with the same probability."""
    return np.full((len(batch), len(batch.labels)), 1 / len(batch.labels))
