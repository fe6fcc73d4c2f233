"""Laws and looks: 1,000 streams at every step to 5,000, and how often each interval ever misses the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats
from tenure.evaluation.sequences.bernstein import BernsteinMean
from tenure.evaluation.sequences.boundaries import FIRST_LOOK, MOST_SKEWED, asymptotic_radius
from tenure.evaluation.sequences.stakes import Moments, bet

STREAMS, STEPS, ALPHA, ALLOWED = 1000, 5000, 0.05, 73
"""A sequence that misses exactly 5 % of the time exceeds 73 of 1,000 with probability about .0006."""

LOGGED, TARGET, REWARD = np.array([0.02, 0.38, 0.6]), np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.5, 0.7])
ROWS_A_DAY, WITHIN_DAY = 10, 0.45
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


@dataclass(frozen=True)
class Law:
    """What is drawn, its mean, and whether it lies in [0, 1]."""

    draw: Draw
    mean: float
    bounded: bool


def bernoulli(p: float) -> Law:
    return Law(lambda rng, shape: (rng.random(shape) < p).astype(float), p, True)


def weighted(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Importance-weighted rewards, weights 25, .79 and .33, scaled by 1 / 25."""
    action = rng.choice(3, size=shape, p=LOGGED)
    return np.asarray((TARGET / LOGGED)[action] * (rng.random(shape) < REWARD[action]) / 25)


def clustered_rows(rng: np.random.Generator, days: int, streams: int) -> Floats:
    """Ten rows a day with correlation .45 within it; [days, 10, streams], mean 0 and variance 1."""
    day = math.sqrt(WITHIN_DAY) * rng.standard_normal((days, 1, streams))
    return np.asarray(day + math.sqrt(1 - WITHIN_DAY) * rng.standard_normal((days, ROWS_A_DAY, streams)))


def clustered_days(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """One number a day, which is what the interval is given; [days, streams]."""
    parts = [clustered_rows(rng, shape[0], 50).mean(axis=1) for _ in range(shape[1] // 50)]
    return np.concatenate(parts, axis=1)


LAWS: dict[str, Law] = {
    "Bernoulli .5": bernoulli(0.5),
    "Bernoulli .01": bernoulli(0.01),
    "Bernoulli .002": bernoulli(0.002),
    "beta(2, 5)": Law(lambda rng, shape: rng.beta(2, 5, shape), 2 / 7, True),
    "importance-weighted up to 25": Law(weighted, float(TARGET @ REWARD) / 25, True),
    "normal": Law(lambda rng, shape: rng.standard_normal(shape), 0.0, False),
    "gamma(4)": Law(lambda rng, shape: rng.gamma(4.0, size=shape), 4.0, False),
    "clustered .45, by day": Law(clustered_days, 0.0, False),
}
BOUNDED = [name for name, law in LAWS.items() if law.bounded]
UNBOUNDED = [name for name, law in LAWS.items() if not law.bounded]


def drawn(name: str, seed: int = 20260103, steps: int = STEPS, streams: int = STREAMS) -> Floats:
    """Streams of a law; [steps, streams]."""
    return LAWS[name].draw(np.random.default_rng(seed), (steps, streams))


def refuted(x: Floats, null: float, alpha: float, cap: float = 0.5) -> Bools:
    """Which streams ever refuted "the mean is at most null" by betting; x is [steps, streams] in [0, 1]."""
    seen, log_capital = Moments(), np.zeros(x.shape[1])
    most = log_capital.copy()
    for row in x:
        log_capital = log_capital + np.log1p(bet(seen, null, cap) * (row - null))
        most = np.maximum(most, log_capital)
        seen = seen.after(row)
    return np.asarray(most >= -math.log(alpha))


def betting_missed(x: Floats, mean: float) -> Bools:
    return refuted(x, mean, ALPHA / 2) | refuted(1 - x, 1 - mean, ALPHA / 2)


def bernstein_missed(x: Floats, mean: float) -> Bools:
    sequence = BernsteinMean(0, 1, ALPHA)
    for row in x:
        sequence.update(row)
    return np.asarray((np.asarray(sequence.low) > mean) | (np.asarray(sequence.high) < mean))


@dataclass(frozen=True)
class Looks:
    """Intervals of one method at every step.

    Args:
        missed: which streams were ever wrong where it answered; [streams].
        refused: share of looks from the 200th step on without an answer.
        width: median of the answered widths at the last step; NaN without one.
    """

    missed: Bools
    refused: float
    width: float


def asymptotic_looks(x: Floats, mean: float, forced: bool = False) -> Looks:
    """The large-sample form from running sums; `forced` leaves out its own refusal by skewness."""
    n = np.arange(1, len(x) + 1)[:, None]
    first, second, third = (np.cumsum((x - mean) ** power, axis=0)[FIRST_LOOK - 1 :] for power in (1, 2, 3))
    n = n[FIRST_LOOK - 1 :]
    off = first / n
    spread = second / n - off**2
    spread[spread < 1e-9 * second / n] = 0.0  # what is left of a stream that has not varied is rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = (third / n - 3 * off * second / n + 2 * off**3) / spread**1.5
    answered = np.ones_like(spread, dtype=bool) if forced else np.abs(skewness) <= MOST_SKEWED
    unit = np.array([asymptotic_radius(int(k), 1.0, ALPHA) for k in n.ravel()])[:, None]
    radius = unit * np.sqrt(spread * n / (n - 1))
    missed = ((np.abs(off) > radius) & answered).any(axis=0)
    last = 2 * radius[-1][answered[-1]]
    return Looks(np.asarray(missed), 1 - float(answered.mean()), float(np.median(last)) if len(last) else math.nan)


def naive_looks(x: Floats, mean: float) -> Looks:
    """The same looks with Student's t interval, from the tenth observation on."""
    n = np.arange(1, len(x) + 1)[:, None]
    average = x.cumsum(axis=0) / n
    spread = np.sqrt(np.maximum(((x**2).cumsum(axis=0) - n * average**2) / np.maximum(n - 1, 1), 0))
    radius = stats.t.ppf(1 - ALPHA / 2, np.maximum(n - 1, 1)) * spread / np.sqrt(n)
    missed = (np.abs(average - mean) > radius)[9:].any(axis=0)
    return Looks(np.asarray(missed), 0.0, float(np.median(2 * radius[-1])))
