"""Intervals: hand-worked vectors, and what is refused at the door."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.evaluation import Sums, crossed_bootstrap, crossed_change, crossed_gain, relative_gain, t_interval


def rng() -> np.random.Generator:
    return np.random.default_rng(20260101)


def test_t_interval_equals_the_hand_worked_one() -> None:
    # 1..5: mean 3, sd sqrt(2.5), t(.975, 4) = 2.776445 (Student's table): radius 2.776445 * sqrt(.5) = 1.963243.
    found = t_interval(np.arange(1.0, 6.0), cluster="day")
    assert (found.value, found.n, found.ess, found.cluster) == (3.0, 5, 5.0, "day")
    assert found.low == pytest.approx(3 - 1.963243, abs=1e-6)
    assert found.high == pytest.approx(3 + 1.963243, abs=1e-6)


def test_one_sided_t_interval_spends_all_of_alpha_below() -> None:
    # t(.95, 4) = 2.131847.
    found = t_interval(np.arange(1.0, 6.0), one_sided=True)
    assert found.low == pytest.approx(3 - 2.131847 * math.sqrt(0.5), abs=1e-6)
    assert found.high == math.inf


@pytest.mark.parametrize(
    "x", [np.array([1.0]), np.array([]), np.array([1.0, math.nan]), np.array([1.0, math.inf]), np.ones((2, 2))]
)
def test_t_interval_refuses_what_cannot_carry_evidence(x: Floats) -> None:
    with pytest.raises(EvidenceError):
        t_interval(x)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan, -0.1])
def test_an_impossible_alpha_is_refused(alpha: float) -> None:
    with pytest.raises(EvidenceError, match="alpha"):
        t_interval(np.arange(3.0), alpha=alpha)
    with pytest.raises(EvidenceError, match="alpha"):
        relative_gain(np.arange(1.0, 4.0), np.arange(1.0, 4.0), rng(), alpha=alpha)


def test_one_seed_gives_the_hand_worked_linearised_t_interval() -> None:
    # Baseline 10, 20, 30 (mean 20), candidate 9, 16, 29 (mean 18): gain .1. Residuals .9 b - a: 0, 2, -2;
    # over mean baseline: 0, .1, -.1; sd .1, error .1 / sqrt(3); t(.975, 2) = 4.302653: radius .248414.
    found = relative_gain(np.array([10.0, 20, 30]), np.array([9.0, 16, 29]), rng(), cluster="week")
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1 - 0.248414, abs=1e-5)
    assert found.high == pytest.approx(0.1 + 0.248414, abs=1e-5)
    assert (found.method, found.cluster, found.n, found.ess) == ("t over clusters, df 2", "week", 3, 3.0)


def test_seeds_that_agree_leave_the_t_interval_as_it_is_over_clusters() -> None:
    baseline, candidate = np.array([10.0, 20, 30]), np.array([9.0, 16, 29])
    one = relative_gain(baseline, candidate, rng())
    three = crossed_bootstrap(baseline, np.stack([candidate] * 3), rng())
    assert (three.low, three.high) == pytest.approx((one.low, one.high))
    assert three.method == "t over clusters and seeds, df 2"


def test_seeds_that_differ_widen_the_interval_to_the_hand_worked_one() -> None:
    # Clusters all alike (no error over clusters); two seeds at 8 and 10 against 10: gain .1, error over seeds
    # sd(.2, 0) / sqrt(2) = .1, one degree of freedom, t(.975, 1) = 12.7062.
    baseline, candidate = np.full(4, 10.0), np.stack([np.full(4, 8.0), np.full(4, 10.0)])
    found = crossed_bootstrap(baseline, candidate, rng())
    assert found.value == pytest.approx(0.1)
    assert found.high - found.low == pytest.approx(2 * 12.7062 * 0.1, rel=1e-4)


def test_the_bootstrap_is_used_where_it_is_the_wider() -> None:
    # Interaction counts nearly threefold in the pigeonhole bootstrap and twice in the t interval.
    noise = np.random.default_rng(3).standard_normal((40, 40))
    noise -= noise.mean(axis=0) + noise.mean(axis=1, keepdims=True) - noise.mean()
    found = crossed_bootstrap(np.full(40, 100.0), 90 + 5 * noise, rng())
    assert found.method == "crossed bootstrap, percentile, 4000 draws"
    # Owen (2007): with interaction alone, variance about 1 / (SC) times its own, here (5 / 100)^2 / 1600.
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.05 / 40, rel=0.1)


def test_the_same_seed_gives_the_same_interval() -> None:
    noise = np.random.default_rng(3).standard_normal((40, 40))
    first, second = (crossed_bootstrap(np.full(40, 100.0), 90 + noise, rng()) for _ in range(2))
    assert first == second


def test_a_ratio_kpi_is_a_ratio_of_sums() -> None:
    before = Sums(np.array([1.0, 3.0]), np.array([10.0, 10.0]))
    after = Sums(np.array([[3.0, 3.0]]), np.array([[10.0, 20.0]]))
    assert crossed_gain(before, after, rng(), sign=1).value == pytest.approx(0.2 / 0.2 - 1)
    assert crossed_change(before, after, rng()).value == pytest.approx(6 / 30 - 4 / 20)


def test_the_sign_says_which_direction_is_better() -> None:
    before, after = np.array([10.0, 20, 30]), np.array([[9.0, 16, 29]])
    ones = np.ones(3)
    cost, value = (crossed_gain(Sums(before, ones), Sums(after, ones[None]), rng(), sign=s) for s in (-1, 1))
    assert (cost.value, cost.low, cost.high) == pytest.approx((-value.value, -value.high, -value.low))


def test_a_change_in_the_kpi_s_own_unit_is_the_hand_worked_one() -> None:
    # Differences 1, 2, 6 per cluster: mean 3, sd sqrt(7), t(.975, 2) = 4.302653: radius 6.572411.
    ones = np.ones(3)
    found = crossed_change(Sums(np.array([4.0, 5, 6]), ones), Sums(np.array([[5.0, 7, 12]]), ones[None]), rng())
    assert (found.value, found.high - 3) == pytest.approx((3.0, 6.572411), abs=1e-5)


def test_two_equal_runs_have_no_doubt_about_their_difference() -> None:
    same = np.array([4.0, 5, 6])
    found = crossed_bootstrap(same, np.stack([same, same]), rng())
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0))


@pytest.mark.parametrize(
    ("baseline", "candidate"),
    [
        (np.array([1.0]), np.array([[1.0]])),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0, 3.0]])),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (np.array([0.0, 0.0]), np.array([[1.0, 2.0]])),
        (np.array([-1.0, -2.0]), np.array([[1.0, 2.0]])),
        (np.array([1.0, math.nan]), np.array([[1.0, 2.0]])),
        (np.array([0.0, 1.0]), np.array([[1.0, 2.0]])),
    ],
)
def test_a_gain_that_cannot_be_stated_is_refused(
    baseline: Floats,
    candidate: Floats,
) -> None:
    with pytest.raises(EvidenceError):
        crossed_bootstrap(baseline, candidate, rng())


@pytest.mark.parametrize("below", [np.zeros(2), np.array([-1.0, 3.0])])
def test_a_denominator_of_nothing_is_refused(below: Floats) -> None:
    good = Sums(np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(EvidenceError, match="under the line"):
        crossed_change(Sums(np.ones(2), below), good, rng())


def test_a_ratio_that_vanishes_in_a_resample_is_refused() -> None:
    before = Sums(np.ones(2), np.array([0.0, 4.0]))
    after = Sums(np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(EvidenceError, match="resample"):
        crossed_change(before, after, rng())
