"""A cross-fitted linear reward model whose fit is a sum over rows, so that it needs no second copy of the log."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.logged import Hashes
from tenure.evaluation.checks import LARGEST
from tenure.evaluation.grouped import mixed

FOLDS = 2
RIDGE = 1.0
"""Penalty on every slope after scaling, in rows: one imagined row of slope 0; Hoerl and Kennard (1970)."""

_FOLD_SALT = 17


def fold_of(unit: Hashes) -> Ints:
    """Fold of each unit, 0 or 1; all rows of a unit are in one."""
    return (mixed(unit, _FOLD_SALT) % np.uint64(FOLDS)).astype(np.int64)


def with_intercept(features: Floats) -> Floats:
    """Features with a leading 1; [n, k] gives [n, k + 1]."""
    return np.concatenate([np.ones((len(features), 1)), features], axis=1)


@dataclass
class RidgeSums:
    """Sums of x x' and x r per fold and action; mergeable.

    Args:
        width: features, the leading 1 included.
        actions: how many regressions; one per action.
        gram: [FOLDS, actions, width, width].
        cross: [FOLDS, actions, width].
    """

    width: int
    actions: int
    gram: Floats = field(init=False)
    cross: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.gram = np.zeros((FOLDS, self.actions, self.width, self.width))
        self.cross = np.zeros((FOLDS, self.actions, self.width))

    def update(self, x: Floats, action: Ints, reward: Floats, fold: Ints) -> None:
        """Add rows: [n, width], [n], [n], [n]; rows without a usable reward or action are left out of the fit."""
        usable = (np.abs(reward) < LARGEST) & (action >= 0)
        cell = np.where(usable, fold * self.actions + action, -1)
        order = np.argsort(cell, kind="stable")
        cells, starts = np.unique(cell[order], return_index=True)
        for number, rows in zip(cells, np.split(order, starts[1:]), strict=True):
            if number >= 0:
                part, place = x[rows], divmod(int(number), self.actions)
                self.gram[place] += part.T @ part
                self.cross[place] += part.T @ reward[rows]

    def merge(self, other: RidgeSums) -> None:
        """Add what another has summed."""
        self.gram += other.gram
        self.cross += other.cross

    def fitted(self) -> Floats:
        """Coefficients for the rows of each fold, fitted on the other one; [FOLDS, actions, width].

        An action with no row in the other fold gets that fold's mean reward.
        """
        return np.stack([_solved(self.gram[1 - fold], self.cross[1 - fold]) for fold in range(FOLDS)])


def predict(coefficients: Floats, x: Floats, fold: Ints) -> Floats:
    """Reward of every action; [FOLDS, actions, width], [n, width], [n] give [n, actions]."""
    folds, actions, width = coefficients.shape
    both = x @ coefficients.reshape(folds * actions, width).T
    return np.asarray(both.reshape(len(x), folds, actions)[np.arange(len(x)), fold])


def _solved(gram: Floats, cross: Floats) -> Floats:
    """Ridge coefficients of each action; [actions, width, width] and [actions, width] give [actions, width]."""
    rows, total = gram[:, 0, 0], float(cross[:, 0].sum())
    mean = total / max(float(rows.sum()), 1.0)
    out = np.zeros_like(cross)
    out[:, 0] = mean
    for action in np.flatnonzero(rows):
        scale = np.sqrt(np.maximum(np.diag(gram[action]) / rows[action], 1e-12))
        scaled = gram[action] / np.outer(scale, scale)
        # The intercept is drawn to the mean over all actions, the slopes to 0.
        towards = (cross[action] - mean * gram[action][:, 0]) / scale
        step = np.linalg.solve(scaled + RIDGE * np.eye(len(scale)), towards)
        out[action] = step / scale
        out[action, 0] += mean
    return out
