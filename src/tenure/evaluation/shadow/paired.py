"""Candidate against incumbent on the same decisions: a KPI's change, row by row and with its interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.core.logged import Hashes
from tenure.core.reward import KPI
from tenure.evaluation.checks import refusal
from tenure.evaluation.grouped import GroupedSums, filled, group_of, linearised_error, sum_of_ratios

Signals = Mapping[str, Floats]


def linearised(sums: Floats, alpha: float, *, cluster: str, n: int) -> Estimate:
    """A sum of ratios with Student's t interval on its linearised error over groups of clusters.

    Args:
        sums: columns a_1, b_1, a_2, b_2, ... of every group; [groups, 2 k].
        alpha: error rate, in (0, 1).
        cluster: what a cluster is.
        n: rows behind it.

    Raises:
        EvidenceError: fewer than two groups with rows, or nothing under a line.

    Source: Cochran (1977), section 6.4; random groups, Wolter (2007), chapter 2.
    """
    rows = filled(sums)
    total = rows.sum(axis=0)
    if len(rows) < 2 or not (total[1::2] > 0).all():
        raise refusal("two clusters or more, and something to divide by", str(len(rows)), "paired", "collect more")
    value, error = float(sum_of_ratios(total)), linearised_error(rows)
    radius = float(stats.t.ppf(1 - alpha / 2, len(rows) - 1)) * error
    method = f"t over {len(rows)} groups of {cluster}s, linearised"
    return Estimate(value, value - radius, value + radius, n, float(len(rows)), method, cluster, alpha)


def change(
    kpi: KPI, before: Signals, after: Signals, cluster: Hashes, alpha: float, *, name: str, weight: Floats | None = None
) -> Estimate:
    """Change of a KPI, candidate minus incumbent, in its own unit.

    Args:
        kpi: which one.
        before: the incumbent's signals; [n] each.
        after: the candidate's, on the same decisions; [n] each.
        cluster: hash of the independent unit of each row; [n].
        alpha: error rate, in (0, 1).
        name: what a cluster is.
        weight: what each row of `after` stands for: target over logged probability, where `after` is the log itself
            (self-normalised, Swaminathan and Joachims 2015); one without; [n].

    Raises:
        EvidenceError: fewer than two clusters, or nothing under the line.
    """
    w: Floats | float = 1.0 if weight is None else weight
    above, below = w * kpi.numerator(after), w * kpi.denominator(after)
    sums = GroupedSums(4)
    sums.update(group_of(cluster), (above, below, -kpi.numerator(before), kpi.denominator(before)))
    return linearised(sums.sums, alpha, cluster=name, n=len(cluster))


def differences(kpi: KPI, before: Signals, after: Signals, weight: Floats | None = None) -> Floats:
    """What each row adds to the change of a KPI: their mean is the change itself; [n].

    With R = A / B the incumbent's ratio, a row's part is (a' - R b') - (a - R b), in units of the mean b'.

    Args:
        kpi, before, after, weight: as `change`.

    Raises:
        EvidenceError: nothing under the line.

    Source: linearisation of a ratio, Cochran (1977), section 6.4; exact here, as sum(a - R b) = 0.
    """
    w = np.ones(len(kpi.numerator(before))) if weight is None else weight
    a, b = kpi.numerator(before), kpi.denominator(before)
    above, below = w * kpi.numerator(after), w * kpi.denominator(after)
    if not b.sum() > 0 or not below.sum() > 0:
        raise refusal("something to divide by", f"{b.sum():g} and {below.sum():g}", "differences", "collect more")
    ratio = a.sum() / b.sum()
    return np.asarray(((above - ratio * below) - (a - ratio * b)) / below.mean())
