"""Each variation of a history keeps what it says it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.simulators.replay import bootstrap_days, of_days, scaled, smoothed, warped

PER_DAY, DAYS = 6, 140
ERROR = 1e-6
"""Rate at which a statistical test below would fail though the code is right."""


def history(seed: int = 0) -> Ints:
    """Counts with a week's season, an hour's season and days that lean on the day before; [840, 2]."""
    rng = np.random.default_rng(seed)
    luck = np.zeros(DAYS)
    for day in range(1, DAYS):
        luck[day] = 0.6 * luck[day - 1] + rng.normal(0, 0.15)
    level = np.exp(luck) * (1 + 0.5 * (np.arange(DAYS) % 7 >= 5))
    hours = np.array([1, 2, 6, 8, 5, 2])
    return rng.poisson(5 * level[:, None, None] * hours[:, None], (DAYS, PER_DAY, 2)).reshape(-1, 2)


WEEKDAY = np.arange(DAYS) % 7


def replicas(statistic: Any, n: int = 400, block: float = 3.0) -> Floats:
    """A statistic of n bootstrapped histories."""
    found = []
    for seed in range(n):
        source = bootstrap_days(WEEKDAY, np.random.default_rng(seed), block)
        found.append(statistic(of_days(history(), source, PER_DAY)))
    return np.array(found)


@given(st.integers(0, 2**32), st.floats(1, 20), st.none() | st.integers(0, 30))
def test_every_day_is_taken_from_its_own_weekday_and_season(seed: int, block: float, within: int | None) -> None:
    source = bootstrap_days(WEEKDAY, np.random.default_rng(seed), block, within)
    assert np.array_equal(WEEKDAY[source], WEEKDAY)
    assert within is None or (np.abs(source - np.arange(DAYS)) <= within).all()


def test_without_any_choice_a_history_is_itself() -> None:
    source = bootstrap_days(WEEKDAY, np.random.default_rng(0), within=6)
    assert source.tolist() == list(range(DAYS))
    assert np.array_equal(of_days(history(), source, PER_DAY), history())


def test_whole_days_are_taken_so_what_depends_within_a_day_stays() -> None:
    source = bootstrap_days(WEEKDAY, np.random.default_rng(1))
    days = of_days(history(), source, PER_DAY).reshape(DAYS, PER_DAY, 2)
    assert np.array_equal(days, history().reshape(DAYS, PER_DAY, 2)[source])


def test_blocks_are_as_long_as_stated() -> None:
    # Every day of the past has a next one of the right weekday but the last; a block ends with probability 1/4, and a
    # new one happens to go on where the old one was with probability 1/20 (20 days of each weekday).
    joined = []
    for seed in range(200):
        source = bootstrap_days(WEEKDAY, np.random.default_rng(seed), block=4.0)
        joined.extend((np.diff(source) == 1)[source[:-1] < DAYS - 1])
    share = 3 / 4 + 1 / 4 * 1 / 20
    assert stats.binomtest(int(sum(joined)), len(joined), share).pvalue > ERROR


def test_the_mean_of_every_weekdays_hour_is_kept() -> None:
    # A day is drawn evenly from its weekday's once blocks forget their start, so the mean over replicas is the past's;
    # a weekend's level is half as much again, so days of another kind would move it by far more than 3 %.
    def profile(values: Ints) -> Floats:
        return np.asarray(values.reshape(-1, 7, PER_DAY, 2)[5:].mean(axis=(0, 3)))

    truth, found = history().reshape(-1, 7, PER_DAY, 2).mean(axis=(0, 3)), replicas(profile)
    assert np.abs(found.mean(axis=0) / truth - 1).max() < 0.03


def test_the_variance_of_days_and_their_dependence_within_blocks_are_kept() -> None:
    def after_season(values: Ints) -> Floats:
        totals = values.reshape(DAYS, -1).sum(axis=1).astype(float)
        past = history().reshape(DAYS, -1).sum(axis=1)
        return np.array([totals[day] / past[WEEKDAY[day] == WEEKDAY].mean() for day in range(DAYS)])

    def autocorrelation(values: Ints) -> float:
        rest = after_season(values)
        return float(np.corrcoef(rest[:-1], rest[1:])[0, 1])

    truth = autocorrelation(history())
    assert truth > 0.4
    blocks, singles = replicas(autocorrelation, 100, block=7.0), replicas(autocorrelation, 100, block=1.0)
    assert blocks.mean() > 0.65 * truth
    assert abs(singles.mean()) < 0.1
    variance = replicas(lambda values: after_season(values).var(), 100)
    assert variance.mean() == pytest.approx(after_season(history()).var(), rel=0.1)


def test_scaling_multiplies_the_mean_and_keeps_whole_counts() -> None:
    counts = np.full((20_000, 2), 3)
    found = scaled(counts, 1.25, np.random.default_rng(0))
    assert set(np.unique(found)) == {3, 4}
    assert stats.binomtest(int((found == 4).sum()), found.size, 0.75).pvalue > ERROR
    assert np.array_equal(scaled(history(), 1.0, np.random.default_rng(0)), history())
    assert not scaled(counts, 0.0, np.random.default_rng(0)).any()


def test_scaling_takes_a_factor_per_unit_or_per_step() -> None:
    counts, rng = np.full((4, 2), 10), np.random.default_rng(0)
    assert scaled(counts, np.array([1.0, 2.0]), rng)[0].tolist() == [10, 20]
    assert scaled(counts, np.array([[1.0], [2.0], [3.0], [0.0]]), rng)[:, 0].tolist() == [10, 20, 30, 0]


def test_smoothing_takes_the_mean_with_the_period_before_and_after() -> None:
    counts = np.array([[3], [0], [6], [3], [9], [0]])
    means = np.mean([smoothed(counts, 2, np.random.default_rng(seed))[:, 0] for seed in range(20_000)], axis=0)
    assert means == pytest.approx([4.5, 1.5, 6.0, 1.0, 7.5, 1.5], abs=0.03)
    assert smoothed(history(), 7 * PER_DAY, np.random.default_rng(0)).std() < history().std()


@given(st.integers(0, 2**32), st.floats(0, 10))
def test_warping_keeps_every_units_total_of_every_day_and_no_count_falls_below_nothing(seed: int, sd: float) -> None:
    found = warped(history(), PER_DAY, sd, np.random.default_rng(seed))
    assert found.min() >= 0
    assert np.array_equal(found.reshape(DAYS, PER_DAY, 2).sum(axis=1), history().reshape(DAYS, PER_DAY, 2).sum(axis=1))


def test_warping_by_nothing_changes_nothing_and_by_more_changes_more() -> None:
    rng = np.random.default_rng
    assert np.array_equal(warped(history(), PER_DAY, 0.0, rng(0)), history())
    little, much = (np.abs(warped(history(), PER_DAY, sd, rng(0)) - history()).mean() for sd in (0.1, 1.0))
    assert 0 < little < much


def test_a_warped_clock_is_the_one_worked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # Four steps, knots at 1, 2, 3 moved to 2, 2, 4: the new day's first step holds the old one's first two, then none,
    # then the last two, then none.
    class Moves:
        def standard_normal(self, shape: tuple[int, int]) -> Floats:
            return np.array([[1.0, 0.0, 1.0]])

    counts = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    moves: Any = Moves()
    assert warped(counts, 4, 1.0, moves).tolist() == [[3, 30], [0, 0], [7, 70], [0, 0]]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda rng: bootstrap_days(np.zeros(0, int), rng), r"at least one day.*found \(0,\) days"),
        (lambda rng: bootstrap_days(WEEKDAY, rng, block=0.5), "block=0.5"),
        (lambda rng: bootstrap_days(WEEKDAY, rng, within=-1), "within=-1"),
        (lambda rng: of_days(history()[1:], WEEKDAY, PER_DAY), "whole days of 6 steps; found 839 steps"),
        (lambda rng: of_days(history(), np.array([140]), PER_DAY), "days within 0 to 139; found 140 to 140"),
        (lambda rng: scaled(history(), -1.0, rng), "factors of at least 0; found -1.0"),
        (lambda rng: smoothed(history(), 421, rng), "a period of 1 to 420 steps; found 421"),
        (lambda rng: warped(history()[1:], PER_DAY, 1.0, rng), r"whole days of 6 steps; found shape \(839, 2\)"),
        (lambda rng: warped(history(), PER_DAY, float("nan"), rng), "an sd of at least 0; found nan"),
    ],
)
def test_what_cannot_be_varied_is_refused(make: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make(np.random.default_rng(0))
