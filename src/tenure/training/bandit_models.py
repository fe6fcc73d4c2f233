"""Linear reward models of contextual bandits: sums that merge, and the posterior that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError, SettingsError

RIDGE = 1.0
"""Weight of the prior, in observations per column; Li et al. (2010) start from the identity."""
CONSTANT = -1
"""Column that stands for the constant 1."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """From raw features to a linear model's columns: 1, numbers as they are, categories as indicators.

    Numbers should be of about unit size, because the ridge penalty is the same for every column.

    Args:
        source: raw feature each column reads; `CONSTANT` for the constant; int64 [columns].
        level: category number the column stands for; NaN where it is a number; [columns].
    """

    source: Ints
    level: Floats

    @property
    def columns(self) -> int:
        """How many columns there are, the constant among them."""
        return len(self.source)

    def __call__(self, observation: Floats) -> Floats:
        """Columns of raw features; [n, features] gives float64 [n, columns]."""
        ones = np.ones((len(observation), 1))
        raw = np.concatenate([np.asarray(observation, dtype=np.float64), ones], axis=1)[:, self.source]
        return np.where(np.isnan(self.level), raw, (raw == self.level).astype(np.float64))


def encoding(names: Sequence[str], categories: Mapping[str, int]) -> Encoding:
    """The columns of named features.

    Args:
        names: all features, in the order of the observation.
        categories: how many categories, numbered from 0, each categorical feature has; any other number is none
            of them, and every indicator is 0 then.

    Raises:
        SettingsError: a category count belongs to no feature.
    """
    unknown = sorted(set(categories) - set(names))
    if unknown:
        raise SettingsError(
            expected=f"features among {list(names)}",
            found=str(unknown),
            where="encoding(categories=...)",
            fix="name features of the problem",
        )
    columns = [(CONSTANT, np.nan)]
    for index, name in enumerate(names):
        levels = [float(level) for level in range(categories[name])] if name in categories else [np.nan]
        columns += [(index, level) for level in levels]
    return Encoding(np.array([source for source, _ in columns]), np.array([level for _, level in columns]))


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of the coefficients after some rows: normal, one block per independent set of coefficients.

    Args:
        mean: coefficients; [blocks, size].
        factor: Cholesky factor L of each block's covariance L L^T, in reward units; [blocks, size, size].
        noise: standard deviation of a reward around its mean, in reward units.
        project: features of each action, by which it reads the one block; [actions, d]; None when each action has a
            block of its own.
    """

    mean: Floats
    factor: Floats
    noise: float
    project: Floats | None

    @cached_property
    def coefficients(self) -> Floats:
        """Mean coefficients of each action's reward; [actions, columns]."""
        return np.asarray(self._of_actions(self.mean[None])[0])

    @cached_property
    def root(self) -> Floats:
        """F of each action with covariance F F^T of its coefficients; [actions, columns, columns]."""
        if self.project is None:
            return self.factor
        d = self.project.shape[1]
        block = self.factor[0].reshape(d, -1, self.factor.shape[2])
        wide = np.einsum("ad,dps->aps", self.project, block)
        return np.asarray(np.linalg.cholesky(wide @ wide.transpose(0, 2, 1)))

    def expected(self, x: Floats) -> Floats:
        """Mean reward of every action; [n, columns] gives [n, actions]."""
        return np.asarray(x @ self.coefficients.T)

    def deviation(self, x: Floats) -> Floats:
        """Standard deviation of that mean, sigma sqrt(x^T A^-1 x); [n, columns] gives [n, actions]."""
        actions, columns, _ = self.root.shape
        side = x @ self.root.transpose(1, 0, 2).reshape(columns, -1)
        return np.asarray(np.sqrt((side.reshape(len(x), actions, columns) ** 2).sum(axis=2)))

    def draws(self, count: int, rng: np.random.Generator) -> Floats:
        """Coefficients drawn from the posterior; [count, actions, columns]."""
        blocks, size = self.mean.shape
        normal = rng.standard_normal((count, blocks, size))
        return self._of_actions(self.mean + np.einsum("bij,cbj->cbi", self.factor, normal))

    def _of_actions(self, coefficients: Floats) -> Floats:
        if self.project is None:
            return coefficients
        split = coefficients[:, 0].reshape(len(coefficients), self.project.shape[1], -1)
        return np.asarray(np.einsum("ad,cdp->cap", self.project, split))


