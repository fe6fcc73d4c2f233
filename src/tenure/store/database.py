"""What a database must offer the store: connections, transactions, and rows; SQL is written once for all of them.

SQL in this room keeps to what SQLite and PostgreSQL share: `?` for parameters (never numbered), ON CONFLICT, RETURNING,
integers for booleans, ISO text for times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tenure.core.errors import StoreError


class TakenError(StoreError):
    """A row under that key is there already; nothing was written."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def get(self) -> Any:
        """The only row, as its only value where it has one column; None when there is none."""
        ...

    def fetchone(self) -> tuple[Any, ...] | None: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...

    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...


class Connection(Protocol):
    """One connection, inside a transaction or a snapshot."""

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Rows: ...

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows: ...


class Database(Protocol):
    """Readers and one writer at a time; every failure of the database is a StoreError."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that sees what is committed."""
        ...

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A reader that sees one state across statements."""
        ...

    def writing(self, *, synced: bool = True) -> AbstractContextManager[Connection]:
        """A transaction that commits at the end and rolls back on any error.

        Args:
            synced: the commit survives a loss of power; another one is undone by it, unless a synced one followed.
        """
        ...

    def scrub(self) -> bool:
        """Remove from its files what committed erasures left behind; False when that is not done."""
        ...

    def unblock(self) -> None:
        """End sessions that hold the writers' lock and do nothing, where the database can; a kill must not wait."""
        ...

    def hint(self, timeout_s: float) -> bool:
        """Wait so long at most, less when some kill epoch is heard to have moved; True then. Never to be relied on."""
        ...

    def close(self) -> None:
        """Close all connections; closing twice is allowed."""
        ...
