"""What breakers look at: outcomes around new ones, and the latest decisions, by index and in decision order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.clock import to_text
from tenure.core.spaces import APART
from tenure.store.database import Connection
from tenure.store.journal import read_control
from tenure.store.records import Control

NOT_THE_POLICYS = ("log_unavailable", "lease", "stop_file", "killed", "expired")
"""Reasons of fallbacks that say nothing about the policy."""


Measured = tuple[int, Mapping[str, float]]
"""A learned decision's number with the signals of the outcome that counts, or else of one out of bounds."""


class Figures(NamedTuple):
    """One figure of each of some decisions, in their order: their numbers, and the values; [n] each."""

    numbers: Sequence[int]
    values: Floats


_START = "SELECT coalesce(max(sequence), 0) FROM event WHERE problem = ? AND kind = 'start'"

# A decision that was corrected was not the candidate's after all; one that waits for its activation does not count yet.
_STANDS = """NOT EXISTS (SELECT 1 FROM correction c
    WHERE c.problem = {row}.problem AND c.decision_id = {row}.decision_id
    AND (c.arm <> 'candidate' OR c.reason = 'deferred' AND NOT EXISTS (SELECT 1 FROM correction a
        WHERE a.problem = c.problem AND a.decision_id = c.decision_id AND a.sequence > c.sequence)))"""

_AROUND = """SELECT o.decision_sequence, o.signals FROM outcome o
WHERE o.problem = ? AND o.learned_epoch = ? AND o.learned_epoch IS NOT NULL
AND {between} AND {stands} ORDER BY o.decision_sequence {order} LIMIT ?"""
_BETWEEN = "o.decision_sequence > ? AND o.decision_sequence < ?"
_BEFORE = _AROUND.format(between=_BETWEEN, order="DESC", stands=_STANDS.format(row="o"))
_FROM = _AROUND.format(between="o.decision_sequence >= ?", order="ASC", stands=_STANDS.format(row="o"))

# Found by the index of learned decisions first: their rows are wide, and few among the incumbent's.
_LATEST = """SELECT d.sequence, {value} FROM decision l
JOIN decision d ON d.problem = l.problem AND d.sequence = l.sequence {joined}
WHERE l.problem = ? AND l.kill_epoch = ? AND l.arm IN ('candidate', 'fallback') AND l.sequence > ? AND l.sequence <= ?
AND {counts} ORDER BY l.sequence DESC LIMIT ?"""
_EXPLORED = """SELECT context FROM decision
WHERE problem = ? AND sequence > ? AND sequence <= ? AND explored = 1 AND decided_at >= ?"""
_LATENCIES = """SELECT sequence, latency_us / 1000.0 FROM decision
WHERE problem = ? AND sequence >= ? AND sequence <= ? ORDER BY sequence"""
_NEXT = "SELECT sequence, decided_at FROM decision WHERE problem = ? AND sequence >= ? ORDER BY sequence LIMIT 1"
_LEARNED = f"d.arm = 'candidate' AND {_STANDS.format(row='d')}"
_FAILED = f"d.reason NOT IN ({', '.join(repr(reason) for reason in NOT_THE_POLICYS)})"
_BESIDE = "JOIN proposal p ON p.problem = d.problem AND p.decision_id = d.decision_id AND p.arm = 'incumbent'"
_SAME = f"(p.apart <= {APART} OR p.apart IS NULL AND p.action = d.action)"
_COUNTED = "SELECT 1 FROM outcome o WHERE o.problem = d.problem AND o.decision_id = d.decision_id AND o.counted = 1"

_FIGURES = {
    "latency_ms": _LATEST.format(value="d.latency_us / 1000.0", joined="", counts=_LEARNED),
    "action_share": _LATEST.format(value="d.action", joined="", counts=_LEARNED),
    "explored": _LATEST.format(value="d.explored", joined="", counts=_LEARNED),
    "disagreement": _LATEST.format(
        value=f"CASE WHEN {_SAME} THEN 0 ELSE 1 END",
        joined=_BESIDE,
        counts=_LEARNED,
    ),
    "failure_rate": _LATEST.format(
        value="CASE WHEN d.arm = 'fallback' THEN 1 ELSE 0 END", joined="", counts=f"({_LEARNED} OR {_FAILED})"
    ),
    "missing_outcomes": _LATEST.format(
        value=f"CASE WHEN EXISTS ({_COUNTED}) THEN 0 ELSE 1 END", joined="", counts=_LEARNED
    ),
}
"""One statement for each figure of the decisions themselves."""

