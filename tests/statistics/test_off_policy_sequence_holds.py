"""The off-policy report's sequence on importance-weighted rewards: honest from 1,000 units on, not from 200.

Weights of 25 come with one row in fifty. 1,000 streams to 20,000 rows, looked at 400 times at growing distances.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from tests.statistics.laws import ALLOWED, LAWS

from tenure.core.arrays import Bools
from tenure.evaluation.off_policy.valuation import FIRST_UNITS
from tenure.evaluation.sequences.boundaries import FIRST_LOOK, MOST_SKEWED, asymptotic_radius

STREAMS, STEPS, LOOKS = 1000, 20_000, 400
LAW = LAWS["importance-weighted up to 25"]


@cache
def missed() -> tuple[np.ndarray, Bools]:
    """Looks, and whether the interval missed at each; [looks], [looks, streams]."""
    looks = np.unique(np.geomspace(FIRST_LOOK, STEPS, LOOKS).astype(int))
    rng, parts = np.random.default_rng(20261122), []
    for _ in range(STREAMS // 100):
        x = LAW.draw(rng, (STEPS, 100))
        first, second, third = (np.cumsum(x**power, axis=0)[looks - 1] / looks[:, None] for power in (1, 2, 3))
        variance = np.maximum(second - first**2, 1e-12)
        skewness = (third - 3 * first * second + 2 * first**3) / variance**1.5
        unit = np.array([asymptotic_radius(int(n), 1.0) for n in looks])[:, None]
        parts.append((abs(first - LAW.mean) > unit * np.sqrt(variance)) & (abs(skewness) <= MOST_SKEWED))
    return looks, np.concatenate(parts, axis=1)


def test_from_a_thousand_units_on_it_holds_at_every_look_together() -> None:
    looks, miss = missed()
    assert miss[looks >= FIRST_UNITS].any(axis=0).sum() <= ALLOWED


def test_from_two_hundred_units_on_it_would_not() -> None:
    _, miss = missed()
    assert miss.any(axis=0).sum() > 2 * ALLOWED


def test_the_radius_is_proportional_to_the_spread() -> None:
    assert asymptotic_radius(500, 3.0) == pytest.approx(3 * asymptotic_radius(500, 1.0))
    assert math.isfinite(asymptotic_radius(STEPS, 1.0))
