"""Forgetting a unit: what says who it was goes, what was done stays, and the chain still proves it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from tenure.store.database import Connection
from tenure.store.events import append_numbered
from tenure.store.journal import read_control
from tenure.store.log import Store
from tenure.store.outcomes import FORGOTTEN
from tenure.store.records import Event
from tenure.store.rows import Values, from_json, personal_digest

FORGET = "forget"
"""Kind of the event an erasure leaves; its payload counts the decisions, and never names the unit."""

_OF_UNIT = "SELECT * FROM decision WHERE problem = ? AND unit_id = ? AND erased IS NULL ORDER BY sequence"

# The salt goes too: nobody can try names against the digest.
_ERASE = """UPDATE decision SET erased = ?, unit_id = ?,
episode_id = CASE WHEN episode_id IS NULL THEN NULL ELSE ? END, context = '{}', observation = ?, request_hash = '',
candidates = NULL, nonce = NULL WHERE problem = ? AND sequence = ?"""

_EMPTY = """UPDATE outcome SET observed_at = NULL, signals = '{}', counted = 0, learned_epoch = NULL, note = ?
WHERE problem = ? AND decision_id = ?"""

# What `forget` leaves is all alike, so that nothing can be written into it: the chain holds only a digest of what was.
_FILLED = """SELECT min(sequence) FROM decision WHERE problem = ? AND erased IS NOT NULL AND NOT (
length(unit_id) = 26 AND substr(unit_id, 1, 10) = 'forgotten-'
AND ltrim(substr(unit_id, 11), '0123456789abcdef') = '' AND (episode_id IS NULL OR episode_id = unit_id)
AND context = '{}' AND observation = ? AND request_hash = '' AND candidates IS NULL AND nonce IS NULL)"""

_DROP = (
    "DELETE FROM proposal WHERE problem = ? AND decision_id = ?",
    "DELETE FROM pending WHERE problem = ? AND decision_id = ?",
)


@dataclass(frozen=True)
class Forgotten:
    """What an erasure did.

    Args:
        decisions: how many were emptied; 0 where the log does not know the unit.
        pseudonym: under which they stand now, so that they still belong together.
        scrubbed: the bytes are gone from the database's files as well; on PostgreSQL its administrator sees to that.
        notes: what people wrote on these decisions, which stays as it is: it is part of the chain.
    """

    decisions: int
    pseudonym: str
    scrubbed: bool
    notes: int


def forget(store: Store, problem: str, unit_id: str, *, actor: str, at: datetime) -> Forgotten:
    """Empty all decisions of a unit of what says who it was, in one transaction with the event that counts them.

    A decision keeps when it was made, by whom, with which action and probability; its digest stands in for what is
    gone, so that the chain verifies. An outcome stays as an empty row that no longer counts: its id was acknowledged,
    and a repeat of it must not bring the content back. Proposals and pending approvals are deleted, as nothing refers
    to them. Bundles, exports and backups are other files: whoever made them forgets there.

    Raises:
        UnknownError: the problem was never opened.
        StoreError: the database cannot be written; nothing was forgotten.
    """
    pseudonym = f"forgotten-{os.urandom(8).hex()}"
    with store.database.writing() as connection:
        read_control(connection, problem)
        rows = connection.execute(_OF_UNIT, (problem, unit_id)).fetchall()
        if rows:
            _empty(connection, problem, rows, pseudonym)
            reason = "what was known of a unit was erased"
            append_numbered(connection, Event(problem, FORGET, actor, reason, at, {"decisions": len(rows)}))
    ids = {values[0] for values in rows}
    notes = sum(event.payload["decision_id"] in ids for event in store.notes(problem))
    return Forgotten(len(rows), pseudonym, store.database.scrub(), notes)


def erased(connection: Connection, problem: str) -> tuple[int, int]:
    """How many decisions are erased, and how many the events of erasure account for."""
    found: int = connection.execute(
        "SELECT count(*) FROM decision WHERE problem = ? AND erased IS NOT NULL", (problem,)
    ).get
    told = connection.execute("SELECT payload FROM event WHERE problem = ? AND kind = ?", (problem, FORGET))
    return found, sum(from_json(payload)["decisions"] for (payload,) in told)


def first_filled(connection: Connection, problem: str) -> int | None:
    """Number of the first erased decision that says more than `forget` leaves; None when none does."""
    found: int | None = connection.execute(_FILLED, (problem, b"")).get
    return found


def _empty(connection: Connection, problem: str, rows: list[Values], pseudonym: str) -> None:
    connection.executemany(
        _ERASE,
        [(personal_digest(values), pseudonym, pseudonym, b"", problem, values[24]) for values in rows],
    )
    keys = [(problem, values[0]) for values in rows]
    connection.executemany(_EMPTY, [(FORGOTTEN, *key) for key in keys])
    for statement in _DROP:
        connection.executemany(statement, keys)
