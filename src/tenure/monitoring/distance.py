"""How far two samples lie apart: Kolmogorov-Smirnov for numbers, population stability for labels."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats

HALF = 0.5
"""Rows added to every label's count, so that one nobody chose is rare and not impossible."""


def ks_distance(one: Floats, other: Floats) -> float:
    """Largest gap between two distribution functions, in [0, 1]; [n] and [m], n, m >= 1.

    Source: Smirnov (1939); two-sample form as in `scipy.stats.ks_2samp`.

    >>> ks_distance(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    one, other = np.sort(one), np.sort(other)
    at = np.concatenate([one, other])
    gaps = np.searchsorted(one, at, side="right") / len(one) - np.searchsorted(other, at, side="right") / len(other)
    return float(np.abs(gaps).max())


def psi(one: Floats, other: Floats) -> float:
    """Population stability index of two rows of counts over the same labels; >= 0, 0 where shares are equal.

    sum (p - q) ln(p / q) over labels: the symmetric Kullback-Leibler divergence (Kullback and Leibler 1951).

    >>> round(psi(np.array([50.0, 50.0]), np.array([90.0, 10.0])), 2)
    0.85
    """
    kept = (one + other) > 0
    p, q = one[kept] + HALF, other[kept] + HALF
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum())
