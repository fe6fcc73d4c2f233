"""What happens at the bad end: the mean of the worst share, quantiles, and how often a limit is passed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import finite, refusal, same_length, share


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


def worst_share_interval(
    x: Floats, worst: float, least: float, most: float, alpha: float = 0.05, cluster: str = "row"
) -> Estimate:
    """Conditional value at risk of a cost, with bounds that hold whatever the distribution.

    Args:
        x: independent costs, larger is worse, any unit; [n].
        worst: which share of them counts, in (0, 1).
        least: the smallest cost there can be, known beforehand; -inf where none is known.
        most: the largest; inf where none is known, and the upper bound is then inf too.
        alpha: error rate, half of it on each side; in (0, 1).
        cluster: what one entry of `x` is.

    Returns:
        The empirical value (a whole share: the entry at its edge counts in part) with its bounds.

    Raises:
        EvidenceError: NaN, costs beyond `least` or `most`, or an impossible share or alpha.

    Source: Thomas and Learned-Miller (2019), ICML, theorems 3 (upper) and 4 (lower), each at alpha / 2.
    """
    where = "worst_share_interval"
    x = np.sort(finite(x, f"{where}(x)", at_least=1))
    share(worst, "worst", where)
    if not least <= x[0] <= x[-1] <= most:
        found = f"costs from {x[0]:g} to {x[-1]:g}"
        raise refusal(f"costs in [{least:g}, {most:g}]", found, where, "state the limits of the cost itself")
    below = np.arange(len(x) + 1) / len(x)
    slack = math.sqrt(math.log(2 / share(alpha, "alpha", where)) / (2 * len(x)))
    steps = np.concatenate([[least], x, [most]])
    value = _worst_mean(steps[1:-1], below[1:-1], worst)
    high = _worst_mean(steps[1:], below[1:] - slack, worst)
    low = _worst_mean(steps[:-1], np.minimum(1.0, below[:-1] + slack), worst)
    n = len(x)
    return Estimate(value, low, high, n, float(n), f"DKW bounds on the worst {worst:.3g}", cluster, alpha)


def _worst_mean(z: Floats, below: Floats, worst: float) -> float:
    """z_n - 1/s sum_i (z_{i+1} - z_i) (F_i - (1 - s))^+; points [m], distribution between them [m - 1]."""
    part = np.maximum(below - (1 - worst), 0.0)
    # A gap without weight may be endless where the least cost is not known.
    with np.errstate(invalid="ignore"):
        gaps = np.where(part > 0, np.diff(z) * part, 0.0)
    if math.isinf(z[-1]):
        return math.inf
    return float(z[-1] - gaps.sum() / worst)


def share_beyond(x: Floats, limit: float, alpha: float = 0.05, cluster: str = "row") -> Estimate:
    """Share of decisions whose cost exceeds a limit, with an exact interval.

    Args:
        x: independent costs, larger is worse, any unit; [n].
        limit: in the same unit; a cost equal to it is within.
        alpha: error rate, half of it on each side at most; in (0, 1).
        cluster: what one entry of `x` is.

    Raises:
        EvidenceError: no entry, NaN, or an impossible limit or alpha.

    Source: Clopper and Pearson (1934).
    """
    where = "share_beyond"
    x = finite(x, f"{where}(x)", at_least=1)
    if math.isnan(limit):
        raise refusal("a limit", "NaN", f"{where}(limit)", "state it in the cost's unit")
    beyond, n = int((x > limit).sum()), len(x)
    exact = stats.binomtest(beyond, n).proportion_ci(1 - share(alpha, "alpha", where), "exact")
    return Estimate(beyond / n, float(exact.low), float(exact.high), n, float(n), "Clopper-Pearson", cluster, alpha)


@dataclass(frozen=True)
class SegmentTail:
    """A figure of one segment, or why there is none: `estimate` is None then."""

    segment: str
    n: int
    estimate: Estimate | None
    reason: str = ""


def by_segment(
    x: Floats, segment: Sequence[str], measure: Callable[[Floats, float], Estimate], alpha: float = 0.05
) -> tuple[SegmentTail, ...]:
    """The same figure in every segment, with intervals that hold together.

    Args:
        x: independent costs; [n].
        segment: label of each; [n].
        measure: a figure of this module from costs and an error rate, such as
            `lambda x, a: quantile_interval(x, 0.95, a)`.
        alpha: error rate of all intervals together, in (0, 1); each gets an equal part of it.

    Returns:
        One row per segment, by label; a segment too small for the figure keeps its row, with the reason.

    Raises:
        EvidenceError: no entry, NaN, columns of different lengths, or an impossible alpha.

    Source: Bonferroni; Dunn (1961).
    """
    x = finite(x, "by_segment(x)", at_least=1)
    same_length("by_segment", x=len(x), segment=len(segment))
    labels, place = np.unique(np.asarray(segment, dtype=str), return_inverse=True)
    each = share(alpha, "alpha", "by_segment") / len(labels)
    return tuple(_tail(str(label), x[place == number], measure, each) for number, label in enumerate(labels))


def _tail(label: str, x: Floats, measure: Callable[[Floats, float], Estimate], alpha: float) -> SegmentTail:
    try:
        return SegmentTail(label, len(x), measure(x, alpha))
    except EvidenceError as error:
        return SegmentTail(label, len(x), None, f"{error.found}: {error.fix}")


def _enough(q: float, tail: float) -> int:
    return math.ceil(math.log(tail) / math.log(max(q, 1 - q)))
