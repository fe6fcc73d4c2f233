"""Distances of two samples, against their definition, SciPy and by hand; a sample does not depend on its batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tenure.monitoring.distance import ks_distance, psi
from tenure.monitoring.sample import Sample

NUMBERS = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(NUMBERS, NUMBERS)
def test_the_kolmogorov_smirnov_distance_is_the_largest_gap_of_shares_at_any_value(
    one: list[int], other: list[int]
) -> None:
    gaps = [abs(_share(one, x) - _share(other, x)) for x in range(10)]
    assert ks_distance(np.array(one, dtype=float), np.array(other, dtype=float)) == pytest.approx(max(gaps))


def test_it_is_scipys_distance() -> None:
    one, other = np.sin(np.arange(50.0)), np.cos(np.arange(40.0)) + 0.2
    assert ks_distance(one, other) == pytest.approx(float(stats.ks_2samp(one, other).statistic))


def _share(values: list[int], upto: int) -> float:
    return sum(value <= upto for value in values) / len(values)


def test_population_stability_by_hand() -> None:
    """(.25 - .5) ln .5 + (.75 - .5) ln 1.5, on counts so large that half a row is nothing."""
    found = psi(np.array([0.25e6, 0.75e6, 0.0]), np.array([0.5e6, 0.5e6, 0.0]))
    assert found == pytest.approx(-0.25 * math.log(0.5) + 0.25 * math.log(1.5), rel=1e-4)


def test_a_label_nobody_chose_before_is_far_and_not_infinitely_far() -> None:
    assert 1.0 < psi(np.array([100.0, 0.0]), np.array([50.0, 50.0])) < 10.0


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 8))
def test_a_sample_does_not_depend_on_its_batches(sizes: list[int], most: int) -> None:
    values = np.arange(float(sum(sizes)))[:, None]
    whole, parts = Sample(1, most), Sample(1, most)
    whole.update(values)
    for part in np.split(values, np.cumsum(sizes)):
        parts.update(part)
    assert whole.rows.tolist() == parts.rows.tolist()
    assert len(whole.rows) <= 2 * most
    assert len(whole.rows) >= min(most, len(values))
