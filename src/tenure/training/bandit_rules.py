"""How a bandit explores: from what is known of each action's reward to a probability for each action.

Every rule gives the exact probabilities of what it does, so what is logged is true.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import SettingsError
from tenure.training.bandit_models import Posterior

NEVER = -1e30
"""Score of an action that is not allowed; finite, so that a graph of float32 can hold it."""
ROWS_AT_ONCE = 64
"""Rows of a batch that Thompson sampling compares side by side."""
SHARPNESS = 1e-3
"""Softmax temperature of a posterior draw's choice, in units of the reward's noise. It stands in for the maximum, which
would jump where a graph of float32 rounds two nearly equal scores otherwise."""


class Rule(Protocol):
    """A way to explore."""

    @property
    def name(self) -> str:
        """What versions are called after."""
        ...

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """Probability of every action.

        Args:
            posterior: what is known.
            x: situations; [n, columns].
            allowed: actions that may be taken, at least one per row; [n, actions].

        Returns:
            [n, actions]; rows sum to 1, 0 where not allowed.
        """
        ...


@dataclass(frozen=True)
class EpsilonGreedy:
    """The best action, but for a share `epsilon` of uniform draws; Sutton and Barto (2018), section 2.2.

    The default .1 is theirs. With 0 it is pure greed, which learns nothing about what it does not do.
    """

    epsilon: float = 0.1
    name: str = "epsilon-greedy"

    def __post_init__(self) -> None:
        _check(0 <= self.epsilon <= 1, "epsilon in [0, 1]", self.epsilon)

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """(1 - epsilon) on the best, equal shares among equals, and epsilon / k on each of k allowed."""
        return floored(best(posterior.expected(x), allowed), allowed, self.epsilon)


@dataclass(frozen=True)
class Softmax:
    """Boltzmann exploration, p ~ exp(mean / temperature); Sutton and Barto (2018), section 2.8.

    Args:
        temperature: in reward units, > 0; how much worse an action may be to be taken e times as seldom. It has no
            default: it depends on what a reward is worth.
    """

    temperature: float
    name: str = "softmax"

    def __post_init__(self) -> None:
        _check(0 < self.temperature < math.inf, "a temperature above 0", self.temperature)

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """The softmax of the means over the allowed actions."""
        return softmax(posterior.expected(x) / self.temperature, allowed)


@dataclass(frozen=True)
class InverseGap:
    """Inverse-gap weighting of SquareCB; Foster and Rakhlin (2020), algorithm 1, after Abe and Long (1999).

    Of k allowed actions, every action but the best gets 1 / (k + gamma (best - mean)), the best gets the rest.

    Args:
        gamma: learning rate, >= 0, in 1 / reward units; 0 is uniform. Theory wants it to grow as sqrt(k n) over n
            decisions; it has no default, because n is the user's.
    """

    gamma: float
    name: str = "inverse-gap"

    def __post_init__(self) -> None:
        _check(0 <= self.gamma < math.inf, "gamma >= 0", self.gamma)

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """The formula above; actions that are best together share what is left."""
        mean = np.where(allowed, posterior.expected(x), NEVER)
        choices = allowed.sum(axis=1, keepdims=True)
        gap = mean.max(axis=1, keepdims=True) - mean
        first = best(mean, allowed)
        others = np.where(allowed & (first == 0), 1 / (choices + self.gamma * gap), 0.0)
        return np.asarray(others + first * (1 - others.sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class LinUCB:
    """The action with the highest upper confidence bound, mean + alpha deviation; Li et al. (2010), algorithm 1.

    Deterministic, but for a fair draw among equals: off-policy estimates need a log by one of the others.

    Args:
        alpha: deviations; the default 1 + sqrt(ln(2 / delta) / 2) with delta = .05 is the paper's bound. Deviations
            are in units of the reward's estimated noise, where the paper takes 1.
    """

    alpha: float = 1 + math.sqrt(math.log(2 / 0.05) / 2)
    name: str = "linucb"

    def __post_init__(self) -> None:
        _check(0 <= self.alpha < math.inf, "alpha >= 0", self.alpha)

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """1 on the highest bound, equal shares among equals."""
        return best(posterior.expected(x) + self.alpha * posterior.deviation(x), allowed)


@dataclass(frozen=True)
class UCB:
    """The highest mean + sqrt(2 ln f(t)) deviation, f(t) = 1 + t ln(t)^2: optimistic ever more slowly, with no setting.

    Of arms without features t counts the decisions; elsewhere it is how many a situation like this one is worth, summed
    over the allowed actions, the prior's among them. Deterministic, but for a fair draw among equals: off-policy
    estimates need a log by one of the others.

    Source: Lattimore and Szepesvari (2020), algorithm 6, the asymptotically optimal form of UCB1 (Auer et al. 2002).
    """

    name: str = "ucb"

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """1 on the highest bound, equal shares among equals."""
        deviation = posterior.deviation(x)
        worth = np.divide(posterior.noise, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        t = np.where(allowed, worth**2, 0.0).sum(axis=1, keepdims=True)
        width = np.sqrt(2 * np.log1p(t * np.log(np.maximum(t, 1.0)) ** 2))
        return best(posterior.expected(x) + width * deviation, allowed)


@dataclass(frozen=True)
class Thompson:
    """Linear Thompson sampling with Gaussian posterior; Agrawal and Goyal (2013), with the variance of the posterior.

    So many coefficient vectors are drawn once after each update; a decision picks one of them evenly and takes its best
    action. The logged probability is exactly that of this policy; against sampling afresh each time it has a standard
    error of sqrt(p (1 - p) / draws), at most .022 with the default.

    Args:
        draws: coefficient vectors.
        floor: share of uniform draws, in (0, 1]: each of k allowed actions gets at least floor / k, so no probability
            in the log is 0. The default .01 costs at most 1 % of the range of the reward.
        seed: of the draws.
    """

    draws: int = 500
    floor: float = 0.01
    seed: int = 0
    name: str = "thompson"

    def __post_init__(self) -> None:
        _check(self.draws >= 1, "draws >= 1", self.draws)
        _check(0 < self.floor <= 1, "a floor in (0, 1]", self.floor)

    def distribution(self, posterior: Posterior, x: Floats, allowed: Bools) -> Floats:
        """Share of the draws in which each action is best, above the floor."""
        coefficients, shares = drawn(posterior, self.draws, self.seed), np.empty(allowed.shape)
        for start in range(0, len(x), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            scores = (x[rows] @ coefficients).reshape(-1, self.draws, allowed.shape[1])
            shares[rows] = softmax(scores / (SHARPNESS * posterior.noise), allowed[rows, None]).mean(axis=1)
        return floored(shares, allowed, self.floor)


@lru_cache(maxsize=2)
def drawn(posterior: Posterior, draws: int, seed: int) -> Floats:
    """Coefficients drawn from a posterior, kept until the next; [columns, draws * actions], for one product."""
    coefficients = posterior.draws(draws, np.random.default_rng(seed))
    return coefficients.reshape(-1, coefficients.shape[2]).T


def best(score: Floats, allowed: Bools) -> Floats:
    """Equal shares among the allowed actions of highest score; [..., actions] both."""
    masked = np.where(allowed, score, NEVER)
    top = masked == masked.max(axis=-1, keepdims=True)
    return np.asarray(top / top.sum(axis=-1, keepdims=True))


def softmax(score: Floats, allowed: Bools) -> Floats:
    """exp(score) over the allowed actions, summing to 1; [..., actions]."""
    masked = np.where(allowed, score, NEVER)
    weight = np.exp(masked - masked.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def floored(distribution: Floats, allowed: Bools, floor: float) -> Floats:
    """A distribution mixed with a share `floor` of the uniform one over the allowed actions; [n, actions]."""
    return np.asarray((1 - floor) * distribution + floor * allowed / allowed.sum(axis=1, keepdims=True))


def _check(right: bool, expected: str, found: float) -> None:
    if not right:
        raise SettingsError(expected=expected, found=str(found), where="a bandit's rule", fix="correct the number")
