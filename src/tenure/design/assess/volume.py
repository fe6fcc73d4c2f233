"""What a year of these decisions is worth, and what this traffic can prove by when."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from tenure.core.evidence import Estimate
from tenure.evaluation.sequences.boundaries import FIRST_LOOK, asymptotic_radius

MONTH = 28
"""Days of a usual trial."""
MOST = 10**12
"""Decisions beyond which nothing is planned."""


@dataclass(frozen=True)
class Volume:
    """What a trial of half the traffic against the other half can show, looking as often as one likes.

    Args:
        per_day: decisions a day; NaN where unknown.
        smallest_effect: gain per decision that 28 days of it prove, in the reward's unit; NaN where unknown.
        decisions_to_prove: decisions of both arms until the expected gain is proven; None where it never is.
        days_to_prove: the same in days; None where unknown.
    """

    per_day: float
    smallest_effect: float
    decisions_to_prove: int | None
    days_to_prove: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)


def volume(gain: float, spread: float, per_day: float) -> Volume:
    """Plan a trial.

    Args:
        gain: expected gain per decision, in the reward's unit.
        spread: standard deviation that one decision adds to a mean, clustering of units included, same unit.
        per_day: decisions a day; NaN where unknown.

    Source: difference of two halves has variance 4 s^2 / n; interval by `asymptotic_radius` (Waudby-Smith et al. 2024).
    """
    month = MONTH * per_day if per_day > 0 else math.nan
    smallest = _radius(int(month), spread) if month >= FIRST_LOOK else math.nan
    needed = decisions_to_prove(gain, spread)
    days = needed / per_day if needed is not None and per_day > 0 else None
    return Volume(per_day, smallest, needed, days)


def decisions_to_prove(gain: float, spread: float) -> int | None:
    """Decisions of both arms together after which an effect of this size is proven, were it seen as it is.

    >>> decisions_to_prove(0.1, 1.0)
    3707
    >>> decisions_to_prove(0.0, 1.0) is None
    True
    """
    if not gain > 0:
        return None
    low, high = FIRST_LOOK - 1, FIRST_LOOK
    while _radius(high, spread) > gain:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _radius(middle, spread) <= gain else (middle, high)
    return high


def _radius(n: int, spread: float) -> float:
    return asymptotic_radius(n, 2 * spread)


def a_year(gain: Estimate, decisions: float) -> Estimate | None:
    """A gain per decision as a gain a year; None where nobody knows how many decisions a year there are."""
    return gain.scaled(decisions) if decisions > 0 and math.isfinite(decisions) else None