_decoder = msgspec.json.Decoder(dict[str, float])


@lru_cache(maxsize=4096)
def _signals(text: str) -> Mapping[str, float]:
    """Signals from their text; a window reads each of its rows as often as it is long."""
    return _decoder.decode(text)


def started(connection: Connection, problem: str) -> int:
    """Number of the event with which the present rollout began; 0 before the first."""
    number: int = connection.execute(_START, (problem,)).get
    return number


def stretches(connection: Connection, control: Control, numbers: Sequence[int], size: int) -> Iterator[list[Measured]]:
    """Learned outcomes around new ones, in decision order: all runs and windows of `size` that hold a new one.

    Args:
        connection: of the transaction that wrote the new ones.
        control: the head row; only what was decided under its epoch, since the rollout began, is looked at.
        numbers: of the decisions with a new outcome.
        size: decisions that are judged together, >= 1.
    """
    problem, seen = control.problem, 0
    since = started(connection, problem)
    rising = sorted(number for number in numbers if number > since)
    for at, number in enumerate(rising):
        if number <= seen:
            continue
        key, limit = (problem, control.kill_epoch), 2 * size + len(rising) - at
        before = connection.execute(_BEFORE, (*key, since, number, size - 1)).fetchall() if size > 1 else []
        after = connection.execute(_FROM, (*key, number, limit)).fetchall()
        # Where the rows go on, the last `size` of them have not been seen with all their neighbours.
        seen = after[-size][0] if len(after) == limit else max(rising)
        yield [(row, _signals(signals)) for row, signals in (*reversed(before), *after)]


def latest(connection: Connection, control: Control, figure: str, limit: int, upto: datetime | None = None) -> Figures:
    """One figure of the latest learned decisions under the present epoch, since the rollout began, in their order.

    Args:
        connection: a reader.
        control: the head row.
        figure: latency_ms, action_share (its action); or explored, disagreement, failure_rate, missing_outcomes (0, 1).
        limit: at most so many.
        upto: only those decided at that moment or before.
    """
    since = started(connection, control.problem)
    until = control.sequence if upto is None else last_before(connection, control, upto)
    key = (control.problem, control.kill_epoch, since, until, limit)
    found = connection.execute(_FIGURES[figure], key).fetchall()[::-1]
    return Figures([number for number, _ in found], np.array([value for _, value in found], dtype=np.float64))


def last_before(connection: Connection, control: Control, moment: datetime) -> int:
    """Number up to which decisions were made at a moment or before; found by halving, as numbers rise with time."""
    low, high, text = 0, control.sequence, to_text(moment)
    while low < high:
        middle = (low + high + 1) // 2
        found = connection.execute(_NEXT, (control.problem, middle)).fetchone()
        if found is not None and found[1] <= text:
            low = max(found[0], middle)
        else:
            high = middle - 1
    return low


def explored_since(
    connection: Connection, problem: str, moment: datetime, after: int
) -> tuple[list[Mapping[str, float]], int]:
    """Contexts of explored decisions made since a moment, with numbers above `after`; and the last number seen."""
    control = read_control(connection, problem)
    first = max(after, last_before(connection, control, moment - timedelta(microseconds=1)))
    found = connection.execute(_EXPLORED, (problem, first, control.sequence, to_text(moment)))
    return [_signals(text) for (text,) in found], control.sequence


def latencies(connection: Connection, problem: str, numbers: Ints) -> Floats:
    """Milliseconds from request to answer of some decisions; [n] of their numbers, rising, [n]."""
    if not len(numbers):
        return np.zeros(0)
    found = dict(connection.execute(_LATENCIES, (problem, int(numbers[0]), int(numbers[-1]))).fetchall())
    return np.array([found[number] for number in numbers.tolist()], dtype=np.float64)


def latest_outcomes(connection: Connection, control: Control, limit: int) -> list[Measured]:
    """The latest learned outcomes under the present epoch, since the rollout began, in decision order."""
    key = (control.problem, control.kill_epoch, started(connection, control.problem), control.sequence + 1, limit)
    found = [(number, _signals(text)) for number, text in connection.execute(_BEFORE, key)]
    return found[::-1]
