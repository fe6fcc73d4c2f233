"""The fold: the same log gives the same alarms, in whatever batches, and wherever somebody stopped and went on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from benchmarks.watched_world import CHANGE_H, EXPLORATION, PROBLEM, Change, World

from tenure.monitoring import Alarm, Limits, Monitor
from tenure.monitoring.monitor import DESIGNED
from tenure.monitoring.rows import Rows

LIMITS = Limits(1.0, 14, timedelta(hours=1))
CHANGE = Change("much", (), cost=1.0, age=1.0, strange=0.1, group=0.2, failing=0.1)
DAYS = CHANGE_H // 24 + 3


def monitor() -> Monitor:
    return Monitor(PROBLEM, LIMITS, EXPLORATION)


def told(watching: Monitor, parts: Sequence[Rows]) -> list[Alarm]:
    return [alarm for part in parts for alarm in watching.update(part)]


@pytest.fixture(scope="module")
def month() -> list[Rows]:
    return list(World(1, CHANGE).hours(upto=24 * DAYS))


@pytest.fixture(scope="module")
def alarms(month: list[Rows]) -> list[Alarm]:
    return told(monitor(), month)


def cut(rows: Rows) -> Iterator[Rows]:
    """The same in two batches."""
    for place in (slice(0, 3), slice(3, None)):
        part: dict[str, Any] = {
            field.name: getattr(rows, field.name)[place]
            for field in fields(Rows)
            if field.name not in ("settled", "hour")
        }
        if len(part["sequence"]):
            yield replace(rows, **part)


def test_a_change_is_found_by_the_monitors_it_concerns(alarms: list[Alarm]) -> None:
    found = {alarm.monitor for alarm in alarms}
    assert {"kpi", "reward", "failures", "unseen value", "new group", "feature"} <= found


def test_batches_do_not_matter(month: list[Rows], alarms: list[Alarm]) -> None:
    again = told(monitor(), [part for rows in month for part in cut(rows)])
    assert [(a.monitor, a.hour, a.since) for a in again] == [(a.monitor, a.hour, a.since) for a in alarms]


def test_one_that_stopped_goes_on_where_it_was(month: list[Rows], alarms: list[Alarm]) -> None:
    half = len(month) - 101  # between a decision's two rows
    found, state = [], json.dumps(monitor().written())
    for part in (month[:half], month[half : half + 50], month[half + 50 :]):
        other = monitor()
        assert other.read(json.loads(state))
        found += told(other, part)
        state = json.dumps(other.written())
    assert found == alarms


def test_what_was_seen_of_another_problem_or_otherwise_is_not_taken(month: list[Rows]) -> None:
    one = monitor()
    told(one, month[:10])
    assert not Monitor(PROBLEM, replace(LIMITS, reference_days=20), EXPLORATION).read(one.written())
    assert not Monitor(replace(PROBLEM, name="another"), LIMITS, EXPLORATION).read(one.written())
    assert not monitor().read({})
    assert Monitor(PROBLEM, LIMITS, 0.5).read(one.written())


def test_decisions_and_outcomes_have_their_own_place_in_the_log(month: list[Rows]) -> None:
    one = monitor()
    one.update(month[0])
    assert one.sequence == {False: int(month[0].sequence[-1]), True: 0}
    one.update(month[1])
    assert one.sequence[True] == one.sequence[False]


def test_the_budget_is_split_over_all_that_is_watched() -> None:
    """Counted from the states themselves, so that no figure is left out."""
    one = monitor()
    watched = len(one.state()) + 2  # new groups and unseen values have no state before they are seen
    assert one.alpha == pytest.approx(DESIGNED / watched)
    twice = Monitor(PROBLEM, replace(LIMITS, false_alarms=2.0), EXPLORATION)
    assert twice.alpha == pytest.approx(2 * one.alpha)


def test_memory_does_not_grow_with_the_log() -> None:
    sizes, one = [], monitor()
    for number, rows in enumerate(World(2).hours(upto=24 * 40)):
        one.update(rows)
        if number in (24 * 2 * 20, 24 * 2 * 39):
            sizes.append(len(json.dumps(one.written())))
    assert sizes[1] < 1.05 * sizes[0]
