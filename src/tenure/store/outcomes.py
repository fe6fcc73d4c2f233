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

_COUNTED = "SELECT outcome_id FROM outcome WHERE problem = ? AND decision_id = ? AND counted = 1"

_NUMBER = "SELECT sequence FROM decision WHERE problem = ? AND decision_id = ?"

_INSERT = """INSERT INTO outcome
(problem, decision_id, outcome_id, observed_at, signals, kind, received_at, place, note, counted, decision_sequence,
    learned_epoch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_ORPHANS = """SELECT problem, decision_id FROM outcome
WHERE problem = ? AND decision_id = ? AND place = 'orphan' LIMIT 1"""

# Breakers order outcomes by the number of their decision, and look only at those the candidate took, by its epoch.
_DECIDED = """SELECT decided_at, sequence, CASE WHEN arm = 'candidate' THEN kill_epoch END, erased
FROM decision WHERE problem = ? AND decision_id = ?"""

# The first measured one counts.
_ADOPT = """UPDATE outcome SET place = 'early', note = 'it arrived before its decision was written',
(decision_sequence, learned_epoch) = (
    SELECT sequence, CASE WHEN arm = 'candidate' THEN kill_epoch END FROM decision WHERE problem = ? AND sequence = ?
), counted = CASE WHEN id = (
    SELECT min(id) FROM outcome WHERE problem = ? AND decision_id = ? AND place = 'orphan'
    AND kind NOT IN ('window_closed', 'lost')
) THEN 1 ELSE 0 END
WHERE problem = ? AND decision_id = ? AND place = 'orphan'"""

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
        fold: sees the decisions whose outcome now counts, inside the transaction.
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
    receipts = [_append_one(connection, arrival, outcome) for outcome in outcomes]
    joined = [r.decision_id for r in receipts if r.status == "created" and r.place is Place.JOINED]
    if joined and arrival.fold is not None:
        found = connection.executemany(_NUMBER, [(arrival.problem, decision_id) for decision_id in joined])
        numbers = [number for (number,) in found]
        fold_in(connection, arrival.problem, numbers, arrival.fold, arrival.received_at)
    return receipts


def adopt_orphans(connection: Connection, problem: str, decisions: Mapping[str, int]) -> list[int]:
    """Outcomes that came before these decisions become early; the first measured one of each counts.

    Args:
        connection: inside the transaction that writes the decisions.
        problem: name of the problem.
        decisions: numbers by id.

    Returns:
        The numbers of the decisions that had outcomes waiting.
    """
    found = connection.executemany(_ORPHANS, [(problem, decision_id) for decision_id in decisions])
    waited = [decision_id for _, decision_id in found]
    keys = [(problem, decisions[name], *(problem, name) * 2) for name in waited]
    if keys:
        connection.executemany(_ADOPT, keys)
    return [decisions[name] for name in waited]


def _append_one(connection: Connection, arrival: Arrival, outcome: Outcome) -> Receipt:
    body = outcome_body(outcome)
    key = (arrival.problem, outcome.decision_id, outcome.outcome_id)
    stored = connection.execute(_SAME, key).fetchone()
    if stored is not None:
        if stored[:3] != body and stored[4] != FORGOTTEN:
            raise _conflict(outcome, stored[:3], body)
        return Receipt(outcome.outcome_id, outcome.decision_id, "exists", Place(stored[3]), stored[4])
    place, note, number, learned_epoch = _place(connection, arrival, outcome)
    if note == FORGOTTEN:
        body = (None, "{}", outcome.kind.value)
    counted = place is Place.JOINED and outcome.kind not in _UNMEASURED
    received_at = to_text(arrival.received_at)
    where = (place.value, note, int(counted), number, learned_epoch)
    connection.execute(_INSERT, (*key, *body, received_at, *where))
    return Receipt(outcome.outcome_id, outcome.decision_id, "created", place, note)


def _place(connection: Connection, arrival: Arrival, outcome: Outcome) -> tuple[Place, str, int | None, int | None]:
    """Where a new outcome belongs, the sentence that says why, and its decision's number and epoch, if learned."""
    key = (arrival.problem, outcome.decision_id)
    decided_at, *decision, erased = connection.execute(_DECIDED, key).fetchone() or (None, None, None, None)
    fault = FORGOTTEN if erased else unusable(outcome, arrival.signals)
    if fault:
        return Place.QUARANTINE, fault, None, None
    if decided_at is None:
        return Place.ORPHAN, "no such decision is in the log yet", None, None
    if arrival.received_at > from_text(decided_at) + arrival.wait:
        note = f"it arrived more than the wait time of {arrival.wait} after its decision"
        return Place.LATE, note, *decision
    counted = connection.execute(_COUNTED, key).fetchone()
    if counted is not None:
        return Place.REPEATED, f"outcome {counted[0]!r} already counts for this decision", *decision
    return Place.JOINED, "", *decision


def unusable(outcome: Outcome, signals: Collection[str]) -> str:
    """Why an outcome cannot be measured with, as one sentence; empty when it can.

    >>> unusable(Outcome.lost("d1"), {"cost"})
    ''
    """
    unknown = sorted(set(outcome.signals) - set(signals))
    if unknown:
        return f"the problem has no signal {unknown[0]!r}"
    broken = sorted(name for name, value in outcome.signals.items() if not math.isfinite(value))
    if broken:
        return f"signal {broken[0]!r} is not a finite number"
    bounds = signals if isinstance(signals, Mapping) else {}
    beyond = sorted(name for name, (low, high) in bounds.items() if not low <= outcome.signals.get(name, low) <= high)
    if beyond:
        return f"signal {beyond[0]!r} lies outside its declared bounds {bounds[beyond[0]]}"
    missing = sorted(set(signals) - set(outcome.signals))
    if missing and outcome.kind is Kind.OBSERVED:
        return f"signal {missing[0]!r} is missing"
    return ""


def _conflict(outcome: Outcome, stored: tuple[object, ...], body: tuple[object, ...]) -> ConflictError:
    return ConflictError(
        expected=f"the body stored before: {stored}",
        found=f"another body: {body}",
        where=f"outcome {outcome.outcome_id!r} of decision {outcome.decision_id!r}",
        fix="send a repeat unchanged, and a new measurement under a new outcome_id",
    )
