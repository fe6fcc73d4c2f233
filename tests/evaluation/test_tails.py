"""Tails: order statistics against published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation import quantile_interval, worst_share_mean


def test_the_worst_share_is_the_mean_of_the_largest_entries() -> None:
    x = np.random.default_rng(1).permutation(np.arange(1.0, 101.0))
    assert worst_share_mean(x) == 98.0
    assert worst_share_mean(x, 0.2) == 90.5
    assert worst_share_mean(x, 1.0) == 50.5


def test_the_worst_share_of_few_entries_is_at_least_one() -> None:
    assert worst_share_mean(np.array([3.0, 1.0, 2.0]), 0.05) == 3.0
    assert worst_share_mean(np.array([3.0, 1.0, 2.0]), 0.34) == 2.5


@pytest.mark.parametrize(
    ("x", "share"), [([], 0.05), ([math.nan], 0.05), ([1.0], 0.0), ([1.0], 1.1), ([1.0], math.nan)]
)
def test_the_worst_share_refuses_nothing_and_nonsense(x: list[float], share: float) -> None:
    with pytest.raises(EvidenceError):
        worst_share_mean(np.array(x), share)


# Ranks of the distribution-free 95 % interval for a median (Conover 1999, table A3 as commonly tabulated).
@pytest.mark.parametrize(("n", "ranks"), [(6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (25, (8, 18)), (30, (10, 21))])
def test_the_median_lies_between_the_tabulated_ranks(n: int, ranks: tuple[int, int]) -> None:
    found = quantile_interval(np.arange(1.0, n + 1)[::-1], 0.5, cluster="trip")
    assert (found.low, found.high, found.n) == (*ranks, n)
    assert found.cluster == "trip"


def test_a_high_quantile_needs_enough_entries_on_both_sides() -> None:
    # P(all 72 below the .95 quantile) = .95^72 = .0249 <= .025 < .95^71.
    with pytest.raises(EvidenceError, match="72"):
        quantile_interval(np.arange(71.0), 0.95)
    found = quantile_interval(np.arange(1.0, 73.0), 0.95)
    assert found.high == 72
    assert found.low < found.value == 69


def test_a_median_of_five_has_no_such_interval() -> None:
    with pytest.raises(EvidenceError, match="n = 5"):
        quantile_interval(np.arange(5.0), 0.5)


@pytest.mark.parametrize("q", [0.0, 1.0, math.nan])
def test_an_impossible_quantile_is_refused(q: float) -> None:
    with pytest.raises(EvidenceError, match="q in"):
        quantile_interval(np.arange(100.0), q)
