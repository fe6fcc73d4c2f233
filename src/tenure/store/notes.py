"""What people say of single decisions: events of the chain, so that nobody can edit or lose one unseen."""

from __future__ import annotations

from datetime import datetime

from tenure.core.errors import UnknownError
from tenure.store.database import Connection
from tenure.store.decisions import find
from tenure.store.events import append_numbered
from tenure.store.records import Event
from tenure.store.rows import event_from

NOTE = "note"
"""Kind of the event a note is; its reason is the text, its payload names the decision."""

_NOTES = "SELECT * FROM event WHERE problem = ? AND kind = ? ORDER BY sequence"


def append(connection: Connection, problem: str, decision_id: str, text: str, actor: str, at: datetime) -> Event:
    """Append a note on a decision.

    Raises:
        UnknownError: no such problem or decision.
    """
    if find(connection, problem, decision_id) is None:
        raise UnknownError(
            expected="the id of a decision in the log",
            found=repr(decision_id),
            where=f"the log of {problem!r}",
            fix="copy the id from the log or from the server's answer; nothing was written",
        )
    return append_numbered(connection, Event(problem, NOTE, actor, text, at, {"decision_id": decision_id}))


def read(connection: Connection, problem: str) -> list[Event]:
    """Every note, in order."""
    return [event_from(values) for values in connection.execute(_NOTES, (problem, NOTE))]
