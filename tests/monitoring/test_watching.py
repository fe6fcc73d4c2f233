"""Over a real log: what is new is folded, alarms are written once, and a replay writes nothing again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from benchmarks.monitors import COOL_DOWN, LIMITS, write_hour
from benchmarks.watched_world import EXPLORATION, PROBLEM, START_H, Change, World

from tenure.core.decision import Arm
from tenure.monitoring import ALARM, Monitor, Told, step
from tenure.monitoring.alarms import moment_of
from tenure.monitoring.rows import rows_by_hour, settled_rows
from tenure.monitoring.watching import pending, settled
from tenure.store import SqliteStore
from tenure.store.watching import read_watched

CHANGE = Change("cost doubles and a value is new", (), cost=1.0, strange=0.1)
HOURS = 24 * 24


def monitor() -> Monitor:
    return Monitor(PROBLEM, LIMITS, EXPLORATION)


def now(hour: int) -> datetime:
    return moment_of(START_H + hour)


def stepped(store: SqliteStore, watching: Monitor, hour: int) -> Told:
    return step(watching, store, now(hour), COOL_DOWN)


def told(store: SqliteStore) -> list[str]:
    return [event.reason for event in store.events(PROBLEM.name) if event.kind == ALARM]


def written(path: Path, hours: int, change: Change = CHANGE) -> SqliteStore:
    store, world = SqliteStore(path, synchronous="OFF"), World(3, change, traffic=4.0)
    store.open_problem(PROBLEM.name, "salt")
    for hour in range(hours):
        write_hour(store, world, hour)
    return store


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    with written(tmp_path_factory.mktemp("watched") / "log.db", HOURS) as store:
        yield store


@pytest.fixture
def short(tmp_path: Path) -> Iterator[SqliteStore]:
    with written(tmp_path / "log.db", 5) as store:
        yield store


def test_alarms_become_events_and_neither_another_step_nor_a_replay_writes_them_again(log: SqliteStore) -> None:
    watching = monitor()
    first = stepped(log, watching, HOURS + 2)
    reasons = told(log)
    assert any("cost has risen" in reason for reason in reasons)
    assert any("kind takes values" in reason for reason in reasons)
    assert [event.reason for event in first.events] == reasons
    assert stepped(log, watching, HOURS + 3).alarms == []
    again = stepped(log, monitor(), HOURS + 4)
    assert again.alarms == first.alarms
    assert (again.events, told(log)) == ([], reasons)


def test_what_the_system_did_is_told(log: SqliteStore) -> None:
    stepped(log, monitor(), HOURS + 2)
    event = next(event for event in log.events(PROBLEM.name) if event.kind == ALARM)
    assert event.payload["done"] == "nothing was changed: the incumbent answers every decision"


def test_a_monitor_reads_the_log_in_any_number_of_steps(short: SqliteStore) -> None:
    whole, parts = monitor(), monitor()
    stepped(short, whole, 10)
    for hour in (1, 3, 10):
        stepped(short, parts, hour)
    assert parts.sequence == whole.sequence
    assert whole.rows == parts.rows == 2 * short.counts(PROBLEM.name)["decisions"]


def test_a_decision_is_settled_when_its_outcome_came_or_can_no_longer_come_in_order(short: SqliteStore) -> None:
    frame = read_watched(short, PROBLEM.name, 0, 100).frame
    joined = np.ones(len(frame), dtype=bool)
    joined[[3, 7]] = False
    frame = replace(frame, joined=joined)
    at = frame.decided_at[3] + np.timedelta64(1, "h")
    assert settled_rows(frame, at, timedelta(hours=1)) == 3
    later = frame.decided_at[7] + np.timedelta64(1, "h")
    assert settled_rows(frame, later, timedelta(hours=1)) == 7
    assert settled_rows(frame, later + np.timedelta64(1, "s"), timedelta(hours=1)) == len(frame)


def test_decisions_without_outcomes_wait_and_are_counted(tmp_path: Path) -> None:
    with written(tmp_path / "log.db", 6, Change("", (), missing=0.98)) as store:
        store_hours = store.counts(PROBLEM.name)["decisions"]
        watching = monitor()
        settled(watching, store, now(0))
        missing = int((~read_watched(store, PROBLEM.name, 0, 1000).frame.joined).sum())
        assert pending(watching, store).n == missing > 0
        settled(watching, store, now(8))
        assert watching.rows == store_hours
        assert pending(watching, store).n == 0


def test_rows_are_cut_by_hour_and_an_older_one_counts_with_the_hour_before_it(short: SqliteStore) -> None:
    found = read_watched(short, PROBLEM.name, 0, 1000)
    moments = found.frame.decided_at.copy()
    moments[-1] -= np.timedelta64(3, "h")
    mixed = replace(found, frame=replace(found.frame, decided_at=moments))
    parts = list(rows_by_hour(PROBLEM, mixed, True, START_H + 1))
    assert [part.hour - START_H for part in parts] == [1, 2, 3, 4]
    assert sum(map(len, parts)) == len(found.frame)
    assert parts[-1].sequence[-1] == found.frame.sequence[-1]


def test_a_batch_holds_what_the_log_says_of_each_decision(short: SqliteStore) -> None:
    found = read_watched(short, PROBLEM.name, 0, 1000)
    whole = short.read_rows(PROBLEM.name, limit=1000)
    (part, *_) = rows_by_hour(PROBLEM, found, True, 0)
    for row, kept in zip(range(len(part)), whole, strict=False):
        decision = kept.decision
        assert part.latency_ms[row] == decision.latency_us / 1000
        assert part.candidate[row] == (decision.arm is Arm.CANDIDATE)
        assert part.version[row] == decision.version
        assert part.joined[row] == kept.counted
        if kept.signals is not None:
            assert part.above[row, 0] == pytest.approx(2 * kept.signals["lost"] + 0.25 * kept.signals["moved"])
            assert part.delay_s[row] == 50 * 60 - (decision.decided_at - now(0)).total_seconds()
