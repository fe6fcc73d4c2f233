"""A regression of anything on situation and action: a ridge with interactions, and a forest on what it leaves over.

The ridge finds smooth effects of few rows, the forest steps and interactions; judged on other units, neither can fool
the test that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tenure.core.arrays import Floats, Ints

TREES, LEAF = 20, 20
"""Trees of the forest, and rows in each leaf: a leaf's mean has a fifth of a row's spread."""
RIDGE = 5.0
"""Imagined rows of slope 0; Hoerl and Kennard (1970)."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A fitted regression of `width` outcomes on situation and action.

    Args:
        centre, scale: of the situation's columns; [features] each.
        slopes: of the ridge; [columns, width].
        forest: of the residuals.
        actions: how many.
    """

    centre: Floats
    scale: Floats
    slopes: Floats
    forest: Any
    actions: int

    def at(self, x: Floats, action: Ints) -> Floats:
        """Expected outcomes of one action in each row; [n, features], [n] give [n, width]."""
        z = (x - self.centre) / self.scale
        left = np.asarray(self.forest.predict(_trees_see(z, action, self.actions)))
        return np.asarray(_columns(z, action, self.actions) @ self.slopes + left.reshape(len(x), -1))

    def everywhere(self, x: Floats) -> Floats:
        """Expected outcomes of every action; [n, features] gives [n, actions, width]."""
        n, actions, width = len(x), self.actions, x.shape[1]
        z = (x - self.centre) / self.scale
        held, own = np.clip(z, -5, 5), self.slopes[1 + width :]
        ridge = (self.slopes[0] + held @ self.slopes[1 : 1 + width])[:, None, :]
        if actions > 1:
            by_action = own[actions:].reshape(actions, width, -1)
            ridge = ridge + own[:actions] + np.einsum("nk,akw->naw", held, by_action, optimize=True)
        trees_see = _trees_see(np.repeat(z, actions, axis=0), np.tile(np.arange(actions), n), actions)
        return np.asarray(ridge + np.asarray(self.forest.predict(trees_see)).reshape(n, actions, -1))


def fit_surface(x: Floats, action: Ints, y: Floats, actions: int, seed: int = 0) -> Surface:
    """Fit.

    Args:
        x: situations; [n, features].
        action: indices; [n]; with `actions` 1 it is not looked at.
        y: outcomes, any unit; [n, width].
        actions: how many there are.
        seed: of the forest.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-9 * (1 + np.abs(centre)), scale, 1.0)
    z = (x - centre) / scale
    design = _columns(z, action, actions)
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    slopes = np.linalg.solve(design.T @ design + penalty, design.T @ y)
    forest = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, max_features=1.0, random_state=seed, n_jobs=1)
    left = y - design @ slopes
    with threadpool_limits(1):
        forest.fit(_trees_see(z, action, actions), left if y.shape[1] > 1 else left[:, 0])
    return Surface(centre, scale, slopes, forest, actions)


def _columns(z: Floats, action: Ints, actions: int) -> Floats:
    """1, situation, action, and action times situation; [n, columns]. Far-away rows are held at 5 deviations."""
    z = np.clip(z, -5, 5)
    if actions == 1:
        return np.concatenate([np.ones((len(z), 1)), z], axis=1)
    taken = np.eye(actions)[action]
    both = (taken[:, :, None] * z[:, None, :]).reshape(len(z), -1)
    return np.concatenate([np.ones((len(z), 1)), z, taken, both], axis=1)


def _trees_see(z: Floats, action: Ints, actions: int) -> Floats:
    """Situation, the action as one number (an order helps where there is one) and as indicators."""
    if actions == 1:
        return z
    taken = np.eye(actions)[action] if actions > 2 else np.empty((len(z), 0))
    return np.concatenate([z, action[:, None].astype(float), taken], axis=1)
