"""Learned proposals that wait for a person: queued with the incumbent's decision, approved as a decision of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from tenure.core.clock import from_text, to_text
from tenure.core.decision import Arm, Decision
from tenure.core.errors import MoveError, UnknownError
from tenure.store import decisions, events
from tenure.store.database import Connection
from tenure.store.journal import read_control
from tenure.store.log import Store
from tenure.store.records import Control, Event

OPEN, APPROVED, REJECTED, EXPIRED = "open", "approved", "rejected", "expired"
SUFFIX = ":approved"
"""What an approved decision's id ends with; a random word follows where a client has taken that id."""

_COLUMNS = """problem, decision_id, version, action, confidence, kill_epoch, rule, asked_at, until, status, decided_at,
    decided_by"""
_INSERT = f"""INSERT INTO pending ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (problem, decision_id) DO NOTHING"""  # noqa: S608
_TIMES = (7, 8, 10)
"""Columns that hold moments."""
_FIND = f"SELECT {_COLUMNS} FROM pending WHERE problem = ? AND decision_id = ?"  # noqa: S608
_OPEN = f"""SELECT {", ".join(f"pending.{name.strip()}" for name in _COLUMNS.split(","))}
FROM pending JOIN head ON head.problem = pending.problem
    AND head.kill_epoch = pending.kill_epoch AND head.version = pending.version
WHERE pending.problem = ? AND status = 'open' AND until > ? AND head.killed = 0 AND head.stage <> 'rolled_back'
ORDER BY until LIMIT ?"""  # noqa: S608
_SETTLE = "UPDATE pending SET status = ?, decided_at = ?, decided_by = ? WHERE problem = ? AND decision_id = ?"
_EXPIRE = (
    "UPDATE pending SET status = 'expired', decided_at = until WHERE problem = ? AND status = 'open' AND until <= ?"
)


@dataclass(frozen=True)
class PendingDecision:
    """A learned proposal that waits for a person.

    Args:
        problem: name of the problem.
        decision_id: the incumbent's decision that was answered at once.
        version: the bundle that proposes.
        action: index of the proposed action.
        confidence: how sure it is, in [0, 1].
        kill_epoch: the epoch it was proposed under; a later one voids it.
        rule: which rule asks for a person.
        asked_at: when it was queued, UTC.
        until: from when on an approval comes too late, UTC.
        status: open, approved, rejected or expired.
        decided_at: when that was.
        decided_by: who said so.
    """

    problem: str
    decision_id: str
    version: str
    action: int
    confidence: float
    kill_epoch: int
    rule: str
    asked_at: datetime
    until: datetime
    status: str = OPEN
    decided_at: datetime | None = None
    decided_by: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        decided_at = None if self.decided_at is None else to_text(self.decided_at)
        times = {"asked_at": to_text(self.asked_at), "until": to_text(self.until), "decided_at": decided_at}
        return asdict(self) | times


