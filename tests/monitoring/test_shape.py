"""A day is held against whole reference days, so that what days differ in anyway is no alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.watched_world import PROBLEM

from tenure.monitoring import Alarm
from tenure.monitoring.shape import Shape, bound

from .made import rows

DAYS = 10


def day(rng: np.random.Generator, number: int, **changes: Any) -> list[Any]:
    """Two hours of 60 rows each: age and load differ row by row, weather does not within an hour."""
    made = []
    for hour in (0, 12):
        observation = np.tile([10.0, rng.normal(), 1.0, 0.0, 40.0, 0.5], (60, 1))
        observation[:, 4] = rng.normal(40.0 + changes.get("age", 0.0), 10.0 * changes.get("spread", 1.0), 60)
        action = np.where(rng.random(60) < changes.get("few", 0.0), 3, rng.integers(0, 4, 60))
        made.append(rows(24 * number + hour, 60, settled=False, observation=observation, action=action))
    return made


def told(days: int = 30, since: int = 20, **changes: Any) -> list[Alarm]:
    rng, shape = np.random.default_rng(3), Shape(PROBLEM, 0.01, DAYS)
    parts = [part for number in range(days) for part in day(rng, number, **(changes if number >= since else {}))]
    return [alarm for part in parts for alarm in shape.update(part)]


def test_days_like_the_others_are_no_alarm() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("changes", "name"), [({"age": 10.0}, "age"), ({"spread": 4.0}, "age"), ({"few": 0.8}, "actions")]
)
def test_another_distribution_is_told_by_name_the_day_after(changes: dict[str, Any], name: str) -> None:
    alarm = told(**changes)[0]
    assert (alarm.monitor, alarm.segment, alarm.since, alarm.hour) == ("distribution", name, 20 * 24, 20 * 24 + 12)


def test_after_an_alarm_the_new_distribution_becomes_the_reference() -> None:
    assert len(told(days=60, age=20.0)) == 1


def test_what_all_decisions_of_an_hour_share_is_not_judged_by_its_distribution() -> None:
    rng, shape = np.random.default_rng(3), Shape(PROBLEM, 0.01, DAYS)
    for number in range(DAYS + 1):
        for part in day(rng, number):
            shape.update(part)
    limits = dict(zip([name for name, _ in shape.columns], shape.limits, strict=True))
    assert limits["weather"] == np.inf
    assert limits["age"] < 1.0


def test_the_bound_is_students_prediction_bound_of_logarithms() -> None:
    """By hand: logs 0, 1, 2 have mean 1, standard deviation 1; t(2) at .05 is 2.919986; sqrt(1 + 1/3)."""
    found = bound(np.exp([0.0, 1.0, 2.0]), 0.05)
    assert np.log(found) == pytest.approx(1 + 2.919986 * np.sqrt(4 / 3), rel=1e-6)
