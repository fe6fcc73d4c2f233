"""A log by its place: a path is a SQLite file, an address is a PostgreSQL database."""

from __future__ import annotations

import re
from pathlib import Path

from tenure.core.errors import StoreError
from tenure.store.log import Store
from tenure.store.sqlite import SqliteStore

_ADDRESS = re.compile(r"postgres(ql)?://")
_PASSWORD = re.compile(r"(?<=:)[^:/@]*(?=@)|(?<=password=)[^&]*")


def open_store(place: Path | str, wait_s: float = 5.0) -> Store:
    """Open the log at a place; a file or tables are made when absent.

    Args:
        place: a path, or `postgresql://user@host/database`.
        wait_s: how long to wait for another process's lock, in seconds.

    Raises:
        StoreError: it cannot be opened, or holds something else; a PostgreSQL server that cannot be reached shows at
            the first use instead, so that a server can start, and a kill can go on, without its database.
    """
    if isinstance(place, Path) or not _ADDRESS.match(place):
        return SqliteStore(Path(place), busy_timeout_s=wait_s)
    try:
        from tenure.store.postgres import PostgresStore
    except ModuleNotFoundError as error:
        raise StoreError(
            expected="the driver for PostgreSQL",
            found=f"no module {error.name!r}",
            where=shown(place),
            fix="pip install 'tenure[postgres]'",
        ) from error
    return PostgresStore(place, lock_wait_s=wait_s)


def shown(place: Path | str) -> str:
    """A place as people may read it: the whole path, or the address without its password.

    >>> shown("postgresql://ann:secret@db.example/tenure?password=secret&sslmode=require")
    'postgresql://ann:***@db.example/tenure?password=***&sslmode=require'
    """
    if isinstance(place, Path) or not _ADDRESS.match(place):
        return str(Path(place).resolve())
    return _PASSWORD.sub("***", place)