class Pending:
    """The queue of one log.

    Args:
        store: the log.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def queue(self, connection: Connection, rows: Sequence[PendingDecision]) -> None:
        """Queue proposals inside the transaction that writes their decisions; a repeat changes nothing."""
        connection.executemany(_INSERT, [_values(row) for row in rows])

    def open(self, problem: str, now: datetime, limit: int = 1000) -> list[PendingDecision]:
        """What may still be approved, the most urgent first; not what a kill, a breaker or a rollback has voided."""
        with self.store.database.reading() as connection:
            return [_row(values) for values in connection.execute(_OPEN, (problem, to_text(now), limit))]

    def find(self, problem: str, decision_id: str) -> PendingDecision | None:
        """One proposal, whatever became of it; None when it was never queued."""
        with self.store.database.reading() as connection:
            return _find(connection, problem, decision_id)

    def expire(self, problem: str, now: datetime) -> None:
        """Mark what nobody approved in time."""
        with self.store.database.writing() as connection:
            connection.execute(_EXPIRE, (problem, to_text(now)))

    def approve(self, problem: str, decision_id: str, *, actor: str, at: datetime, reason: str = "") -> Decision:
        """Do what was proposed: a decision of its own, and the event that records who said so, in one transaction.

        Raises:
            MoveError: it was decided before, it is too late, or a kill, a breaker or a rollback came between.
            UnknownError: nothing of that id waits.
        """
        with self.store.database.writing() as connection:
            row = _waiting(connection, problem, decision_id, actor, at)
            control = read_control(connection, problem)
            _check_still_wanted(row, control)
            first = decisions.find(connection, problem, decision_id)
            assert first is not None
            approved = _append(connection, row, _approved(first, row, control, at))
            payload = {"decision_id": decision_id, "approved": approved.decision_id, "action": row.action}
            _settle(connection, row, APPROVED, actor, at)
            said = reason or f"the rule {row.rule} asked for a person"
            events.append_numbered(connection, Event(problem, "pending_approved", actor, said, at, payload))
            return approved

    def reject(self, problem: str, decision_id: str, *, actor: str, reason: str, at: datetime) -> PendingDecision:
        """Leave it at the incumbent's action.

        Raises:
            MoveError: it was decided before, or it is too late.
            UnknownError: nothing of that id waits.
        """
        with self.store.database.writing() as connection:
            row = _waiting(connection, problem, decision_id, actor, at)
            _settle(connection, row, REJECTED, actor, at)
            payload = {"decision_id": decision_id, "action": row.action}
            events.append_numbered(connection, Event(problem, "pending_rejected", actor, reason, at, payload))
            return replace(row, status=REJECTED, decided_at=at, decided_by=actor)


def _waiting(connection: Connection, problem: str, decision_id: str, actor: str, at: datetime) -> PendingDecision:
    """A proposal that may still be decided by a person."""
    row = _find(connection, problem, decision_id)
    if row is None:
        raise UnknownError(
            expected="the id of a decision that waits for a person",
            found=repr(decision_id),
            where=f"the log of {problem!r}",
            fix="see `tenure approvals list`",
        )
    if row.status != OPEN:
        raise _void(row, f"one that was {row.status} by {row.decided_by or 'nobody'}")
    if at >= row.until:
        raise _void(row, f"one whose deadline {to_text(row.until)} has passed")
    if not actor.strip():
        raise _void(row, "nobody's name")
    return row


def _check_still_wanted(row: PendingDecision, control: Control) -> None:
    if control.killed or control.kill_epoch != row.kill_epoch:
        raise _void(row, "one from before a kill or a breaker")
    if control.stage == "rolled_back" or control.version != row.version:
        raise _void(row, f"one of version {row.version}, which has been taken off")


def _void(row: PendingDecision, found: str) -> MoveError:
    return MoveError(
        expected="a proposal that is open, in time, of the version in place, and a person who decides",
        found=found,
        where=f"decision {row.decision_id!r} of {row.problem!r}",
        fix="the incumbent's action stands; decide the case by hand if it still matters",
    )


def _append(connection: Connection, row: PendingDecision, approved: Decision) -> Decision:
    """Write it under an id no client can have taken beforehand.

    Raises:
        MoveError: a kill came between.
    """
    for name in (approved.decision_id, f"{approved.decision_id}-{os.urandom(8).hex()}"):
        written = decisions.append(connection, [replace(approved, decision_id=name)]).written
        if written:
            return written[0]
    raise _void(row, "one that a kill overtook")


def _approved(first: Decision, row: PendingDecision, control: Control, at: datetime) -> Decision:
    """The person's decision; its probability is unknown, since nobody can say how often they would agree."""
    return replace(
        first,
        decision_id=f"{row.decision_id}{SUFFIX}",
        decided_at=at,
        stage=control.stage,
        arm=Arm.HUMAN,
        version=row.version,
        action=row.action,
        propensity=None,
        density=None,
        explored=False,
        confidence=row.confidence,
        kill_epoch=control.kill_epoch,
        reason="approved",
        latency_us=0,
        sequence=0,
    )


def _settle(connection: Connection, row: PendingDecision, status: str, actor: str, at: datetime) -> None:
    connection.execute(_SETTLE, (status, to_text(at), actor, row.problem, row.decision_id))


def _find(connection: Connection, problem: str, decision_id: str) -> PendingDecision | None:
    values = connection.execute(_FIND, (problem, decision_id)).fetchone()
    return None if values is None else _row(values)


def _values(row: PendingDecision) -> tuple[Any, ...]:
    decided_at = None if row.decided_at is None else to_text(row.decided_at)
    proposal = row.problem, row.decision_id, row.version, int(row.action), float(row.confidence), row.kill_epoch
    return *proposal, row.rule, to_text(row.asked_at), to_text(row.until), row.status, decided_at, row.decided_by


def _row(values: tuple[Any, ...]) -> PendingDecision:
    fields = [*values]
    for at in _TIMES:
        fields[at] = None if fields[at] is None else from_text(fields[at])
    return PendingDecision(*fields)