class RidgeModel:
    """Bayesian ridge regression of reward on situation, for each action alone or over what actions share.

    Alone (disjoint; Li et al. 2010, algorithm 1) the reward of action a is theta_a . x. Over action features z the
    columns are all products of (1, z_a) with x, one set of coefficients for all actions, so that an action is known by
    those like it. Either way A = ridge I + sum w x x^T and b = sum w r x are all that is kept: sums of batches merge
    in any order.

    Args:
        columns: size of x, the constant among them.
        actions: how many there are.
        action_features: z; [actions, features]; None keeps the actions apart.
        ridge: weight of the prior, > 0.

    Raises:
        SettingsError: ridge is not positive, or there is not one row of finite features per action.
    """

    def __init__(self, columns: int, actions: int, action_features: Floats | None = None, ridge: float = RIDGE) -> None:
        _check_model(actions, action_features, ridge)
        self.columns, self.actions, self.ridge = columns, actions, ridge
        self.project = None if action_features is None else np.insert(action_features.astype(float), 0, 1.0, axis=1)
        blocks, size = (actions, columns) if self.project is None else (1, self.project.shape[1] * columns)
        self.gram = np.zeros((blocks, size, size))
        self.moment = np.zeros((blocks, size))
        self.squares = self.weight = 0.0

    def update(self, x: Floats, action: Ints, reward: Floats, weight: Floats) -> None:
        """Add rows: x [n, columns], action [n], reward [n] and weight >= 0 [n]."""
        block, phi = self._design(x, action)
        for index in np.unique(block):
            rows = phi[block == index]
            weighted = rows * weight[block == index, None]
            self.gram[index] += weighted.T @ rows
            self.moment[index] += weighted.T @ reward[block == index]
        self.squares += float(weight @ reward**2)
        self.weight += float(weight.sum())

    def fade(self, kept: float) -> None:
        """Keep this share, in [0, 1], of the weight of every row so far; the prior stays."""
        self.gram *= kept
        self.moment *= kept
        self.squares *= kept
        self.weight *= kept

    def merge(self, other: RidgeModel) -> None:
        """Add what another model of the same form has seen.

        Raises:
            DataError: it has another form or another prior.
        """
        same = np.array_equal(_or_none(self.project), _or_none(other.project))
        if self.gram.shape != other.gram.shape or self.ridge != other.ridge or not same:
            raise DataError(
                expected=f"sums of shape {self.gram.shape}, ridge {self.ridge:g}, the same action features",
                found=f"{other.gram.shape}, ridge {other.ridge:g}",
                where="RidgeModel.merge",
                fix="merge models made with the same arguments",
            )
        self.gram += other.gram
        self.moment += other.moment
        self.squares += other.squares
        self.weight += other.weight

    def posterior(self) -> Posterior:
        """N(A^-1 b, sigma^2 A^-1), with sigma^2 = (1 + sum w r^2 - b^T A^-1 b) / (1 + sum w).

        The variance is the posterior mean of a conjugate normal-inverse-gamma model with one prior observation of unit
        square, so that a first batch of equal rewards does not end all exploration; Murphy (2012), section 7.6.3.
        """
        precision = self.gram + self.ridge * np.eye(self.gram.shape[1])
        mean = np.linalg.solve(precision, self.moment[:, :, None])[:, :, 0]
        residual = max(0.0, self.squares - float((self.moment * mean).sum()))
        noise = float(np.sqrt((1 + residual) / (1 + self.weight)))
        covariance = np.linalg.inv(precision)
        # Inverting leaves the two triangles a rounding apart; Cholesky reads one of them.
        factor = np.linalg.cholesky((covariance + covariance.transpose(0, 2, 1)) / 2)
        return Posterior(mean, noise * factor, noise, self.project)

    def _design(self, x: Floats, action: Ints) -> tuple[Ints, Floats]:
        """Block and columns of each row; [n] and [n, size]."""
        if self.project is None:
            return action, x
        phi = self.project[action][:, :, None] * x[:, None, :]
        return np.zeros(len(x), dtype=np.int64), phi.reshape(len(x), self.gram.shape[1])


def _or_none(project: Floats | None) -> Floats:
    return np.zeros(0) if project is None else project


def _check_model(actions: int, action_features: Floats | None, ridge: float) -> None:
    shape = None if action_features is None else np.shape(action_features)
    fits = shape is None or (len(shape) == 2 and shape[0] == actions)
    finite = action_features is None or bool(np.isfinite(action_features).all())
    if not (ridge > 0 and fits and finite):
        raise SettingsError(
            expected=f"ridge > 0, and finite action features of shape ({actions}, features) or none",
            found=f"ridge={ridge}, features of shape {shape}{'' if finite else ', not all finite'}",
            where="RidgeModel",
            fix="give one row of numbers per action",
        )
