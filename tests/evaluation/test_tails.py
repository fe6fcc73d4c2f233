"""Tails: order statistics against published tables, bounds worked by hand and beside Brown's, shares and segments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.evaluation import quantile_interval, worst_share_mean
from tenure.evaluation.tails import by_segment, share_beyond, worst_share_interval


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


def test_the_bounds_of_the_worst_share_worked_by_hand() -> None:
    # x = 1, 2, 3, 4 in [0, 6], worst 3/4; alpha = 2 / e^2, so the slack is sqrt(2 / 8) = 1/2.
    # value: the mean of 2, 3 and 4.
    # upper: 6 - 4/3 [0 + 0 + (4 - 3)(3/4 - 1/2 - 1/4) + (6 - 4)(1 - 1/2 - 1/4)] = 6 - 4/3 * 1/2 = 5.333333.
    # lower: 4 - 4/3 [(1 - 0)(1/2 - 1/4) + (3/4 - 1/4) + (1 - 1/4) + (1 - 1/4)] = 4 - 4/3 * 9/4 = 1.
    found = worst_share_interval(np.array([3.0, 1.0, 4.0, 2.0]), 0.75, 0.0, 6.0, 2 / math.e**2)
    assert (found.value, found.n) == (3.0, 4)
    assert found.high == pytest.approx(16 / 3, abs=1e-12)
    assert found.low == pytest.approx(1.0, abs=1e-12)


def test_the_worst_share_counts_its_edge_in_part() -> None:
    # Worst 30 % of four: 4 whole (.25), 3 with .05: (1 + .15) / .3.
    assert worst_share_interval(np.arange(1.0, 5.0), 0.3, 0.0, 6.0).value == pytest.approx(1.15 / 0.3)


def test_an_unknown_limit_leaves_its_side_open_only_where_it_matters() -> None:
    x = np.random.default_rng(1).normal(size=2000)
    found = worst_share_interval(x, 0.2, -math.inf, math.inf)
    assert found.high == math.inf
    assert found.low == worst_share_interval(x, 0.2, -1000.0, 1000.0).low
    assert worst_share_interval(x[:2], 0.2, -math.inf, 10.0).low == -math.inf


def brown(x: Floats, worst: float, least: float, most: float, alpha: float) -> tuple[float, float]:
    """Brown (2007), as restated by Thomas and Learned-Miller (2019), theorems 1 and 2, each at alpha / 2."""
    # The empirical value in its other form, min over t of t + mean (x - t)+ / s, attained at an entry.
    value = min(float(t + np.maximum(x - t, 0).mean() / worst) for t in x)
    up = (most - least) * math.sqrt(5 * math.log(6 / alpha) / (worst * len(x)))
    down = (most - least) / worst * math.sqrt(math.log(2 / alpha) / (2 * len(x)))
    return value - down, value + up


LAWS = {
    "uniform": lambda rng, n: rng.random(n),
    "beta(2, 5)": lambda rng, n: rng.beta(2, 5, n),
    "beta(.5, 5)": lambda rng, n: rng.beta(0.5, 5, n),
    "two points": lambda rng, n: (rng.random(n) < 0.03) * 0.9,
}


@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("worst", [0.05, 0.3])
def test_the_bounds_are_never_looser_than_browns(law: str, n: int, worst: float) -> None:
    x = LAWS[law](np.random.default_rng(2), n)
    found, (low, high) = worst_share_interval(x, worst, 0.0, 1.0), brown(x, worst, 0.0, 1.0, 0.05)
    assert found.low > low
    assert found.high < high
    assert found.value == pytest.approx(low + math.sqrt(math.log(40) / (2 * n)) / worst)


@pytest.mark.parametrize(("law", "truth"), [("uniform", 0.95), ("two points", 0.27)])
def test_the_bounds_of_the_worst_tenth_hold(law: str, truth: float) -> None:
    rng, missed = np.random.default_rng(3), 0
    for _ in range(1000):
        found = worst_share_interval(LAWS[law](rng, 300), 0.1, 0.0, 1.0)
        missed += not found.low <= truth <= found.high
    assert missed <= 66


@pytest.mark.parametrize(
    ("x", "worst", "least", "most", "alpha"),
    [
        ([], 0.1, 0.0, 1.0, 0.05),
        ([math.nan], 0.1, 0.0, 1.0, 0.05),
        ([0.5], 0.0, 0.0, 1.0, 0.05),
        ([0.5], 1.0, 0.0, 1.0, 0.05),
        ([0.5], 0.1, 0.6, 1.0, 0.05),
        ([0.5], 0.1, 0.0, 0.4, 0.05),
        ([0.5], 0.1, math.nan, 1.0, 0.05),
        ([0.5], 0.1, 0.0, 1.0, 1.0),
    ],
)
def test_impossible_bounds_are_refused(x: list[float], worst: float, least: float, most: float, alpha: float) -> None:
    with pytest.raises(EvidenceError):
        worst_share_interval(np.array(x), worst, least, most, alpha)


# Clopper-Pearson 95 % limits for 0, 1 and 10 of 10 and 5 of 20; 0 and all in closed form, 1 - (.025)^(1/10).
@pytest.mark.parametrize(
    ("beyond", "n", "low", "high"),
    [(0, 10, 0.0, 0.3084971), (1, 10, 0.0025286, 0.4450161), (10, 10, 0.6915029, 1.0), (5, 20, 0.0865715, 0.4910459)],
)
def test_the_share_beyond_a_limit_has_the_exact_interval(beyond: int, n: int, low: float, high: float) -> None:
    x = np.where(np.arange(n) < beyond, 7.5, 7.0)
    found = share_beyond(x, 7.0, cluster="trip")
    assert (found.value, found.n, found.cluster) == (beyond / n, n, "trip")
    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)


def test_an_impossible_limit_or_an_empty_column_is_refused() -> None:
    with pytest.raises(EvidenceError, match="limit"):
        share_beyond(np.ones(3), math.nan)
    with pytest.raises(EvidenceError):
        share_beyond(np.zeros(0), 1.0)
    with pytest.raises(EvidenceError, match="alpha"):
        share_beyond(np.ones(3), 1.0, 0.0)


def late(x: Floats, alpha: float) -> Estimate:
    return quantile_interval(x, 0.5, alpha)


def test_segments_share_the_error_rate_and_small_ones_keep_their_row() -> None:
    x, labels = np.arange(1.0, 47.0), ["night"] * 20 + ["day"] * 20 + ["fair"] * 6
    day, fair, night = by_segment(x, labels, late)
    assert (day.segment, fair.segment, night.segment) == ("day", "fair", "night")
    assert (day.n, fair.n, night.n) == (20, 6, 20)
    assert night.estimate == quantile_interval(np.arange(1.0, 21.0), 0.5, 0.05 / 3)
    assert day.estimate == quantile_interval(np.arange(21.0, 41.0), 0.5, 0.05 / 3)
    # Six entries bound a median at .05, not at a third of it.
    assert fair.estimate is None
    assert "n = 6" in fair.reason


def test_intervals_of_all_segments_hold_together() -> None:
    rng, missed = np.random.default_rng(4), 0
    labels = np.repeat([str(number) for number in range(8)], 60).tolist()
    for _ in range(150):
        rows = by_segment(rng.random(480), labels, lambda x, alpha: share_beyond(x, 0.8, alpha))
        missed += any(not (row.estimate and row.estimate.low <= 0.2 <= row.estimate.high) for row in rows)
    # 15 of 150 or more happen about once in 100 at exactly 5 %.
    assert missed < 15


def test_segments_without_rows_or_of_another_length_are_refused() -> None:
    with pytest.raises(EvidenceError):
        by_segment(np.zeros(0), [], late)
    with pytest.raises(EvidenceError, match="segment: 1"):
        by_segment(np.ones(2), ["a"], late)
    with pytest.raises(EvidenceError, match="alpha"):
        by_segment(np.ones(2), ["a", "b"], late, 1.0)
