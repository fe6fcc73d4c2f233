"""Interquartile means and their intervals, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.training.race import interquartile_mean, score


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end() -> None:
    assert interquartile_mean(np.array([0.0, 1.0, 2.0, 99.0])) == 1.5
    assert interquartile_mean(np.array([-50.0, 0, 1, 2, 3, 4, 5, 90.0])) == 2.5


def test_of_three_seeds_all_count() -> None:
    assert interquartile_mean(np.array([0.0, 1.0, 5.0])) == 2.0


def test_three_seeds_give_an_interval_as_wide_as_their_range() -> None:
    found = score([np.array([0.1, 0.2, 0.6])])
    assert (found.low, found.high) == pytest.approx((0.1, 0.6))  # all three draws alike: 1 in 27 at either end
    assert found.value == pytest.approx(0.3)


def test_equal_seeds_leave_no_doubt() -> None:
    found = score([np.full(5, 0.25)])
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)


def test_strata_are_drawn_apart_so_that_their_distance_is_no_doubt() -> None:
    tasks = [np.zeros(4), np.ones(4)]
    apart, mixed = score(tasks), score([np.concatenate(tasks)])
    assert (apart.low, apart.high) == (0.5, 0.5)
    assert mixed.low < 0.3 < 0.7 < mixed.high


def test_equal_resampling_gives_equal_intervals() -> None:
    values = np.random.default_rng(0).normal(size=8)
    assert score([values]) == score([values])
    assert score([values]) != score([values], seed=1)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng, hits = np.random.default_rng(5), 0
    for _ in range(200):
        found = score([rng.normal(size=20)])
        hits += found.low <= 0 <= found.high
    assert 0.86 <= hits / 200 <= 0.99
