"""Connections to one file: how they are opened, what a transaction is, and what their failures mean."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from weakref import WeakSet

import apsw

from tenure.core.errors import StoreError
from tenure.store.database import TakenError
from tenure.store.schema import SCHEMA_VERSION, prepare

Synchronous = Literal["FULL", "OFF"]
Level = Literal["FULL", "NORMAL", "OFF"]

_FIXES: dict[type[apsw.Error], str] = {
    apsw.FullError: "free space on the disk; writing resumes by itself",
    apsw.BusyError: "find the process that holds the file and end its transaction, then try again",
    apsw.CantOpenError: "make the folder, and give this user the right to write in it",
    apsw.NotADBError: "name another file, or restore this one from a backup",
    apsw.CorruptError: "restore the file from a backup and run `tenure log verify`",
}


_WAL_ATTEMPTS = 20
_STEP_S = 0.000_2

OLDEST = (3, 51, 3)
"""SQLite before it can lose a commit when two processes reset the write-ahead log together."""


def check_library(version: str) -> None:
    """Refuse a SQLite that can lose what was acknowledged.

    Raises:
        StoreError: it is too old.
    """
    if tuple(int(part) for part in version.split(".")[:3]) < OLDEST:
        raise StoreError(
            expected=f"SQLite {'.'.join(map(str, OLDEST))} or newer",
            found=f"SQLite {version}, which can lose commits of its write-ahead log",
            where="the library that apsw brings",
            fix="pip install --upgrade apsw",
        )


class Connections:
    """One writer behind a lock and one reader per thread, all on the same file.

    Args:
        path: the database file; made when absent, its folder is not.
        synchronous: FULL makes every commit survive a loss of power; OFF is for benchmarks.
        busy_timeout_s: how long to wait for another process's lock, in seconds.
        cached_statements: prepared statements kept per connection.

    Raises:
        StoreError: the file cannot be opened, or is not a log of this version.
    """

    def __init__(self, path: Path, synchronous: Synchronous, busy_timeout_s: float, cached_statements: int) -> None:
        check_library(apsw.sqlite_lib_version())
        self._path = path
        self._synchronous = synchronous
        self._level: Level = synchronous
        self._busy_timeout_s = busy_timeout_s
        self._cached_statements = cached_statements
        self._lock = threading.Lock()
        self._local = threading.local()
        # Weak, so that a thread that ends takes its reader along.
        self._readers: WeakSet[apsw.Connection] = WeakSet()
        self._closed = threading.Event()
        try:
            self._writer = self._open()
        except apsw.Error as error:
            raise self._failed(error) from error
        try:
            self._prepare()
        except BaseException:
            self._writer.close()
            raise

    def close(self) -> None:
        """Close all connections; closing twice is allowed."""
        with self._lock:
            self._closed.set()
            for connection in (*self._readers, self._writer):
                with suppress(apsw.IOError):  # all that was committed is in the write-ahead log
                    connection.close()

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """This thread's reader.

        Raises:
            StoreError: the database cannot be read.
        """
        try:
            yield getattr(self._local, "reader", None) or self._open_reader()
        except apsw.Error as error:
            raise self._failed(error) from error
        except UnicodeDecodeError as error:  # a bit flipped in a text
            raise self._failed(apsw.CorruptError(str(error))) from error

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """This thread's reader, seeing one state of the database across statements."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, *, synced: bool = True) -> Iterator[apsw.Connection]:
        """The writer inside a transaction that commits at the end and rolls back on any error.

        Args:
            synced: the commit survives a loss of power; another one is undone by it, unless a synced one followed.

        Raises:
            StoreError: the database cannot be written; nothing was.
        """
        try:
            with self._lock:
                connection = self._writer
                self._sync(synced)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    # After a full disk SQLite may have rolled back already.
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        except apsw.Error as error:
            raise self._failed(error) from error

    def scrub(self) -> bool:
        """Write the file anew and empty its write-ahead log; nobody else writes meanwhile.

        Overwriting alone (`secure_delete`) leaves copies behind in pages that were split before.

        Returns:
            False when a reader still needs the write-ahead log.

        Raises:
            StoreError: the database cannot be written.
        """
        try:
            with self._lock:
                self._sync(True)
                self._writer.execute("VACUUM")
                busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").get
        except apsw.BusyError:
            return False
        except apsw.Error as error:
            raise self._failed(error) from error
        return not busy

    def hint(self, timeout_s: float) -> bool:
        """Wait; a look at a file is so cheap that SQLite needs no hints."""
        self._closed.wait(timeout_s)
        return False

    def unblock(self) -> None:
        """Nothing: a process that holds the file's lock cannot be made to let go."""

    def _sync(self, synced: bool) -> None:
        """Set what the writer's next commit waits for; between transactions only."""
        level: Level = self._synchronous if synced or self._synchronous == "OFF" else "NORMAL"
        if level != self._level:
            self._writer.pragma("synchronous", level)
            self._level = level

    def _failed(self, error: apsw.Error) -> StoreError:
        kind = TakenError if isinstance(error, apsw.ConstraintError) else StoreError
        return kind(
            expected="a log that can be read and written",
            found=f"{type(error).__name__}: {error}",
            where=str(self._path),
            fix=_FIXES.get(type(error), "look at the disk and at the rights on the file, then try again"),
        )

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), statementcachesize=self._cached_statements)
        connection.set_busy_handler(_Patience(self._busy_timeout_s))
        connection.pragma("synchronous", self._synchronous)
        connection.pragma("cache_size", -16_384)
        # Four times SQLite's own: pages written again and again between two checkpoints are copied and synced once.
        connection.pragma("wal_autocheckpoint", 4_000)
        return connection

    def _open_reader(self) -> apsw.Connection:
        if self._closed.is_set():
            raise apsw.ConnectionClosedError("the store was closed")
        connection = self._open()
        connection.pragma("query_only", True)
        self._local.reader = connection
        self._readers.add(connection)
        return connection

    def _prepare(self) -> None:
        """A log that is there is opened without a lock: a kill must not wait for whoever holds it."""
        try:
            if self._writer.pragma("user_version") == SCHEMA_VERSION:
                return
            _use_wal(self._writer)
        except apsw.Error as error:
            raise self._failed(error) from error
        with self.writing() as connection:
            prepare(connection, str(self._path))


class _Patience:
    """Waits for a lock in short steps: SQLite's own steps grow to 100 ms, too long for a kill beside busy writers."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s, self._until = timeout_s, 0.0

    def __call__(self, attempts: int) -> bool:
        now = time.monotonic()
        if attempts == 0:
            self._until = now + self._timeout_s
        time.sleep(_STEP_S)
        return now < self._until


def _use_wal(connection: apsw.Connection) -> None:
    """Switch the file to a write-ahead log.

    SQLite does not wait when two processes switch a new file at once: it says busy. Asking for the write lock does
    wait, so the loser waits there and tries again.
    """
    for _ in range(_WAL_ATTEMPTS):
        try:
            connection.pragma("journal_mode", "wal")
        except apsw.BusyError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            return
    raise apsw.BusyError("another process keeps the file from switching to a write-ahead log")
