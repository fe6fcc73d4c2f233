"""What happens at the bad end: the mean of the worst share, and quantiles with intervals."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import finite, share


def worst_share_mean(x: Floats, share: float = 0.05) -> float:
    """Mean of the largest entries, where larger is worse (conditional value at risk of a cost).

    Args:
        x: costs, any unit; [n].
        share: which share of them counts, rounded up to whole entries; in (0, 1].

    Raises:
        EvidenceError: no entry, NaN or infinity, or an impossible share.

    Source: Rockafellar and Uryasev (2000), empirical form.

    >>> worst_share_mean(np.arange(1.0, 101.0), 0.05)
    98.0
    """
    x = finite(x, "worst_share_mean(x)", at_least=1)
    if not 0 < share <= 1:
        raise EvidenceError(
            expected="share in (0, 1]", found=str(share), where="worst_share_mean", fix="0.05 reads the worst 5 %"
        )
    count = max(1, math.ceil(share * len(x) - 1e-9))
    return float(np.sort(x)[-count:].mean())


def quantile_interval(x: Floats, q: float, alpha: float = 0.05, cluster: str = "row") -> Estimate:
    """A quantile with the interval between two order statistics; exact whatever the distribution.

    Args:
        x: independent numbers, any unit; [n].
        q: which quantile, in (0, 1).
        alpha: error rate, half of it on each side at most; in (0, 1).
        cluster: what one entry of `x` is.

    Raises:
        EvidenceError: NaN, q or alpha out of range, or too few entries for any such interval.

    Source: Conover (1999), Practical Nonparametric Statistics, section 3.2.
    """
    where = "quantile_interval"
    x = np.sort(finite(x, f"{where}(x)"))
    n, q, tail = len(x), share(q, "q", where), share(alpha, "alpha", where) / 2
    below = stats.binom.cdf(np.arange(n + 1), n, q)
    # Ranks counted from 1: the lower one may lie above the quantile, the upper one below it, by chance `tail` each.
    lower = int(np.searchsorted(below, tail, side="right"))
    upper = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    if lower < 1 or upper > n:
        raise EvidenceError(
            expected=f"enough entries to bound the {q:g} quantile on both sides",
            found=f"n = {n}",
            where=where,
            fix=f"collect about {_enough(q, tail)} or more",
        )
    value = float(np.quantile(x, q, method="inverted_cdf"))
    low, high = float(x[lower - 1]), float(x[upper - 1])
    return Estimate(value, low, high, n, float(n), f"order statistics {lower} and {upper}", cluster, alpha)


def _enough(q: float, tail: float) -> int:
    return math.ceil(math.log(tail) / math.log(max(q, 1 - q)))
