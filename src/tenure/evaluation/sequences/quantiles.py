"""Confidence sequence for a quantile: between two order statistics, at every look, whatever the distribution."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import finite, refusal, share
from tenure.evaluation.sequences.bernoulli import best_strength, log_evidence


def quantile_sequence(
    x: Floats, q: float, alpha: float = 0.05, t_opt: float = 1000.0, cluster: str = "row"
) -> Estimate:
    """A quantile with an interval that holds at this and every other look; for one look only, see `quantile_interval`.

    Args:
        x: all independent numbers so far, any unit; [n].
        q: which quantile, in (0, 1).
        alpha: error rate over all looks together, in (0, 1).
        t_opt: numbers at which it is about narrowest.
        cluster: what one entry of `x` is.

    Returns:
        The quantile; an end is infinite while so few numbers cannot bound it.

    Raises:
        EvidenceError: no number, NaN or infinity, or an argument out of its range.

    Source: Howard and Ramdas (2022), Bernoulli 28(3), section 3.2: how many of n lie below the quantile is a Bernoulli
    count, bounded by the beta-binomial mixture.
    """
    where = "quantile_sequence"
    x = np.sort(finite(x, f"{where}(x)", at_least=1))
    fewest, most = rank_bounds(len(x), share(q, "q", where), alpha, t_opt)
    low = float(x[fewest - 1]) if fewest >= 1 else -math.inf
    high = float(x[most]) if most < len(x) else math.inf
    value = float(np.quantile(x, q, method="inverted_cdf"))
    told = f"order statistics {fewest} and {most + 1}, beta-binomial sequence"
    return Estimate(value, low, high, len(x), float(len(x)), told, cluster, alpha)


def rank_bounds(n: int, q: float, alpha: float, t_opt: float) -> tuple[int, int]:
    """Fewest and most of n numbers that may lie at or below their q quantile, at every n together.

    Raises:
        EvidenceError: n < 1, or an argument out of its range.

    Source: as `quantile_sequence`.
    """
    if n < 1:
        raise refusal("n >= 1", str(n), "rank_bounds", "wait for the first number")
    strength, refuted = best_strength(t_opt, share(alpha, "alpha", "rank_bounds")), -math.log(alpha)

    # The evidence has one valley over the counts, below zero at its floor beside n q.
    centre = round(n * q)

    def kept(count: int) -> bool:
        return float(log_evidence(count, n, q, strength)) < refuted

    fewest = centre - _last(lambda step: kept(centre - step), centre)
    return fewest, centre + _last(lambda step: kept(centre + step), n - centre)


def _last(holds: Callable[[int], bool], end: int) -> int:
    """The last of 0 to end for which it still holds, once it stops holding for good; it holds for 0."""
    first, after = 0, end + 1
    while after - first > 1:
        middle = (first + after) // 2
        first, after = (middle, after) if holds(middle) else (first, middle)
    return first
