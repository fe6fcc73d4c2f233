"""Betting sequences looked at after every observation: 1,000 streams of each law, two-sided, 95 %.

At most 73 misses of 1,000 are allowed: a sequence that misses exactly 5 % of the time exceeds that with probability
about .0006 for each law (binomial). Seeds are fixed, so a failure is a change in the code.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from tenure.core.arrays import Bools, Floats
from tenure.evaluation import BettingMean
from tenure.evaluation.stakes import Moments, bet

STREAMS, STEPS, ALPHA, ALLOWED = 1000, 2000, 0.05, 73
Law = Callable[[np.random.Generator, tuple[int, int]], Floats]

LOGGED = np.array([0.02, 0.38, 0.6])
TARGET = np.array([0.5, 0.3, 0.2])
REWARD = np.array([0.4, 0.5, 0.7])


def bernoulli(p: float) -> Law:
    return lambda rng, shape: (rng.random(shape) < p).astype(float)


def beta(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.beta(2, 5, shape)


def weighted(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Importance-weighted rewards, weights 25, .79 and .33, scaled by 1 / 25."""
    action = rng.choice(3, size=shape, p=LOGGED)
    return np.asarray((TARGET / LOGGED)[action] * (rng.random(shape) < REWARD[action]) / 25)


LAWS: dict[str, tuple[Law, float]] = {
    "Bernoulli .5": (bernoulli(0.5), 0.5),
    "Bernoulli .01": (bernoulli(0.01), 0.01),
    "beta(2, 5)": (beta, 2 / 7),
    "importance-weighted up to 25": (weighted, float(TARGET @ REWARD) / 25),
}


def refuted(x: Floats, null: float, alpha: float, cap: float = 0.5) -> Bools:
    """Which streams ever refuted "the mean is at most null"; x is [steps, streams] in [0, 1]."""
    seen, log_capital = Moments(), np.zeros(x.shape[1])
    most = log_capital.copy()
    for row in x:
        log_capital = log_capital + np.log1p(bet(seen, null, cap) * (row - null))
        most = np.maximum(most, log_capital)
        seen = seen.after(row)
    return np.asarray(most >= -math.log(alpha))


def drawn(name: str, seed: int) -> tuple[Floats, float]:
    law, mean = LAWS[name]
    return law(np.random.default_rng(seed), (STEPS, STREAMS)), mean


def missed(x: Floats, mean: float) -> Bools:
    return refuted(x, mean, ALPHA / 2) | refuted(1 - x, 1 - mean, ALPHA / 2)


def naive_missed(x: Floats, mean: float) -> Bools:
    """The same looks with Student's t interval, from the tenth observation on."""
    n = np.arange(1, len(x) + 1)[:, None]
    average = x.cumsum(axis=0) / n
    spread = np.sqrt(np.maximum(((x**2).cumsum(axis=0) - n * average**2) / np.maximum(n - 1, 1), 0))
    radius = stats.t.ppf(1 - ALPHA / 2, np.maximum(n - 1, 1)) * spread / np.sqrt(n)
    return np.asarray((np.abs(average - mean) > radius)[9:].any(axis=0))


@pytest.mark.parametrize("name", list(LAWS))
def test_a_sequence_misses_at_most_as_often_as_it_says(name: str) -> None:
    x, mean = drawn(name, 20260103)
    assert x.mean() == pytest.approx(mean, rel=0.02)
    assert int(missed(x, mean).sum()) <= ALLOWED


@pytest.mark.parametrize("name", list(LAWS))
def test_a_t_interval_looked_at_as_often_fails_beside_it(name: str) -> None:
    x, mean = drawn(name, 20260103)
    assert int(naive_missed(x, mean).sum()) > 150


@pytest.mark.parametrize("name", list(LAWS))
def test_a_sequence_finds_a_mean_that_is_twice_the_null(name: str) -> None:
    x, mean = drawn(name, 20260104)
    assert int(refuted(x, mean / 2, ALPHA).sum()) >= 0.4 * STREAMS


def test_an_upward_drift_that_never_leaves_the_null_is_no_false_alarm() -> None:
    rng = np.random.default_rng(20260105)
    rising = np.linspace(0.2, 0.5, STEPS)[:, None]
    x = (rng.random((STEPS, STREAMS)) < rising).astype(float)
    assert int(refuted(x, 0.5, ALPHA).sum()) <= ALLOWED


def test_the_shipped_sequence_is_the_one_tested_here() -> None:
    x, mean = drawn("beta(2, 5)", 20260106)
    few = x[:300, :8]
    for null in (mean / 1.5, mean):
        expected = refuted(few, null, ALPHA / 2).tolist()
        found = []
        for stream in few.T:
            both = BettingMean(0, 1, ALPHA, null=null, points=10)
            for value in stream:
                both.update(float(value))
            found.append(both.lower.rejects(null))
        assert found == expected
    assert not all(expected)
