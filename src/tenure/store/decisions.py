"""Writing decisions in group commits, and the corrections and shadow proposals that belong to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from tenure.core.decision import Arm, Decision, ShadowProposal
from tenure.core.errors import FencedError, UnknownError
from tenure.core.spaces import Action
from tenure.store.database import Connection
from tenure.store.events import append_numbered
from tenure.store.folding import Fold, fold_in
from tenure.store.journal import seal, take
from tenure.store.outcomes import adopt_orphans
from tenure.store.records import Appended, Event
from tenure.store.rows import (
    Values,
    decision_bytes,
    decision_from,
    decision_values,
    hashed_correction,
    numbered,
    proposal_values,
    stored_action,
)

# An outcome that came before its decision cannot be of what that decision says.
_ACTED_ON = """SELECT 1 FROM outcome
WHERE problem = ? AND decision_id = ? AND kind NOT IN ('window_closed', 'lost') AND place <> 'early' LIMIT 1"""
_FIND = "SELECT * FROM answered WHERE problem = ? AND decision_id = ?"
_KNOWN = "SELECT decision_id FROM decision WHERE problem = ? AND decision_id IN ({})"
_WAITED = "SELECT decision_id FROM outcome WHERE problem = ? AND place = 'orphan' AND decision_id IN ({})"
_ANY_WAITS = "SELECT 1 FROM outcome WHERE problem = ? AND place = 'orphan' LIMIT 1"
_ASKED_AT_ONCE = 256
_INSERT = "INSERT INTO decision VALUES {}"
_PROPOSE = """INSERT INTO proposal
    (problem, decision_id, arm, version, action, propensity, confidence, computed_at, vector, apart)
VALUES {} ON CONFLICT (problem, decision_id, arm, version) DO NOTHING"""
_INSERTED_AT_ONCE = 64

NONCE_BYTES = 16

K = TypeVar("K")

Beside = Callable[[Connection, Sequence[Decision]], None]
"""Writes what belongs to new decisions, in their transaction."""

Stored = dict[tuple[str, str], Decision]
"""Stored decisions by (problem, decision_id)."""


@dataclass(frozen=True)
class Correction:
    """What was really done instead of what a decision's row says."""

    decision_id: str
    action: Action
    arm: Arm
    propensity: float | None
    reason: str
    at: datetime


def append(
    connection: Connection,
    rows: Sequence[Decision],
    fold: Fold | None = None,
    beside: Beside | None = None,
    *,
    as_new: bool = False,
) -> Appended:
    """Write a group of decisions, each id once, none under a passed epoch; `fold` sees outcomes that waited for them.

    Args:
        connection: inside the transaction.
        rows: the decisions.
        fold: sees outcomes that waited for them.
        beside: writes what belongs to new rows.
        as_new: do not look first which ids are there: where one is, the database refuses the row.

    Raises:
        UnknownError: a row's problem was never opened.
    """
    groups = _groups(rows, lambda row: (row.problem, row.kill_epoch))
    as_new = as_new and len(groups) == 1
    stored = {} if as_new else _find(connection, rows)
    done = Appended((), (), ())
    for (problem, epoch), group in groups.items():
        done = _joined(done, _append_group(connection, problem, epoch, group, stored, fold))
    if as_new and done.fenced:  # nothing was written; what is there already is not fenced but repeated
        return append(connection, rows, fold, beside)
    if beside is not None and done.written:
        beside(connection, done.written)
    return done


def _append_group(
    connection: Connection, problem: str, epoch: int, group: Sequence[Decision], stored: Stored, fold: Fold | None
) -> Appended:
    """Rows of one problem and epoch; `stored` gains what is written."""
    fresh = _first_of_each(group, stored)
    numbered = _commit(connection, problem, epoch, fresh, fold) if fresh else []
    stored |= {(problem, row.decision_id): row for row in numbered}
    if len(numbered) == len(group):
        return Appended(tuple(numbered), (), ())
    fenced: list[Decision] = []
    existing: list[Decision] = []
    new = {row.decision_id for row in numbered}
    for row in group:
        known = stored.get((problem, row.decision_id))
        if known is None:
            fenced.append(row)
        elif row.decision_id in new:
            new.remove(row.decision_id)
        else:
            existing.append(known)
    return Appended(tuple(numbered), tuple(fenced), tuple(existing))


def _joined(one: Appended, other: Appended) -> Appended:
    if not (one.written or one.fenced or one.existing):
        return other
    return Appended(one.written + other.written, one.fenced + other.fenced, one.existing + other.existing)


def find(connection: Connection, problem: str, decision_id: str) -> Decision | None:
    """One decision with its correction applied; None when unknown."""
    values = connection.execute(_FIND, (problem, decision_id)).fetchone()
    return None if values is None else decision_from(values)


