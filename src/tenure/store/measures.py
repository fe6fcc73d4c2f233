"""What breakers look at: outcomes around new ones, and the latest decisions, by index and in decision order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from tenure.core.clock import ALWAYS, to_text
from tenure.store.database import Connection
from tenure.store.records import Control

NOT_THE_POLICYS = ("log_unavailable", "lease", "stop_file", "killed", "expired")
"""Reasons of fallbacks that say nothing about the policy."""


class Measured(NamedTuple):
    """A learned decision's number with the signals of its counted outcome."""

    number: int
    signals: dict[str, float]


class Figure(NamedTuple):
    """A decision's number with one figure of it."""

    number: int
    value: float


_START = "SELECT coalesce(max(sequence), 0) FROM event WHERE problem = ? AND kind = 'start'"

# A decision that was corrected was not the candidate's after all.
_STANDS = """NOT EXISTS (SELECT 1 FROM correction c
    WHERE c.problem = {row}.problem AND c.decision_id = {row}.decision_id AND c.arm <> 'candidate')"""

_AROUND = """SELECT o.decision_sequence, o.signals FROM outcome o
WHERE o.problem = ? AND o.learned_epoch = ? AND o.counted = 1 AND o.learned_epoch IS NOT NULL
AND o.decision_sequence > ? AND o.decision_sequence {side} ? AND {stands}
ORDER BY o.decision_sequence {order} LIMIT ?"""
_BEFORE = _AROUND.format(side="<", order="DESC", stands=_STANDS.format(row="o"))
_FROM = _AROUND.format(side=">=", order="ASC", stands=_STANDS.format(row="o"))

_LATEST = """SELECT d.sequence, {value} FROM decision d {joined}
WHERE d.problem = ? AND d.kill_epoch = ? AND d.arm IN ('candidate', 'fallback') AND d.sequence > ?
AND d.decided_at <= ? AND {counts} ORDER BY d.sequence DESC LIMIT ?"""
_LEARNED = f"d.arm = 'candidate' AND {_STANDS.format(row='d')}"
_FAILED = f"d.reason NOT IN ({', '.join(repr(reason) for reason in NOT_THE_POLICYS)})"
_BESIDE = "JOIN proposal p ON p.problem = d.problem AND p.decision_id = d.decision_id AND p.arm = 'incumbent'"
_COUNTED = "SELECT 1 FROM outcome o WHERE o.problem = d.problem AND o.decision_id = d.decision_id AND o.counted = 1"

_FIGURES = {
    "latency_ms": _LATEST.format(value="d.latency_us / 1000.0", joined="", counts=_LEARNED),
    "action_share": _LATEST.format(value="d.action", joined="", counts=_LEARNED),
    "explored": _LATEST.format(value="d.explored", joined="", counts=_LEARNED),
    "disagreement": _LATEST.format(
        value="CASE WHEN p.action = d.action THEN 0 ELSE 1 END", joined=_BESIDE, counts=_LEARNED
    ),
    "failure_rate": _LATEST.format(
        value="CASE WHEN d.arm = 'fallback' THEN 1 ELSE 0 END", joined="", counts=f"({_LEARNED} OR {_FAILED})"
    ),
    "missing_outcomes": _LATEST.format(
        value=f"CASE WHEN EXISTS ({_COUNTED}) THEN 0 ELSE 1 END", joined="", counts=_LEARNED
    ),
}
"""One statement for each figure of the decisions themselves."""

_signals = msgspec.json.Decoder(dict[str, float])


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
        key = (problem, control.kill_epoch, since, number)
        limit = 2 * size + len(rising) - at
        before = connection.execute(_BEFORE, (*key, size - 1)).fetchall() if size > 1 else []
        after = connection.execute(_FROM, (*key, limit)).fetchall()
        # Where the rows go on, the last `size` of them have not been seen with all their neighbours.
        seen = after[-size][0] if len(after) == limit else max(rising)
        yield [Measured(row, _signals.decode(signals)) for row, signals in (*reversed(before), *after)]


def latest(
    connection: Connection, control: Control, figure: str, limit: int, upto: datetime | None = None
) -> list[Figure]:
    """One figure of the latest learned decisions under the present epoch, since the rollout began, in their order.

    Args:
        connection: a reader.
        control: the head row.
        figure: latency_ms, action_share (its action); or explored, disagreement, failure_rate, missing_outcomes (0, 1).
        limit: at most so many.
        upto: only those decided at that moment or before.
    """
    since = started(connection, control.problem)
    until = ALWAYS if upto is None else to_text(upto)
    key = (control.problem, control.kill_epoch, since, until, limit)
    found = [Figure(*row) for row in connection.execute(_FIGURES[figure], key)]
    return found[::-1]


def latest_outcomes(connection: Connection, control: Control, limit: int) -> list[Measured]:
    """The latest learned outcomes under the present epoch, since the rollout began, in decision order."""
    key = (control.problem, control.kill_epoch, started(connection, control.problem), control.sequence + 1, limit)
    found = [Measured(number, _signals.decode(text)) for number, text in connection.execute(_BEFORE, key)]
    return found[::-1]
