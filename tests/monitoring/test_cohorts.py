"""A new group is named with size, first day, what tells it apart and what happens to it; weather is no group."""

from __future__ import annotations

import numpy as np
from benchmarks.watched_world import PROBLEM

from tenure.monitoring import Alarm
from tenure.monitoring.cohorts import Cohorts, farthest_first, spread_within

from .made import rows

DAYS = 7
BEGIN = 24 * (DAYS + 2)


def told(share: float = 0.0, storm: float = 0.0, days: int = 14) -> tuple[Cohorts, list[Alarm]]:
    """Twenty rows an hour; a group of large units at a young age begins on the tenth day, or a storm does."""
    watcher, rng, alarms = Cohorts(PROBLEM, 0.01, DAYS), np.random.default_rng(5), []
    for hour in range(24 * days):
        apart = (rng.random(20) < share) & (hour >= BEGIN)
        observation = rng.normal(size=(20, 6)) * [1.0, 0.0, 0.2, 1.0, 10.0, 1.0] + [10, 0, 1, 1, 40, 0]
        observation[:, 1] = rng.normal() + storm * (hour >= BEGIN)
        observation[apart, 2], observation[apart, 4] = 5.0, 5.0
        alarms += watcher.update(rows(hour, 20, cost=np.where(apart, 20.0, 8.0), observation=observation))
    return watcher, alarms


def test_a_new_group_is_named_once_with_what_tells_it_apart_and_its_loss() -> None:
    watcher, alarms = told(share=0.1)
    assert [alarm.monitor for alarm in alarms] == ["new group"]
    assert 0 <= alarms[0].since - BEGIN <= 3
    assert alarms[0].hour - BEGIN <= 48
    assert alarms[0].segment.startswith("size 5, age 5, ")
    assert "mean reward -20, of all others -8" in alarms[0].what
    (state,) = watcher.state()
    assert str(state["first"]).startswith("1970-01-10")


def test_groups_of_the_reference_are_no_new_ones() -> None:
    assert told()[1] == []


def test_what_all_decisions_of_an_hour_share_makes_no_group() -> None:
    assert told(storm=20.0)[1] == []


def test_points_are_each_the_farthest_from_those_before() -> None:
    line = np.array([[0.0], [1.0], [10.0], [4.0]])
    assert farthest_first(line, 3)[:, 0].tolist() == [0.0, 10.0, 4.0]
    assert len(farthest_first(np.zeros((5, 1)), 3)) == 1


def test_the_spread_within_hours_leaves_out_what_hours_differ_in() -> None:
    """By hand: 1, 3 and 11, 13 lie 1 off the mean of their hour each: 4 squares of 1 over 4 - 2 rows."""
    values, hours = np.array([[1.0], [3.0], [11.0], [13.0]]), np.array([0, 0, 1, 1])
    assert spread_within(values, hours).tolist() == [2.0]