def correct(
    connection: Connection,
    problem: str,
    correction: Correction,
    fold: Fold | None = None,
    *,
    unless_measured: bool = False,
) -> bool:
    """Append a correction and the event that stands for it in the order; the decision's row stays as it is.

    `fold` sees the decision: what it no longer parts may be a run that trips a breaker. With `unless_measured` nothing
    is written where an outcome says that the decision was acted on; whether it was written is returned.

    Raises:
        UnknownError: no such decision.
    """
    stored = find(connection, problem, correction.decision_id)
    if stored is None:
        raise UnknownError(
            expected="the id of a decision in the log",
            found=repr(correction.decision_id),
            where=f"the log of {problem!r}",
            fix="correct only what was appended",
        )
    if unless_measured and connection.execute(_ACTED_ON, (problem, correction.decision_id)).fetchone() is not None:
        return False
    propensity = None if correction.propensity is None else float(correction.propensity)
    index, vector = stored_action(correction.action)
    values = (correction.decision_id, index, correction.arm.value, propensity, correction.reason, vector)
    payload = {
        "decision_id": correction.decision_id,
        "action": index if vector is None else correction.action,
        "arm": correction.arm.value,
        "propensity": propensity,
    }
    event = Event(problem, "correction", "tenure", correction.reason, correction.at, payload)
    sequence = append_numbered(connection, event, correction=hashed_correction(values)).sequence
    connection.execute("INSERT INTO correction VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (problem, sequence, *values))
    if fold is not None:
        fold_in(connection, problem, [stored.sequence], fold, correction.at)
    return True


def propose(connection: Connection, problem: str, rows: Sequence[ShadowProposal]) -> None:
    """Append what the arms that did not answer would have done; repeats change nothing."""
    _insert(connection, _PROPOSE, [proposal_values(problem, row) for row in rows])


def _find(connection: Connection, rows: Sequence[Decision]) -> Stored:
    stored: Stored = {}
    for problem, group in _groups(rows, lambda row: row.problem).items():
        # The view costs ten times the lookup in the table, and nearly every id is new.
        for name in _among(connection, _KNOWN, problem, [row.decision_id for row in group]):
            found = find(connection, problem, name)
            assert found is not None
            stored[problem, name] = found
    return stored


def _among(connection: Connection, statement: str, problem: str, ids: Sequence[str]) -> list[str]:
    """Which of these ids a statement finds: one round trip for many, and few statements to prepare."""
    found: list[str] = []
    for start in range(0, len(ids), _ASKED_AT_ONCE):
        some = ids[start : start + _ASKED_AT_ONCE]
        size = 1 << (len(some) - 1).bit_length()
        padded = (problem, *some, *([some[0]] * (size - len(some))))
        found += [name for (name,) in connection.execute(_sized(statement, size), padded)]
    return found


@lru_cache
def _sized(statement: str, size: int) -> str:
    return statement.format(", ".join("?" * size))


def _insert(connection: Connection, statement: str, values: Sequence[Values]) -> None:
    """Write rows in few statements: each is a round trip, or hands Python's lock to another thread."""
    start, size = 0, _INSERTED_AT_ONCE
    while start < len(values):
        while start + size > len(values):
            size //= 2
        some = [value for row in values[start : start + size] for value in row]
        connection.execute(_filled(statement, len(values[0]), size), some)
        start += size


@lru_cache
def _filled(statement: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.format(", ".join([row] * rows))


def _groups(rows: Sequence[Decision], key: Callable[[Decision], K]) -> dict[K, list[Decision]]:
    groups: dict[K, list[Decision]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _first_of_each(group: Sequence[Decision], stored: Stored) -> list[Decision]:
    """Rows not stored yet, the first of each id."""
    fresh: dict[str, Decision] = {}
    for row in group:
        if (row.problem, row.decision_id) not in stored:
            fresh.setdefault(row.decision_id, row)
    return list(fresh.values())


def _commit(
    connection: Connection, problem: str, epoch: int, rows: Sequence[Decision], fold: Fold | None
) -> list[Decision]:
    """Number, write and seal new rows; returns them numbered, or none of them when the epoch has passed."""
    learned = any(row.arm is Arm.CANDIDATE for row in rows)
    try:
        numbers = take(connection, problem, len(rows), epoch, learned=learned)
    except FencedError:
        return []
    nonces = os.urandom(NONCE_BYTES * len(rows))
    values = [
        decision_values(row, numbers.first + at, nonces[NONCE_BYTES * at : NONCE_BYTES * (at + 1)])
        for at, row in enumerate(rows)
    ]
    _insert(connection, _INSERT, values)
    seal(connection, numbers, [decision_bytes(row) for row in values])
    names = {row.decision_id: numbers.first + at for at, row in enumerate(rows)}
    adopted = _adopt(connection, problem, names)
    if adopted and fold is not None:
        fold_in(connection, problem, adopted, fold, rows[-1].decided_at)
    return [numbered(row, numbers.first + offset) for offset, row in enumerate(rows)]


def _adopt(connection: Connection, problem: str, names: Mapping[str, int]) -> list[int]:
    """Give new decisions, by id, the outcomes that waited for them; the numbers of those that had any."""
    if connection.execute(_ANY_WAITS, (problem,)).fetchone() is None:
        return []
    waited = set(_among(connection, _WAITED, problem, list(names)))
    return adopt_orphans(connection, problem, {name: names[name] for name in names if name in waited})
