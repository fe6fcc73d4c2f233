"""From a logged batch and a target policy to what estimators take: weights, and the reward model's two values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import TenureError
from tenure.core.logged import Logged, Target
from tenure.evaluation.checks import LARGEST, refusal
from tenure.evaluation.off_policy.reward_model import fold_of, predict, with_intercept

Propensities = Callable[[Logged], Floats]
"""Probability with which each logged action was taken; [n]."""

Predictions = Callable[[Logged], Floats]
"""A reward model from elsewhere: predicted reward of every action; [n, actions]."""

ROUNDING = 1e-4
"""Most by which a target's row may miss 1 in sum."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """A logged batch seen from a target policy; [n] each.

    Args:
        propensity: of the logged action, logged or modelled.
        weight: target over propensity.
        elsewhere: the target's probability on actions the log never shows.
        predicted: the reward model's value of the logged action; None without a model.
        expected: the model's value of the target; None without a model.
    """

    propensity: Floats
    weight: Floats
    elsewhere: Floats
    predicted: Floats | None = None
    expected: Floats | None = None


class Terms(Protocol):
    """How one kind of action space is weighed and modelled."""

    @property
    def density(self) -> bool:
        """Propensities are densities."""
        ...

    @classmethod
    def regress(cls, logged: Logged) -> tuple[Floats, Ints]:
        """Features of the reward model, [n, width], and the regression each row belongs to, [n]."""
        ...

    def weigh(self, logged: Logged, coefficients: Floats | None) -> Weighed:
        """The batch's weights, and the model's values where there are coefficients or predictions."""
        ...


def asked(target: Target, logged: Logged) -> Floats:
    """What a target answers, as numbers.

    Raises:
        EvidenceError: it raises, or answers something else; our own errors pass.
    """
    try:
        return np.asarray(target(logged), dtype=np.float64)
    except TenureError:
        raise
    except Exception as error:  # a policy is somebody else's code
        found = f"{type(error).__name__}: {error}"
        raise refusal("an answer for every row", found, "the target policy", "mend the policy") from error


def logged_propensity(logged: Logged) -> Floats:
    """The propensity as it was logged."""
    return logged.propensity


@dataclass(frozen=True, eq=False)
class DiscreteTerms:
    """Terms of a `Discrete` action space.

    Args:
        target: probability of every action.
        seen: which actions the log holds at all; bool [actions].
        propensity: of the logged action.
        predictions: a reward model from elsewhere, used in place of the fitted one.
    """

    target: Target
    seen: Bools
    propensity: Propensities = logged_propensity
    predictions: Predictions | None = None
    density: bool = False

    @classmethod
    def regress(cls, logged: Logged) -> tuple[Floats, Ints]:
        """Situation and slot; one regression per action."""
        return situation(logged), logged.action

    def probabilities(self, logged: Logged) -> Floats:
        """The target's probabilities, checked; [n, actions].

        Raises:
            EvidenceError: another shape, a negative or missing probability, or a row that does not sum to 1.
        """
        p = asked(self.target, logged)
        if p.shape != (len(logged), len(self.seen)):
            expected = f"probabilities of shape ({len(logged)}, {len(self.seen)})"
            raise refusal(expected, str(p.shape), "the target policy", "answer every row and every action")
        wrong = ~(np.isfinite(p) & (p >= 0)).all(axis=1) | ~(np.abs(p.sum(axis=1) - 1) <= ROUNDING)
        if wrong.any():
            row = int(np.argmax(wrong))
            found = f"{p[row].tolist()[:8]}, in sum {p[row].sum():g}"
            where = f"the target policy, row {int(logged.index[row])}"
            raise refusal("probabilities >= 0 that sum to 1", found, where, "mend the policy's probabilities")
        return p

    def weigh(self, logged: Logged, coefficients: Floats | None) -> Weighed:
        """Target over logged probability; q of the logged action, and sum_a pi(a | x) q(x, a)."""
        p, propensity = self.probabilities(logged), self.propensity(logged)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = _at(p, logged.action) / propensity
        elsewhere = p[:, ~self.seen].sum(axis=1)
        q = self._rewards(logged, coefficients)
        if q is None:
            return Weighed(propensity, weight, elsewhere)
        return Weighed(propensity, weight, elsewhere, _at(q, logged.action), np.einsum("na,na->n", p, q))

    def _rewards(self, logged: Logged, coefficients: Floats | None) -> Floats | None:
        if self.predictions is not None:
            return self.predictions(logged)
        return None if coefficients is None else predict(coefficients, situation(logged), fold_of(logged.unit))


@dataclass(frozen=True, eq=False)
class KernelTerms:
    """Terms of a `Box` action space: the target's action, with an Epanechnikov kernel around it.

    The reward model is one regression on the situation, the action, its squares and their products.

    Args:
        target: the target's action; [n, dimensions].
        scale: standard deviation of the logged actions; [dimensions].
        bandwidth: half-width of the kernel, in standard deviations.

    Source: Kallus and Zhou (2018), AISTATS.
    """

    target: Target
    scale: Floats
    bandwidth: float
    propensity: Propensities = logged_propensity
    density: bool = True

    @classmethod
    def regress(cls, logged: Logged) -> tuple[Floats, Ints]:
        """Situation, action, squares and products; one regression."""
        return cls._features(logged, logged.action), np.zeros(len(logged), dtype=np.int64)

    def weigh(self, logged: Logged, coefficients: Floats | None) -> Weighed:
        """Kernel around the target's action over the logged density; q of the logged action, and of the target's."""
        mine, propensity, h = self.actions(logged), self.propensity(logged), self.bandwidth * self.scale
        distance = (logged.action - mine) / h
        kernel = np.where(np.abs(distance) <= 1, 0.75 * (1 - distance**2), 0.0) / h
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = kernel.prod(axis=1) / propensity
        nowhere = np.zeros(len(logged))
        if coefficients is None:
            return Weighed(propensity, weight, nowhere)
        fold = fold_of(logged.unit)
        q, v = (predict(coefficients, self._features(logged, a), fold)[:, 0] for a in (logged.action, mine))
        return Weighed(propensity, weight, nowhere, q, v)

    def actions(self, logged: Logged) -> Floats:
        """The target's actions, checked; [n, dimensions].

        Raises:
            EvidenceError: another shape than the logged actions', or not finite.
        """
        action = asked(self.target, logged)
        if action.shape != logged.action.shape or not np.isfinite(action).all():
            expected = f"finite actions of shape {logged.action.shape}"
            raise refusal(expected, str(action.shape), "the target policy", "answer every row with one action")
        return action

    @staticmethod
    def _features(logged: Logged, action: Floats) -> Floats:
        products = (action[:, :, None] * _known(logged)[:, None, :]).reshape(len(action), -1)
        return np.concatenate([situation(logged), action, action**2, products], axis=1)


def situation(logged: Logged) -> Floats:
    """What a reward model may know: a leading 1, the features, and the slot where there is one; [n, width]."""
    x = with_intercept(_known(logged))
    return x if logged.position is None else np.concatenate([x, logged.position[:, None]], axis=1)


def _known(logged: Logged) -> Floats:
    """Features with 0 in place of what is missing, infinite, or too large to be squared."""
    return np.where(np.abs(logged.features) < LARGEST, logged.features, 0.0)


def _at(table: Floats, action: Ints) -> Floats:
    """The entry of each row's action; [n, actions] and [n] give [n]."""
    return np.take_along_axis(table, action[:, None], axis=1)[:, 0]
