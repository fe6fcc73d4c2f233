"""A log copied to another place while it is written: for drills, which must touch nothing real."""

from __future__ import annotations

from pathlib import Path

import apsw

from tenure.core.errors import StoreError
from tenure.store.log import Store
from tenure.store.sqlite import SqliteStore

LARGEST_COPY = 2**30
"""Bytes of a log that are copied whole; of a larger one, or of one in another database, the salt is enough."""


def copy_log(store: Store, problem: str, source: Path | str, target: Path) -> tuple[SqliteStore, bool]:
    """A SQLite log at `target` that begins where a log stands; whether it holds all its rows.

    Args:
        store: the log.
        problem: name of the problem.
        source: where the log is; only a SQLite file of moderate size is copied whole.
        target: a new file.

    Raises:
        StoreError: it cannot be read or written.
    """
    whole = isinstance(source, Path) and source.exists() and source.stat().st_size <= LARGEST_COPY
    if whole:
        _backup(Path(source), target)
    copy = SqliteStore(target)
    copy.open_problem(problem, store.control(problem).salt)
    with copy.database.writing() as connection:
        connection.execute("DELETE FROM replica")  # nobody serves from the copy: a kill there waits for none of them
    return copy, whole


def _backup(source: Path, target: Path) -> None:
    """SQLite's online backup: one consistent state, whoever writes meanwhile."""
    try:
        reader, writer = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY), apsw.Connection(str(target))
        try:
            with writer.backup("main", reader, "main") as backup:
                while not backup.done:
                    backup.step(-1)
        finally:
            reader.close()
            writer.close()
    except apsw.Error as error:
        raise StoreError(
            expected="a log that can be copied", found=str(error), where=str(source), fix="see `tenure doctor`"
        ) from error
