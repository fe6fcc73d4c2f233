"""Intervals of shares: what a log of zeros and ones says when it holds only a few ones under large weights."""

from __future__ import annotations

import math

from scipy import stats

from tenure.evaluation.checks import refusal, share
from tenure.evaluation.grouped import Ends

FEWEST_EVENTS = 30.0
"""Effective ones (or zeros, whichever are rarer) below which their own spread is not to be trusted."""


def effective_wilson(value: float, n: float, alpha: float = 0.05) -> tuple[float, float]:
    """Interval of a share of 0 or 1 rewards from n effective decisions; ends in [0, 1].

    Where a log holds only a few ones under large weights, their spread says less about the error than the weights do,
    because the next large weight with a one has not come yet. So the error is taken from the effective number of
    decisions and from what a share can vary. It takes ones to be as likely under small weights as under large ones.

    Args:
        value: share of ones under the target, by any of the estimators.
        n: effective decisions, > 0.
        alpha: error rate, in (0, 1).

    Raises:
        EvidenceError: an argument out of its range.

    Source: Wilson (1927), with the effective sample size of Kish (1965) as in Korn and Graubard (1998).

    >>> [round(end, 4) for end in effective_wilson(0.1, 50)]
    [0.0435, 0.2136]
    """
    share(alpha, "alpha", "effective_wilson")
    if not n > 0:
        raise refusal("effective decisions > 0", str(n), "effective_wilson", "collect more decisions")
    z = float(stats.norm.ppf(1 - alpha / 2))
    p = min(max(value, 0.0), 1.0)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    radius = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, centre - radius), min(1.0, centre + radius)


def share_interval(spread: Ends, n: float, alpha: float = 0.05) -> Ends:
    """The interval of a share: Wilson's at the effective number of decisions where ones are few, else its own.

    Args:
        spread: the share with the interval that its own spread gives.
        n: effective decisions: (sum w)^2 / sum w^2 where weights are normalised, n^2 / sum w^2 where they are not,
            over the design effect of the units.
        alpha: error rate, in (0, 1).
    """
    if n * min(spread.value, 1 - spread.value) >= FEWEST_EVENTS:
        return spread
    low, high = effective_wilson(spread.value, n, alpha)
    return Ends(spread.value, low, high, f"Wilson at {n:,.0f} effective decisions, too few events for their own spread")
