"""Sums by groups of units, and intervals over them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.grouped import (
    GROUPS,
    GroupedSums,
    filled,
    group_of,
    linearised_error,
    mixed,
    ratio_influence,
    ratio_interval,
    sum_of_ratios,
)


def test_splitmix_meets_its_published_first_outputs() -> None:
    # Vigna's reference splitmix64.c: the first two outputs of the generator seeded with 1234567.
    golden = 0x9E3779B97F4A7C15
    seeds = np.array([1234567, (1234567 + golden) % 2**64], dtype=np.uint64)
    assert mixed(seeds).tolist() == [6457827717110365317, 3203168211198807973]


def test_salts_give_other_hashes() -> None:
    units = np.arange(1000, dtype=np.uint64)
    assert not (mixed(units, 1) == mixed(units, 2)).any()


def test_groups_are_filled_evenly() -> None:
    # 409,600 units, 100 a group; chi-square with 4,095 degrees stays within 5 standard deviations, sqrt(2 df) = 90.5.
    counts = np.bincount(group_of(np.arange(GROUPS * 100, dtype=np.uint64)), minlength=GROUPS)
    assert abs(float(((counts - 100) ** 2).sum()) / 100 - 4095) < 5 * 90.5


def test_columns_and_constants_are_summed_by_group() -> None:
    sums = GroupedSums(2)
    sums.update(np.array([5, 5, 7]), (np.array([1.0, 2.0, 4.0]), 1.0))
    assert sums.sums[[5, 7]].tolist() == [[3.0, 2.0], [4.0, 1.0]]
    assert sums.sums.sum() == 10
    assert sums.n == 3


def test_another_width_or_length_is_refused() -> None:
    sums = GroupedSums(2)
    with pytest.raises(EvidenceError, match="2 columns"):
        sums.update(np.array([1]), (np.ones(1),))
    with pytest.raises(EvidenceError, match="one entry per row"):
        sums.update(np.array([1]), (np.ones(2), 1.0))
    with pytest.raises(EvidenceError, match="2 columns"):
        sums.merge(GroupedSums(4))


def test_influence_sums_to_zero_and_gives_the_textbook_error_of_a_mean() -> None:
    x = np.array([1.0, 2.0, 4.0, 9.0])
    sums = np.stack([x, np.ones(4)], axis=1)
    assert ratio_influence(sums).sum() == pytest.approx(0)
    assert linearised_error(sums) == pytest.approx(x.std(ddof=1) / math.sqrt(4))


def test_the_error_of_a_ratio_is_cochrans() -> None:
    # Cochran (1977), 6.4: v(R) = sum (y - R x)^2 / (n (n - 1) mean(x)^2).
    y, x = np.array([3.0, 1.0, 4.0, 1.0, 5.0]), np.array([2.0, 1.0, 2.0, 3.0, 2.0])
    ratio = y.sum() / x.sum()
    by_hand = math.sqrt(((y - ratio * x) ** 2).sum() / (5 * 4 * x.mean() ** 2))
    assert linearised_error(np.stack([y, x], axis=1)) == pytest.approx(by_hand)


def test_two_ratios_are_added() -> None:
    assert sum_of_ratios(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(1.25)


def test_groups_without_anything_under_a_line_are_left_out() -> None:
    assert len(filled(np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))) == 1


@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_intervals_cover_the_mean_nineteen_times_in_twenty(law: str) -> None:
    # 400 runs: 380 expected, standard deviation 4.4; 362 is 4 of them below.
    rng, covered = np.random.default_rng(11), 0
    for run in range(400):
        x = rng.normal(1, 1, 200) if law == "normal" else rng.exponential(1, 200)
        ends = ratio_interval(np.stack([x, np.ones(200)], axis=1), seed=run)
        covered += ends.low <= 1 <= ends.high
    assert 362 <= covered <= 396


def test_two_units_or_more_are_needed() -> None:
    with pytest.raises(EvidenceError, match="two units or more"):
        ratio_interval(np.array([[1.0, 1.0]]))


def test_units_that_all_say_the_same_have_no_interval() -> None:
    ends = ratio_interval(np.ones((5, 2)))
    assert (ends.low, ends.value, ends.high) == (1, 1, 1)


def test_where_most_resamples_have_no_error_students_t_is_used() -> None:
    sums = np.zeros((3, 2))
    sums[:, 1] = 1
    sums[0, 0] = 1
    assert ratio_interval(sums).method.startswith("t over 3 groups")
