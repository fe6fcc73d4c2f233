"""The store on PostgreSQL: several servers on several machines, one writer at a time."""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tenure.core.errors import StoreError, UnfitError
from tenure.store.database import TakenError
from tenure.store.dialect import PostgresConnection, PostgresSnapshot, adapt, prepare
from tenure.store.link import Link, SilentError
from tenure.store.log import Store

_CONNECT: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 3_000,
    "application_name": "tenure",
    "client_encoding": "utf8",
}
"""Of every connection, where the address does not say otherwise: what is lost is noticed within seconds."""

# One lock for one log, so that writers come one after the other as in SQLite: places of outcomes, numbers and folds
# never race. It is let go with the commit.
_LOCK = "advisory_xact_lock(hashtext('tenure'), hashtext(current_schema()))"
_UNBLOCK = """SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND state = 'idle in transaction' AND datname = current_database()
AND classid = hashtext('tenure')::oid AND objid = hashtext(current_schema())::oid"""

_FIXES: tuple[tuple[type[psycopg.Error], str], ...] = (
    (psycopg.errors.LockNotAvailable, "find the session that holds the log's lock in pg_locks and end it"),
    (psycopg.errors.DiskFull, "free space on the database's disk; writing resumes by itself"),
    (psycopg.OperationalError, "start the database, or mend the way to it; work resumes by itself"),
)

_abandoned: list[object] = []
"""Connections of a parent process: closing them here would end its sessions."""


