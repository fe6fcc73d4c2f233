"""More or less of the past, smoother, or at other hours."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.simulators.replay.days import check_days

KNOTS = 3
"""Moments within a day whose clock is moved; between them it is moved in proportion."""


def scaled(counts: Ints, factor: float | Floats, rng: np.random.Generator) -> Ints:
    """Counts multiplied and rounded at random, so that each count's mean is exactly its value times the factor.

    Args:
        counts: [time, units], at least 0.
        factor: one, or one per step [time, 1], per unit [units] or both [time, units]; at least 0; 1 changes nothing.
        rng: chance of the rounding.

    Raises:
        DataError: a factor below 0 or not finite.
    """
    if not (np.isfinite(factor).all() and (np.asarray(factor) >= 0).all()):
        raise _wrong("factors of at least 0", f"{np.min(factor)} to {np.max(factor)}")
    return _rounded(counts.astype(np.float64) * factor, rng)


def smoothed(counts: Ints, period: int, rng: np.random.Generator) -> Ints:
    """The mean of each count and those one period before and after, rounded at random; calmer, with the same season.

    At the ends the mean is of the two there are.

    Args:
        counts: [time, units], at least 0.
        period: steps after which times are alike, such as those of a week; at least 1, at most half the time.
        rng: chance of the rounding.

    Raises:
        DataError: an impossible period.
    """
    if not 1 <= period <= len(counts) // 2:
        raise _wrong(f"a period of 1 to {len(counts) // 2} steps", f"{period}")
    total, there = counts.astype(np.float64), np.ones(len(counts))
    total[period:] += counts[:-period]
    total[:-period] += counts[period:]
    there[period:] += 1
    there[:-period] += 1
    return _rounded(total / there[:, None], rng)


def warped(counts: Ints, per_day: int, sd: float, rng: np.random.Generator) -> Ints:
    """Counts at other hours: every day's clock runs a little fast or slow by turns, the day's total stays.

    `KNOTS` moments, evenly spaced within the day, are moved by normal amounts, never past each other or out of the
    day; all units share them. What has happened by a moment of the new day is what had happened by the moment of the
    old day it stands for, rounded to whole counts, so each unit's total of each day stays exactly.

    Args:
        counts: [days * per_day, units], at least 0.
        per_day: steps of a day.
        sd: standard deviation of each move, in steps, at least 0; 0 changes nothing.
        rng: chance of the moves.

    Raises:
        DataError: not whole days, or an impossible sd.

    Source: time warping as a variation of series, Le Guennec, Malinowski and Tavenard (2016); Um et al. (2017).
    """
    check_days(counts, per_day)
    if not 0 <= sd < np.inf:
        raise _wrong("an sd of at least 0", f"{sd}")
    days = counts.reshape(-1, per_day, counts.shape[1])
    so_far = np.concatenate([np.zeros_like(days[:, :1]), np.cumsum(days, axis=1)], axis=1)
    moved = np.stack(
        [_between(one, clock) for one, clock in zip(so_far, _clocks(len(days), per_day, sd, rng), strict=True)]
    )
    return np.diff(np.rint(moved), axis=1).reshape(counts.shape).astype(counts.dtype)


def _clocks(days: int, per_day: int, sd: float, rng: np.random.Generator) -> Floats:
    """Moment of the old day that each moment of the new one stands for; rising, [days, per_day + 1]."""
    even = np.linspace(0, per_day, KNOTS + 2)
    knots = even[1:-1] + sd * rng.standard_normal((days, KNOTS))
    inner = np.sort(np.clip(knots, 0, per_day), axis=1)
    whole = np.concatenate([np.zeros((days, 1)), inner, np.full((days, 1), float(per_day))], axis=1)
    steps = np.arange(per_day + 1)
    return np.stack([np.interp(steps, even, one) for one in whole])


def _between(so_far: Ints, moment: Floats) -> Floats:
    """The running total at moments between steps; [per_day + 1, units]."""
    low = np.minimum(moment.astype(np.int64), len(so_far) - 2)
    part = (moment - low)[:, None]
    return np.asarray((1 - part) * so_far[low] + part * so_far[low + 1])


def _rounded(values: Floats, rng: np.random.Generator) -> Ints:
    return np.asarray(np.floor(values + rng.random(values.shape)).astype(np.int64))


def _wrong(expected: str, found: str) -> DataError:
    return DataError(expected=expected, found=found, where="a variation of a replayed history", fix="mend the setting")
