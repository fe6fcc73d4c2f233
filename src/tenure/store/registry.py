"""Small records: registered versions, and how often a part of the data has been read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenure.core.clock import ALWAYS, from_text, to_text
from tenure.core.errors import ConflictError
from tenure.store.database import Connection
from tenure.store.records import VersionRow
from tenure.store.rows import from_json, to_json


def register_version(
    connection: Connection, version: str, problem: str, at: datetime, record: Mapping[str, Any]
) -> None:
    """Register a version; the same again changes nothing.

    Raises:
        ConflictError: the version is registered with another record.
    """
    text = to_json(record)
    stored = connection.execute(
        "SELECT record FROM version WHERE problem = ? AND version = ?", (problem, version)
    ).fetchone()
    if stored is None:
        connection.execute(
            "INSERT INTO version (problem, version, registered_at, record) VALUES (?, ?, ?, ?)",
            (problem, version, to_text(at), text),
        )
    elif stored[0] != text:
        raise ConflictError(
            expected=f"the record registered before: {stored[0]}",
            found=f"another record: {text}",
            where=f"version {version!r} of {problem!r}",
            fix="register what has changed as a version of its own",
        )


def versions(connection: Connection, problem: str, as_of: datetime | None) -> list[VersionRow]:
    """Versions registered up to a moment, oldest first."""
    until = ALWAYS if as_of is None else to_text(as_of)
    rows = connection.execute(
        """SELECT version, problem, registered_at, record FROM version
        WHERE problem = ? AND registered_at <= ? ORDER BY registered_at, id""",
        (problem, until),
    )
    return [VersionRow(version, name, from_text(at), from_json(record)) for version, name, at, record in rows]


def count_read(connection: Connection, problem: str, split: str, at: datetime, by: str) -> int:
    """Record one more reading of a split; returns how many there are."""
    connection.execute(
        "INSERT INTO split_read (problem, split, at, by) VALUES (?, ?, ?, ?)", (problem, split, to_text(at), by)
    )
    return reads(connection, problem, split)


def reads(connection: Connection, problem: str, split: str) -> int:
    """How often a split has been read."""
    count: int = connection.execute(
        "SELECT count(*) FROM split_read WHERE problem = ? AND split = ?", (problem, split)
    ).get
    return count
