"""How far one column of numbers tells another, whatever the shape of what joins them."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats
from tenure.design.starting.table import is_known

BINS, LEVELS = 32, 50
"""Groups of a column's values: each value where there are at most so many, else bins of equal size."""
FEWEST = 30
"""Rows below which near-perfect dependence is chance."""


def explained(x: Floats, y: Floats) -> float:
    """Share of the variance of y that lies between groups of x, corrected for their number; at most 1.

    Args:
        x: numbers; [n].
        y: numbers; [n].

    Source: the correlation ratio of Pearson (1905), with Kelley's (1935) correction.
    """
    known = is_known(x) & is_known(y)
    x, y = x[known], y[known]
    n, levels = len(x), np.unique(x)
    if len(levels) > LEVELS:
        levels = np.unique(np.quantile(x, np.arange(BINS) / BINS))
    group = np.searchsorted(levels, x, side="right")
    k, total = len(np.unique(group)), float(((y - y.mean()) ** 2).sum()) if n else 0.0
    if n < FEWEST or n < 5 * k or not total:
        return 0.0
    mean = np.bincount(group, y) / np.maximum(np.bincount(group), 1)
    within = float(((y - mean[group]) ** 2).sum())
    return 1 - within / (n - k) / (total / (n - 1))


def separates(x: Floats, y: Floats) -> float:
    """How well x tells the two values of y apart: the area under the ROC curve or its mirror, from 0.5 to 1.

    Source: Mann and Whitney (1947), ties counted half.
    """
    from scipy.stats import rankdata

    known = is_known(x) & is_known(y)
    x, yes = x[known], y[known] == y[known].max(initial=-np.inf)
    positive, negative = int(yes.sum()), int((~yes).sum())
    if min(positive, negative) < 5 or positive + negative < FEWEST:
        return 0.5
    area = (rankdata(x)[yes].sum() - positive * (positive + 1) / 2) / (positive * negative)
    return float(max(area, 1 - area))
