"""SLOPE: choosing between estimators that trade bias for variance, without knowing the bias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from tenure.core.arrays import Floats
from tenure.evaluation.checks import refusal
from tenure.evaluation.grouped import filled, linearised_error, sum_of_ratios

CONFIDENCE = float(stats.norm.ppf(0.975))
"""Half-width of an estimate's interval, in standard errors."""


@dataclass(frozen=True)
class Point:
    """One estimator on the tuning units: its value and the half-width of its interval, infinite without data."""

    value: float
    width: float

    @classmethod
    def of(cls, sums: Floats) -> Point:
        """From sums by group, [groups, 2 k]."""
        sums = filled(sums)
        if len(sums) < 2 or not (sums.sum(axis=0)[1::2] > 0).all():
            return cls(0.0, math.inf)
        return cls(float(sum_of_ratios(sums.sum(axis=0))), CONFIDENCE * linearised_error(sums))


def slope(points: Sequence[Point]) -> int:
    """Index of the chosen estimator.

    The most biased one whose interval is still compatible with those of all less biased ones: its distance from each
    of them is at most its own width plus sqrt(6) - 1 times theirs.

    Args:
        points: estimators from the most biased and least variable to the least biased and most variable.

    Raises:
        EvidenceError: none to choose from.

    Source: Su, Srinath and Krishnamurthy (2020), ICML, with the constant of Tucker and Lee (2021).
    """
    if not points:
        raise refusal("estimators to choose from", "none", "slope", "name at least one clip or switch point")
    last = len(points) - 1
    return next(index for index in range(last + 1) if _compatible(points, index))


def _compatible(points: Sequence[Point], index: int) -> bool:
    mine = points[index]
    return all(
        abs(mine.value - other.value) <= mine.width + (math.sqrt(6) - 1) * other.width for other in points[index + 1 :]
    )
