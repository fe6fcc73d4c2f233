"""The store on SQLite: one file, several processes."""

from __future__ import annotations

from pathlib import Path

from tenure.store.connection import Connections, Synchronous
from tenure.store.log import Store


class SqliteStore(Store):
    """The log in one SQLite file (WAL).

    Args:
        path: the database file; made when absent, its folder is not.
        synchronous: FULL makes every commit survive a loss of power; OFF is for benchmarks.
        busy_timeout_s: how long to wait for another process's lock, in seconds.
        cached_statements: prepared statements kept per connection.

    Raises:
        StoreError: the file cannot be opened, is no log, or belongs to another version of Tenure.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: Synchronous = "FULL",
        busy_timeout_s: float = 5.0,
        cached_statements: int = 100,
    ) -> None:
        self.connections = Connections(path, synchronous, busy_timeout_s, cached_statements)
        super().__init__(self.connections)
