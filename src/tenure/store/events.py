"""Control events: each change of the head row is one transaction with the event that records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tenure.core.clock import to_text
from tenure.core.errors import FencedError, MoveError
from tenure.store.chain import GENESIS
from tenure.store.database import Connection
from tenure.store.journal import fenced, read_control, seal, take
from tenure.store.records import MOVE_NOTHING, Control, Event
from tenure.store.rows import Values, event_bytes, event_from, event_values

SETTABLE = frozenset({"stage", "share", "version", "paused", "killed", "cap", "exploration"})
"""Columns of the head row an event may set."""


_LAST_MOVE = f"""SELECT coalesce(max(sequence), 0) FROM event
WHERE problem = ? AND kind NOT IN ({", ".join("?" * len(MOVE_NOTHING))})"""  # noqa: S608


def open_problem(connection: Connection, problem: str, salt: str) -> Control:
    """The control row, made when absent; a salt stored before wins, so that units keep their arm."""
    connection.execute(
        "INSERT INTO head VALUES (?, 0, ?, 0, 0, 'none', 0.0, NULL, 0, ?, NULL, 1.0, NULL) ON CONFLICT DO NOTHING",
        (problem, GENESIS, salt),
    )
    return read_control(connection, problem)


def append(
    connection: Connection,
    event: Event,
    control: Mapping[str, Any] | None,
    expected_epoch: int | None,
    expected_last: int | None,
) -> Event:
    """Append an event and set the columns it changes.

    Raises:
        FencedError: the kill epoch or the last event is not the expected one.
        UnknownError: the problem was never opened.
        ValueError: a column that no event may set.
    """
    if control is not None and not SETTABLE.issuperset(control):
        raise ValueError(f"an event may set {sorted(SETTABLE)}, asked for {sorted(control)}")
    now = read_control(connection, event.problem)
    if expected_epoch is not None and expected_epoch != now.kill_epoch:
        raise fenced(expected_epoch, now)
    if expected_last is not None:
        _check_last(connection, event.problem, expected_last)
    if control is not None:
        _set(connection, replace(now, **control, changed_at=event.at))
    return append_numbered(connection, event)


def move_epoch(connection: Connection, event: Event, control: Mapping[str, Any]) -> Control:
    """Append a kill or a restore: the epoch grows, so that nothing decided before it can be recorded after it.

    Raises:
        UnknownError: the problem was never opened.
    """
    now = read_control(connection, event.problem)
    _set(connection, replace(now, **control, kill_epoch=now.kill_epoch + 1, changed_at=event.at))
    append_numbered(connection, replace(event, payload={**event.payload, "kill_epoch": now.kill_epoch + 1}))
    return read_control(connection, event.problem)


def check_killed(connection: Connection, problem: str) -> None:
    """Refuse to restore what runs: it would take a live candidate off without a word.

    Raises:
        MoveError: no kill is in force.
        UnknownError: the problem was never opened.
    """
    if not read_control(connection, problem).killed:
        raise MoveError(
            expected="a kill to lift",
            found="none in force",
            where=f"the log of {problem!r}",
            fix="nothing needs restoring; see `tenure versions`",
        )


def append_numbered(connection: Connection, event: Event, correction: Values | None = None) -> Event:
    """Append an event under the next number, whatever the epoch; a correction is hashed along with it.

    Raises:
        UnknownError: the problem was never opened.
    """
    numbers = take(connection, event.problem, 1, read_control(connection, event.problem).kill_epoch)
    values = event_values(event, numbers.first)
    connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    seal(connection, numbers, [event_bytes(values, correction)])
    return replace(event, sequence=numbers.first)


def since(connection: Connection, problem: str, sequence: int) -> list[Event]:
    """Events after a number, in order."""
    rows = connection.execute(
        "SELECT * FROM event WHERE problem = ? AND sequence > ? ORDER BY sequence", (problem, sequence)
    )
    return [event_from(values) for values in rows]


def _check_last(connection: Connection, problem: str, expected: int) -> None:
    """Corrections and notes are passed over: they are written at any time, and they move no rollout."""
    last: int = connection.execute(
        _LAST_MOVE,
        (problem, *MOVE_NOTHING),
    ).get
    if last != expected:
        raise FencedError(
            expected=f"event {expected} as the last one",
            found=f"event {last}",
            where=f"the log of {problem!r}",
            fix="somebody else moved the rollout; read its events again and decide anew",
        )


def _set(connection: Connection, control: Control) -> None:
    changed_at = None if control.changed_at is None else to_text(control.changed_at)
    connection.execute(
        """UPDATE head SET kill_epoch = ?, killed = ?, stage = ?, share = ?, version = ?, paused = ?, changed_at = ?,
        cap = ?, exploration = ? WHERE problem = ?""",
        (
            control.kill_epoch,
            int(control.killed),
            control.stage,
            float(control.share),
            control.version,
            int(control.paused),
            changed_at,
            float(control.cap),
            control.exploration,
            control.problem,
        ),
    )
