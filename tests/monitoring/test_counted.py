"""Counts are told once they are proven to exceed what was granted, looked at every hour."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.watched_world import PROBLEM

from tenure.monitoring import Alarm
from tenure.monitoring.counted import Exploring, Unseen, exceeds

from .made import learned, rows

DAYS = 7


def explored(share: float, budget: float, hours: int = 200) -> list[Alarm]:
    watcher, rng = Exploring(budget, 0.01), np.random.default_rng(0)
    parts = (rows(h, 20, settled=False, explored=rng.random(20) < share, **learned(20)) for h in range(hours))
    return [alarm for part in parts for alarm in watcher.update(part)]


def test_more_exploration_than_its_budget_is_told_with_the_shares() -> None:
    alarm = explored(0.1, 0.02)[0]
    assert alarm.monitor == "exploration"
    assert "budget is 0.02" in alarm.what


def test_exploration_within_its_budget_is_not() -> None:
    assert explored(0.02, 0.02) == []
    assert explored(0.0, 0.02) == []


def test_a_changed_budget_begins_a_new_count() -> None:
    before, after = Exploring(0.5, 0.01), Exploring(0.02, 0.01)
    before.update(rows(0, 20, settled=False, explored=np.ones(20, dtype=bool), **learned(20)))
    after.explored, after.rows, after.budgeted = before.explored, before.rows, before.budgeted
    after.update(rows(1, 20, settled=False, **learned(20)))
    assert (after.explored, after.rows) == (0, 20)


def test_evidence_is_counted_at_every_look_and_still_errs_no_more_often_than_said() -> None:
    rng, looks = np.random.default_rng(1), range(1, 1001)
    counts = (rng.random((400, 1000)) < 0.05).cumsum(axis=1)
    wrong = sum(any(exceeds(c, n, 0.05, 0.05) for c, n in zip(row, looks, strict=True)) for row in counts.tolist())
    assert wrong <= 33  # binomial(400, .05): exceeded with chance .002


def kinds(share: float, value: float = 7.0) -> list[Alarm]:
    watcher, rng, alarms = Unseen(PROBLEM, 0.01, DAYS), np.random.default_rng(2), []
    for hour in range(24 * (DAYS + 7)):
        observation = np.tile([10.0, 0.0, 1.0, 0.0, 40.0, 0.5], (20, 1))
        observation[:, 0], observation[:, 3] = rng.normal(size=20), rng.integers(0, 3, 20)
        if hour >= 24 * DAYS + 24:
            observation[rng.random(20) < share, 3] = value
        alarms += watcher.update(rows(hour, 20, settled=False, observation=observation))
    return alarms


def test_a_value_no_reference_day_had_is_told_once_with_the_value() -> None:
    (alarm,) = kinds(0.1)
    assert (alarm.monitor, alarm.segment) == ("unseen value", "kind")
    assert "(7)" in alarm.what


def test_known_values_and_numbers_that_are_no_categories_are_not() -> None:
    assert kinds(0.0) == []
    assert kinds(0.1, value=2.0) == []


@pytest.mark.parametrize(("count", "total", "said"), [(0, 0, False), (5, 100, False), (30, 100, True)])
def test_a_share_not_above_what_is_granted_is_never_proof(count: int, total: int, said: bool) -> None:
    assert exceeds(count, total, 0.05, 0.01) is said
