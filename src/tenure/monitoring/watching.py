"""Monitors over the log: reads what is new, folds it, and writes what people must be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.monitoring.alarms import ALARM, Alarm, events_of, untold
from tenure.monitoring.expected import Pending
from tenure.monitoring.monitor import Monitor
from tenure.monitoring.rows import Rows, rows_by_hour, settled_rows
from tenure.store.log import Store
from tenure.store.records import Event, LogFrame
from tenure.store.watching import Watched, read_watched

MOVES = frozenset({"start", "promote", "complete", "rollback", "abort", "kill", "restore", "explore"})
"""Kinds of events after which decisions are made otherwise, so that figures change for a reason everybody knows."""
BATCH = 5000
"""Rows read at once; memory does not grow with the log."""


@dataclass(frozen=True)
class Told:
    """What one step found.

    Args:
        alarms: raised by what was new in the log, in order.
        events: those of them that people are told of, as they were written.
        pending: decisions whose outcome may still come.
    """

    alarms: list[Alarm]
    events: list[Event]
    pending: Pending


def step(monitor: Monitor, store: Store, now: datetime, cool_down: timedelta) -> Told:
    """Fold what is new in the log, and write its alarms down; stepping twice writes nothing twice.

    One process at a time (`store.turns`), or two may write the same alarm.

    Raises:
        StoreError: the log cannot be read or written.
        EvidenceError: the rows' observations differ in width.
    """
    alarms = [*decided(monitor, store), *settled(monitor, store, now)]
    name = monitor.problem.name
    events = store.events(name)
    told = [event for event in events if event.kind == ALARM]
    moves = [event for event in events if event.kind in MOVES]
    new = events_of(name, untold(alarms, told, cool_down), now, done_already(store, name), moves)
    return Told(alarms, [store.append_event(event) for event in new], pending(monitor, store))


def decided(monitor: Monitor, store: Store) -> list[Alarm]:
    """Show the monitor the decisions it has not seen."""
    alarms = []
    for watched in _batches(monitor, store, settled=False):
        for rows in rows_by_hour(monitor.problem, watched, False, monitor.hour[False]):
            alarms += monitor.update(rows)
    return alarms


def settled(monitor: Monitor, store: Store, now: datetime) -> list[Alarm]:
    """Show the monitor the outcomes it has not seen, up to the first decision that still waits for its own."""
    alarms, moment = [], np.datetime64(now.astimezone(UTC).replace(tzinfo=None))
    for watched in _batches(monitor, store, settled=True):
        count = settled_rows(watched.frame, moment, monitor.limits.wait)
        for rows in rows_by_hour(monitor.problem, _first(watched, count), True, monitor.hour[True]):
            alarms += monitor.update(rows)
        if count < len(watched.frame):
            break
    return alarms


def pending(monitor: Monitor, store: Store) -> Pending:
    """Decisions that wait for their outcome, summed."""
    found = Pending.none(monitor.problem)
    for watched in _batches(monitor, store, settled=True):
        for rows in rows_by_hour(monitor.problem, watched, False, 0):
            found.update(_unjoined(rows))
    return found


def done_already(store: Store, problem: str) -> str:
    """What the system does about an alarm by itself, as things stand."""
    control = store.control(problem)
    if control.live_share == 0.0:
        return "nothing was changed: the incumbent answers every decision"
    share = f"{100 * control.live_share:g} %"
    return f"nothing was changed: the candidate keeps its {share}; breakers and guardrails stop it where they are set"


def _batches(monitor: Monitor, store: Store, *, settled: bool) -> Iterator[Watched]:
    """Batches after what the monitor has seen of a stream, until the log ends."""
    after = monitor.sequence[settled]
    while len((watched := read_watched(store, monitor.problem.name, after, BATCH)).frame):
        yield watched
        after = int(watched.frame.sequence[-1])


def _first(watched: Watched, count: int) -> Watched:
    """The first rows of a batch."""
    frame = LogFrame(**{field.name: _cut(getattr(watched.frame, field.name), count) for field in fields(LogFrame)})
    return Watched(frame, watched.reason[:count], watched.latency_ms[:count], watched.delay_s[:count])


def _cut(column: Any, count: int) -> Any:
    if isinstance(column, Mapping):
        return {name: values[:count] for name, values in column.items()}
    return column[:count]


def _unjoined(rows: Rows) -> Rows:
    parts: dict[str, Any] = {
        field.name: getattr(rows, field.name)[~rows.joined]
        for field in fields(Rows)
        if field.name not in ("settled", "hour")
    }
    return replace(rows, **parts)
