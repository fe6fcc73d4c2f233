"""What is usual at an hour of the week, what the hours before say of the next, and sums that grow only on a change."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.monitoring.past import SLACK, TOUCHY, Changes, Usual, limit_of

ONE = np.ones(1, dtype=bool)


def taught(values: np.ndarray) -> tuple[Usual, np.ndarray]:
    """One figure shown hour by hour; its scores."""
    usual, scores = Usual(1), []
    for hour, value in enumerate(values):
        off = value - usual.expected(hour)
        score, plain = usual.score(hour, off)
        usual.learn(hour, np.array([value]), off, plain, ONE)
        scores.append(score[0])
    return usual, np.array(scores)


@pytest.mark.parametrize(("limit", "run"), [(4.0, 336), (5.0, 930)])
def test_the_limit_is_the_published_one_for_its_run_length(limit: float, run: int) -> None:
    """One-sided run lengths at k = 1/2: twice the two-sided 168 and 465 of Montgomery, Table 9.3."""
    alpha = -math.expm1(-720 / run)
    assert limit_of(alpha) - TOUCHY == pytest.approx(limit, abs=0.02)


def test_a_smaller_chance_asks_for_a_higher_limit() -> None:
    assert limit_of(0.001) > limit_of(0.01) > limit_of(0.1)


def test_an_hour_of_the_week_learns_its_own_level() -> None:
    hours = np.arange(168 * 8)
    weekend, night = hours // 24 % 7 >= 5, hours % 24 < 6
    usual, _ = taught(10.0 + 5.0 * weekend - 3.0 * night)
    assert usual.expected(168 * 8 + 10)[0] == pytest.approx(10.0, abs=0.5)
    assert usual.expected(168 * 8 + 5 * 24 + 10)[0] == pytest.approx(15.0, abs=1.0)
    assert usual.expected(168 * 8 + 2)[0] == pytest.approx(7.0, abs=0.5)


def test_an_hour_never_seen_borrows_from_the_same_hour_of_other_days() -> None:
    usual, _ = taught(np.where(np.arange(48) % 24 == 9, 100.0, 0.0))
    assert usual.expected(48 + 9)[0] > 40 > usual.expected(48 + 10)[0]


def test_what_the_hours_before_said_is_taken_out_of_a_score() -> None:
    rng, values = np.random.default_rng(0), np.zeros(4000)
    for hour in range(1, 4000):
        values[hour] = 0.9 * values[hour - 1] + rng.normal()
    scores = taught(values)[1][1000:]
    assert np.corrcoef(values[1000:-1], values[1001:])[0, 1] > 0.8
    assert abs(np.corrcoef(scores[:-1], scores[1:])[0, 1]) < 0.08
    assert scores.std() == pytest.approx(1.0, abs=0.08)


def test_a_freak_hour_counts_four_standard_deviations_at_most() -> None:
    rng = np.random.default_rng(1)
    scores = taught(np.append(rng.normal(size=500), 1e6))[1]
    assert scores[-1] == 4.0


def test_sums_grow_by_what_lies_beyond_the_slack_and_never_below_zero() -> None:
    changes = Changes(1)
    for hour, score in enumerate([1.0, -3.0, 2.0, 2.0]):
        changes.update(hour, np.array([score]), np.array([10.0 * score]), ONE)
    assert changes.sums[:, 0].tolist() == [3.0, 0.0]
    assert (changes.since[0, 0], changes.n[0, 0], changes.total[0, 0]) == (2, 2, 40.0)
    assert SLACK == 0.5


def test_a_figure_without_a_value_stays_where_it_is() -> None:
    changes, usual = Changes(1), Usual(1)
    changes.update(0, np.ones(1), np.ones(1), ~ONE)
    usual.learn(0, np.ones(1), np.ones(1), np.ones(1), ~ONE)
    assert not changes.sums.any()
    assert not usual.count.any()