class PostgresConnections:
    """One writer behind a lock and one reader per thread; opened when first used, and again after a loss.

    Args:
        url: `postgresql://user@host/database`.
        lock_wait_s: how long to wait for another server's transaction, or another thread's, in seconds.
        stall_s: how long a server may do nothing inside a transaction before the database ends it, in seconds.
        silence_s: how long the database may neither answer nor refuse, in seconds.
    """

    def __init__(self, url: str, lock_wait_s: float, stall_s: float, silence_s: float) -> None:
        self._where = conninfo_to_dict(url)
        self._settings = {
            "lock_timeout": f"{1000 * lock_wait_s:.0f}",
            "idle_in_transaction_session_timeout": f"{1000 * stall_s:.0f}",
        }
        self._lock_wait_s, self._silence_s = lock_wait_s, silence_s
        self._closed = threading.Event()
        self._prepared = False
        self._begin_life()

    def _begin_life(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()  # of the writer
        self._opening = threading.RLock()  # never held while the writer waits
        self._local = threading.local()
        self._silent_at = -math.inf
        self._writer: Link | None = None
        self._listener: Link | None = None
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()

    def close(self) -> None:
        """Close all connections; closing twice is allowed."""
        self._closed.set()
        with self._lock, self._opening:
            for reader in self._readers:
                reader.link.close()
            for link in (self._writer, self._listener):
                if link is not None:
                    link.close()

    @contextmanager
    def reading(self) -> Iterator[PostgresConnection]:
        """This thread's reader; each statement sees what is committed.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._translated():
            yield PostgresConnection(self._reader())

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """This thread's reader, seeing one state of the database across statements."""
        with self._translated():
            link = self._reader()
            snapshot = PostgresSnapshot(link)
            link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            try:
                yield snapshot
            finally:
                snapshot.close()
                _roll_back(link)

    @contextmanager
    def writing(self, *, synced: bool = True) -> Iterator[PostgresConnection]:
        """The writer inside a transaction that commits at the end and rolls back on any error.

        Args:
            synced: the commit survives a loss of power; another one is undone by it, unless a synced one followed.

        Raises:
            StoreError: the database cannot be written. Nothing was, unless the way to it broke while it committed:
                then only the log can say, and the same rows may be sent again, since each is written once.
        """
        with self._translated():
            self._mind_forks()
            with self._turn():
                link = self._begin()
                try:
                    if not synced:
                        link.execute("SET LOCAL synchronous_commit = off")
                    yield PostgresConnection(link)
                    _commit(link)
                except BaseException:
                    _roll_back(link)
                    raise

    def scrub(self) -> bool:
        """False: what deletions left in files and backups is the administrator's to clear (VACUUM FULL)."""
        return False

    def unblock(self) -> None:
        """End the session that holds the log's lock, if it is doing nothing: its server is frozen or out of reach.

        Raises:
            StoreError: the database cannot be reached.
        """
        with self._translated():
            link = self._connect(read_only=True)
            try:
                link.execute(_UNBLOCK)
            finally:
                link.close()

    def hint(self, timeout_s: float) -> bool:
        """Wait until some kill epoch moved, and say whether one did; never to be relied on."""
        try:
            if self._listener is None or self._listener.closed:
                self._listener = self._connect(read_only=True)
                self._listener.execute("LISTEN tenure_epoch")
                self._listener.patience_s = math.inf  # no word is the rule here
            return any(True for _ in self._listener.notifies(timeout=timeout_s, stop_after=1))
        except psycopg.Error:
            self._closed.wait(timeout_s)
            return False

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.DataError as error:
            raise UnfitError(
                expected="texts and numbers this database can keep",
                found=str(error).strip(),
                where=_place(self._where),
                fix="send them without NUL characters, and within 64 bits",
            ) from error
        except psycopg.Error as error:
            fixes = [fix for kind, fix in _FIXES if isinstance(error, kind)]
            kind = TakenError if isinstance(error, psycopg.errors.UniqueViolation) else StoreError
            raise kind(
                expected="a log that can be read and written",
                found=f"{type(error).__name__}: {str(error).strip()}",
                where=_place(self._where),
                fix=fixes[0] if fixes else "look into the database's own log, then try again",
            ) from error

    def _mind_forks(self) -> None:
        """A child process opens connections of its own."""
        if self._pid != os.getpid():
            _abandoned.extend([self._writer, self._listener, *self._readers, self._local])
            self._begin_life()

    def _connect(self, *, read_only: bool) -> Link:
        if self._closed.is_set():
            raise psycopg.InterfaceError("the store was closed")
        link = Link.connect(**{**_CONNECT, **self._where}, autocommit=True, prepare_threshold=1)
        link.patience_s = self._silence_s
        adapt(link)
        if read_only:
            link.execute("SET default_transaction_read_only = on")
            return link
        # Whoever wants more than `on` of the database keeps it.
        link.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
        for name, value in self._settings.items():
            link.execute("SELECT set_config(%s, %s, false)", (name, value))
        return link

    def _reader(self) -> Link:
        self._mind_forks()
        held: _Reader | None = getattr(self._local, "reader", None)
        if held is None or held.link.closed:
            self._prepare()
            held = self._local.reader = _Reader(self._connect(read_only=True))
            with self._opening:
                self._readers.add(held)
        return held.link

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The writer to this thread alone. Who waits for it while another meets silence takes that for its answer."""
        asked = monotonic()
        if not self._lock.acquire(timeout=self._lock_wait_s + self._silence_s):
            raise psycopg.OperationalError("another thread of this server is still at work in the database")
        try:
            if self._silent_at > asked:
                raise SilentError("not a word from the database to another thread of this server")
            try:
                yield
            except (SilentError, psycopg.errors.ConnectionTimeout):
                self._silent_at = monotonic()
                raise
        finally:
            self._lock.release()

    def _begin(self) -> Link:
        """The writer, holding the log's lock; a connection that was lost since its last use is replaced."""
        self._prepare()
        if self._writer is not None and not self._writer.closed:
            try:
                return self._locked(self._writer)
            except SilentError:
                raise  # another connection would meet the same silence
            except psycopg.OperationalError:
                if not self._writer.closed:
                    raise
        self._writer = self._connect(read_only=False)
        return self._locked(self._writer)

    def _locked(self, link: Link) -> Link:
        """Begin a transaction that holds the log's lock; only a database that says it is taken may keep us waiting."""
        try:
            begun = link.execute(f"BEGIN; SELECT pg_try_{_LOCK}")
            begun.nextset()
            if begun.fetchone() == (False,):
                link.patience_s = self._lock_wait_s + self._silence_s
                link.execute(f"SELECT pg_{_LOCK}")
                link.patience_s = self._silence_s
        except psycopg.Error:
            _roll_back(link)
            link.patience_s = self._silence_s
            raise
        return link

    def _prepare(self) -> None:
        """Make the tables in an empty database, once, whoever else does the same at the same time."""
        if self._prepared:
            return
        with self._opening:
            if not self._prepared:
                with self._connect(read_only=False) as link, link.transaction():
                    link.patience_s = self._lock_wait_s + self._silence_s
                    prepare(link, _place(self._where))
                self._prepared = True


class PostgresStore(Store):
    """The log in a PostgreSQL database, in the schema its `search_path` begins with.

    Args:
        url: `postgresql://user@host/database`.
        lock_wait_s: how long to wait for another server's transaction, or another thread's, in seconds.
        stall_s: how long a server may do nothing inside a transaction before the database ends it, in seconds.
        silence_s: how long the database may neither answer nor refuse, in seconds.

    Raises:
        StoreError: at the first use, when the database cannot be reached or holds something else.
    """

    def __init__(self, url: str, *, lock_wait_s: float = 5.0, stall_s: float = 1.0, silence_s: float = 2.0) -> None:
        self.connections = PostgresConnections(url, lock_wait_s, stall_s, silence_s)
        super().__init__(self.connections)


class _Reader:
    """A thread's reader, closed when the thread ends."""

    def __init__(self, link: Link) -> None:
        self.link = link
        weakref.finalize(self, link.close).atexit = False


def _commit(link: Link) -> None:
    done = link.execute("COMMIT")
    if done.statusmessage != "COMMIT":
        raise psycopg.InternalError("the transaction had failed before, and was rolled back")


def _roll_back(link: Link) -> None:
    with suppress(psycopg.Error):
        if not link.closed:
            link.execute("ROLLBACK")


def _place(where: dict[str, Any]) -> str:
    """The database as people may read it."""
    return f"PostgreSQL database {where.get('dbname', '')} on {where.get('host', 'this machine')}"
