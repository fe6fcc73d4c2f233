"""Everything the log holds of one decision, read in one state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tenure.core.clock import from_text
from tenure.core.decision import Arm, Decision, Kind, Outcome, Place, ShadowProposal
from tenure.store.database import Connection
from tenure.store.decisions import find
from tenure.store.log import Store
from tenure.store.records import Event
from tenure.store.rows import ERASED, NONCE, VECTOR, action_from, decision_from, event_from, from_json

_WRITTEN = "SELECT * FROM decision WHERE problem = ? AND decision_id = ?"
_PROPOSALS = """SELECT decision_id, arm, version, action, propensity, confidence, computed_at, vector, apart
FROM proposal WHERE problem = ? AND decision_id = ? ORDER BY id"""
_OUTCOMES = """SELECT outcome_id, decision_id, observed_at, signals, kind, received_at, place, note, counted
FROM outcome WHERE problem = ? AND decision_id = ? ORDER BY id"""
_CORRECTIONS = """SELECT event.* FROM event JOIN correction
    ON correction.problem = event.problem AND correction.sequence = event.sequence
WHERE correction.problem = ? AND correction.decision_id = ? ORDER BY event.sequence"""


@dataclass(frozen=True)
class KeptOutcome:
    """An outcome as it was kept: where it was put, why, and whether it is the one that counts."""

    outcome: Outcome
    received_at: datetime
    place: Place
    note: str
    counted: bool


@dataclass(frozen=True)
class Story:
    """One decision with all that belongs to it.

    Args:
        written: its row as it was written first.
        standing: with corrections applied.
        erased: what could say who it was for has been destroyed.
        proposals: what the arms that did not answer would have done.
        outcomes: in the order they came.
        corrections: events that changed what it says, in order.
    """

    written: Decision
    standing: Decision
    erased: bool
    proposals: tuple[ShadowProposal, ...]
    outcomes: tuple[KeptOutcome, ...]
    corrections: tuple[Event, ...]


def story(store: Store, problem: str, decision_id: str) -> Story | None:
    """What the log holds of a decision; None when it is unknown."""
    asked = problem, decision_id
    with store.database.snapshot() as connection:
        values = connection.execute(_WRITTEN, asked).fetchone()
        standing = find(connection, problem, decision_id)
        if values is None or standing is None:
            return None
        return Story(
            written=decision_from((*values[:NONCE], values[VECTOR])),
            standing=standing,
            erased=values[ERASED] is not None,
            proposals=_proposals(connection, asked),
            outcomes=_outcomes(connection, asked),
            corrections=tuple(map(event_from, connection.execute(_CORRECTIONS, asked).fetchall())),
        )


def _proposals(connection: Connection, asked: tuple[str, str]) -> tuple[ShadowProposal, ...]:
    rows = connection.execute(_PROPOSALS, asked).fetchall()
    return tuple(
        ShadowProposal(
            name, Arm(arm), version, action_from(action, vector), propensity, confidence, from_text(at), apart
        )
        for name, arm, version, action, propensity, confidence, at, vector, apart in rows
    )


def _outcomes(connection: Connection, asked: tuple[str, str]) -> tuple[KeptOutcome, ...]:
    kept = []
    for name, decision_id, observed_at, signals, kind, received_at, place, note, counted in connection.execute(
        _OUTCOMES, asked
    ).fetchall():
        moment = None if observed_at is None else from_text(observed_at)
        outcome = Outcome(name, decision_id, moment, from_json(signals), Kind(kind))
        kept.append(KeptOutcome(outcome, from_text(received_at), Place(place), note, bool(counted)))
    return tuple(kept)
