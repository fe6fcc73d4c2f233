"""The path of an outcome: idempotent, kept whatever it says, and in exactly one place."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenure.core.clock import from_text, to_text
from tenure.core.decision import Kind, Outcome, Place
from tenure.core.errors import ConflictError
from tenure.store.database import Connection
from tenure.store.folding import Fold, fold_in
from tenure.store.records import Receipt
from tenure.store.rows import outcome_body

# They say that nothing was measured: kept and joined, but never counted, since unknown is not zero.
_UNMEASURED = (Kind.WINDOW_CLOSED, Kind.LOST)

_SAME = """SELECT observed_at, signals, kind, place, note FROM outcome
WHERE problem = ? AND decision_id = ? AND outcome_id = ?"""

# The one that counts, or else the one out of bounds that breakers look at.
_STANDS = """SELECT outcome_id, counted FROM outcome
WHERE problem = ? AND decision_id = ? AND (counted = 1 OR learned_epoch IS NOT NULL) ORDER BY counted DESC LIMIT 1"""

_HIDE = "UPDATE outcome SET learned_epoch = NULL WHERE problem = ? AND decision_id = ? AND outcome_id = ?"

_INSERT = """INSERT INTO outcome
(problem, decision_id, outcome_id, observed_at, signals, kind, received_at, place, note, counted, decision_sequence,
    learned_epoch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

# Breakers order outcomes by the number of their decision, and look only at those the candidate took, by its epoch:
# one of each decision, which counts or lies out of bounds; no other outcome has an epoch.
_DECIDED = """SELECT decided_at, sequence, CASE WHEN arm = 'candidate' THEN kill_epoch END, erased
FROM decision WHERE problem = ? AND decision_id = ?"""

_WAITS = "no such decision is in the log yet"

# Of those that wait for a decision: the first measured one, within bounds if there is any.
_FIRST = """SELECT decision_id, id FROM outcome WHERE problem = ? AND decision_id = ? AND place = 'orphan'
ORDER BY kind IN ('window_closed', 'lost'), note <> '{waits}', id LIMIT 1""".replace("{waits}", _WAITS)

_ADOPT = """UPDATE outcome SET
place = CASE WHEN note = '{waits}' THEN 'early' ELSE 'quarantine' END,
note = CASE WHEN note = '{waits}' THEN 'it arrived before its decision was written' ELSE note END,
counted = CASE WHEN id = ? AND note = '{waits}' AND kind NOT IN ('window_closed', 'lost') THEN 1 ELSE 0 END,
decision_sequence = ?, learned_epoch = CASE WHEN id = ? AND kind NOT IN ('window_closed', 'lost') THEN (
    SELECT kill_epoch FROM decision WHERE problem = ? AND sequence = ? AND arm = 'candidate'
) END
WHERE problem = ? AND decision_id = ? AND place = 'orphan'""".replace("{waits}", _WAITS)

FORGOTTEN = "its decision's unit was forgotten, and so is what was measured"
"""Note on an outcome that is kept without its content."""


@dataclass(frozen=True)
class Arrival:
    """What is known of a batch of outcomes when it comes in.

    Args:
        problem: name of the problem.
        received_at: moment of arrival, UTC.
        wait: reward wait time; what arrives later than that after its decision is late.
        signals: names the problem declares.
        fold: sees the learned decisions whose outcome now counts, or lies out of bounds, inside the transaction.
    """

    problem: str
    received_at: datetime
    wait: timedelta
    signals: Collection[str]
    fold: Fold | None = None


def append(connection: Connection, arrival: Arrival, outcomes: Sequence[Outcome]) -> list[Receipt]:
    """Write a batch of outcomes; one receipt each, in order.

    Raises:
        ConflictError: an outcome's id is stored, or stands earlier in the batch, with another body.
    """
    written = [_append_one(connection, arrival, outcome) for outcome in outcomes]
    numbers = [number for _, number in written if number is not None]
    if numbers and arrival.fold is not None:
        fold_in(connection, arrival.problem, numbers, arrival.fold, arrival.received_at)
    return [receipt for receipt, _ in written]


def adopt_orphans(connection: Connection, problem: str, decisions: Mapping[str, int]) -> list[int]:
    """Outcomes that came before these decisions become early; the first measured one of each counts.

    One out of bounds goes to quarantine; breakers look at the first of them where none counts.

    Args:
        connection: inside the transaction that writes the decisions.
        problem: name of the problem.
        decisions: numbers by id.

    Returns:
        The numbers of the decisions that had outcomes waiting.
    """
    first = dict(connection.executemany(_FIRST, [(problem, decision_id) for decision_id in decisions]).fetchall())
    keys = [
        (first[name], number, first[name], problem, number, problem, name)
        for name, number in decisions.items()
        if name in first
    ]
    if keys:
        connection.executemany(_ADOPT, keys)
    return [decisions[name] for name in first]


def _append_one(connection: Connection, arrival: Arrival, outcome: Outcome) -> tuple[Receipt, int | None]:
    """Its receipt, and its decision's number if breakers must look at it."""
    body = outcome_body(outcome)
    key = (arrival.problem, outcome.decision_id, outcome.outcome_id)
    stored = connection.execute(_SAME, key).fetchone()
    if stored is not None:
        if stored[:3] != body and stored[4] != FORGOTTEN:
            raise _conflict(outcome, stored[:3], body)
        return Receipt(outcome.outcome_id, outcome.decision_id, "exists", Place(stored[3]), stored[4]), None
    place, note, number, learned_epoch = _place(connection, arrival, outcome)
    if note == FORGOTTEN:
        body = (None, "{}", outcome.kind.value)
    counted = place is Place.JOINED and outcome.kind not in _UNMEASURED
    received_at = to_text(arrival.received_at)
    where = (place.value, note, int(counted), number, learned_epoch)
    connection.execute(_INSERT, (*key, *body, received_at, *where))
    receipt = Receipt(outcome.outcome_id, outcome.decision_id, "created", place, note)
    return receipt, None if learned_epoch is None else number


def _place(connection: Connection, arrival: Arrival, outcome: Outcome) -> tuple[Place, str, int | None, int | None]:
    """Where a new outcome belongs, the sentence that says why, its decision's number, and its epoch for breakers."""
    key = (arrival.problem, outcome.decision_id)
    decided_at, number, epoch, erased = connection.execute(_DECIDED, key).fetchone() or (None, None, None, None)
    fault = FORGOTTEN if erased else unusable(outcome, arrival.signals)
    if fault:
        return Place.QUARANTINE, fault, None, None
    outside = beyond(outcome, arrival.signals)
    if decided_at is None:
        return Place.ORPHAN, outside or _WAITS, None, None
    if arrival.received_at > from_text(decided_at) + arrival.wait:
        note = f"it arrived more than the wait time of {arrival.wait} after its decision"
        return Place.QUARANTINE if outside else Place.LATE, outside or note, number, None
    name, counted = connection.execute(_STANDS, key).fetchone() or (None, 0)
    epoch = None if outcome.kind in _UNMEASURED else epoch
    if outside:
        return Place.QUARANTINE, outside, number, epoch if name is None else None
    if counted:
        return Place.REPEATED, f"outcome {name!r} already counts for this decision", number, None
    if name is not None and epoch is not None:
        connection.execute(_HIDE, (*key, name))
    return Place.JOINED, "", number, epoch


def unusable(outcome: Outcome, signals: Collection[str]) -> str:
    """Why an outcome says nothing that can be compared, as one sentence; empty when it does.

    >>> unusable(Outcome.lost("d1"), {"cost"})
    ''
    """
    unknown = sorted(set(outcome.signals) - set(signals))
    if unknown:
        return f"the problem has no signal {unknown[0]!r}"
    broken = sorted(name for name, value in outcome.signals.items() if not math.isfinite(value))
    if broken:
        return f"signal {broken[0]!r} is not a finite number"
    missing = sorted(set(signals) - set(outcome.signals))
    if missing and outcome.kind is Kind.OBSERVED:
        return f"signal {missing[0]!r} is missing"
    return ""


def beyond(outcome: Outcome, signals: Collection[str]) -> str:
    """Which signal lies outside its bounds, where they are declared, as one sentence; empty when none does.

    >>> beyond(Outcome("o", "d", None, {"cost": 11.0}), {"cost": (0.0, 10.0)})
    "signal 'cost' lies outside its declared bounds (0.0, 10.0)"
    """
    bounds = signals if isinstance(signals, Mapping) else {}
    outside = sorted(name for name, (low, high) in bounds.items() if not low <= outcome.signals.get(name, low) <= high)
    return f"signal {outside[0]!r} lies outside its declared bounds {bounds[outside[0]]}" if outside else ""


def _conflict(outcome: Outcome, stored: tuple[object, ...], body: tuple[object, ...]) -> ConflictError:
    return ConflictError(
        expected=f"the body stored before: {stored}",
        found=f"another body: {body}",
        where=f"outcome {outcome.outcome_id!r} of decision {outcome.decision_id!r}",
        fix="send a repeat unchanged, and a new measurement under a new outcome_id",
    )
