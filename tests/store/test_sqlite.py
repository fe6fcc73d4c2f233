"""One file, several threads and processes: no gaps, nothing acknowledged is lost, no bare database error."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import cast

import apsw
import numpy as np
import pytest

from tenure.core.errors import StoreError
from tenure.store import SqliteStore
from tenure.store.connection import _use_wal, check_library

from .rows import NOON, decision, proposal

WORKER = Path(__file__).with_name("worker.py")


def start(database: Path, ledger: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(WORKER), str(database), str(ledger), name, str(count)])


def order(store: SqliteStore) -> list[int]:
    """Every number in the log, of decisions and events."""
    return sorted([*store.read_log("bikes").sequence.tolist(), *(event.sequence for event in store.events("bikes"))])


def test_processes_that_open_a_new_file_together_share_one_order(path: Path, tmp_path: Path) -> None:
    workers = [start(path, tmp_path / f"{name}.txt", name, 20) for name in "abc"]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    with SqliteStore(path) as store:
        assert order(store) == list(range(1, 3 * (60 + 3) + 1))
        assert store.verify("bikes").intact


def test_only_a_commit_that_nothing_waits_for_does_without_a_sync(path: Path) -> None:
    with SqliteStore(path) as store:
        levels = []
        for synced in (True, False, True):
            with store.database.writing(synced=synced) as connection:
                levels.append(connection.execute("PRAGMA synchronous").get)
        store.append_proposals("bikes", [proposal("a")])
        store.open_problem("bikes", "salt")
        with store.database.writing() as connection:
            levels.append(connection.execute("PRAGMA synchronous").get)
    full, normal = 2, 1
    assert levels == [full, normal, full, full]


def test_threads_share_one_store_and_one_order(store: SqliteStore) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(25):
                store.append_decisions([decision(f"{name}{number}"), decision(f"shared{number}")])
                assert store.decision("bikes", f"{name}{number}") is not None
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert order(store) == list(range(1, 126))
    assert store.verify("bikes").intact


@pytest.mark.parametrize("acknowledged", [1, 20, 60])
def test_what_was_acknowledged_before_a_kill_9_is_there_once(path: Path, tmp_path: Path, acknowledged: int) -> None:
    ledger = tmp_path / "ledger.txt"
    worker = start(path, ledger, "a", 100_000)
    while not ledger.exists() or ledger.read_text().count("\n") < acknowledged:
        assert worker.poll() is None
    worker.kill()
    worker.wait()
    with SqliteStore(path) as store:
        stored = Counter(store.read_log("bikes").decision_id)
        promised = ledger.read_text().split("\n")[:-1]
        assert len(promised) >= acknowledged
        assert {stored[row_id] for row_id in promised} == {1}
        assert order(store) == list(range(1, store.control("bikes").sequence + 1))
        assert store.verify("bikes").intact


def test_the_file_is_in_wal_mode_and_durable_by_default(path: Path) -> None:
    with SqliteStore(path) as store:
        assert store.connections._writer.pragma("journal_mode") == "wal"
        assert store.connections._writer.pragma("synchronous") == 2


class _Contended:
    """A connection whose switch to WAL finds the file busy so many times, as a second process makes it."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.calls: list[str] = []

    def pragma(self, name: str, value: str) -> None:
        self.calls.append(name)
        if self.busy:
            self.busy -= 1
            raise apsw.BusyError("database is locked")

    def execute(self, sql: str) -> None:
        self.calls.append(sql)


def test_a_busy_switch_to_wal_waits_for_the_write_lock_and_tries_again() -> None:
    connection = _Contended(busy=1)
    _use_wal(cast(apsw.Connection, connection))
    assert connection.calls == ["journal_mode", "BEGIN IMMEDIATE", "ROLLBACK", "journal_mode"]


def test_a_switch_to_wal_that_stays_busy_gives_up() -> None:
    with pytest.raises(apsw.BusyError, match="write-ahead log"):
        _use_wal(cast(apsw.Connection, _Contended(busy=1000)))


def test_a_reader_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="readonly"), store.database.reading() as connection:
        connection.execute("DELETE FROM head")
    assert store.control("bikes").problem == "bikes"


def test_a_reopened_file_has_everything(path: Path) -> None:
    with SqliteStore(path) as store:
        store.open_problem("bikes", "salt")
        store.append_decisions([decision("a")])
        killed = store.kill("bikes", actor="ann", reason="drill", at=NOON)
    with SqliteStore(path) as store:
        assert store.control("bikes") == killed
        assert store.decision("bikes", "a") == decision("a", sequence=1)


def test_a_missing_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="make the folder"):
        SqliteStore(tmp_path / "missing" / "log.db")


def test_a_file_that_is_no_database_is_a_store_error(path: Path) -> None:
    path.write_bytes(b"decision_id,action\n" * 100)
    with pytest.raises(StoreError, match="NotADBError"):
        SqliteStore(path)


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    raw = apsw.Connection(str(path))
    raw.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="tables of another program"):
        SqliteStore(path)
    assert raw.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    raw.close()


@pytest.mark.parametrize("version", [1, 4])
def test_a_file_of_another_version_of_tenure_is_not_opened(path: Path, version: int) -> None:
    raw = apsw.Connection(str(path))
    raw.pragma("user_version", version)
    raw.close()
    with pytest.raises(StoreError, match=rf"schema version 3; found schema version {version}.*export it"):
        SqliteStore(path)


def test_a_lock_held_too_long_is_a_store_error_and_writing_resumes_after_it(store: SqliteStore, path: Path) -> None:
    raw = apsw.Connection(str(path))
    with SqliteStore(path, busy_timeout_s=0.05) as other:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="BusyError"):
            other.append_decisions([decision("a")])
        assert other.control("bikes").sequence == 0
        raw.execute("ROLLBACK")
        assert len(other.append_decisions([decision("a")]).written) == 1
    raw.close()


def test_a_full_disk_is_a_store_error_and_writing_resumes_when_there_is_room(store: SqliteStore) -> None:
    writer = store.connections._writer
    full = writer.pragma("page_count")
    writer.pragma("max_page_count", full)
    noise = np.random.default_rng(7).bytes(40_000)
    with pytest.raises(StoreError, match=r"FullError.*free space"):
        store.append_decisions([decision("a", observation=noise)])
    assert store.decision("bikes", "a") is None
    writer.pragma("max_page_count", full + 1000)
    assert store.append_decisions([decision("a", observation=noise)]).written[0].sequence == 1
    assert store.verify("bikes").intact


def test_a_damaged_page_is_a_store_error(path: Path) -> None:
    with SqliteStore(path) as store:
        store.open_problem("bikes", "salt")
        store.append_decisions([decision(f"{number:04}") for number in range(500)])
    data = bytearray(path.read_bytes())
    data[-4096 * 20 :] = bytes(4096 * 20)
    path.write_bytes(data)
    with SqliteStore(path) as store, pytest.raises(StoreError, match=r"CorruptError.*backup"):
        store.read_log("bikes")


def test_a_row_the_tables_refuse_is_a_store_error_and_writes_nothing(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="ConstraintError"):
        store.append_decisions([decision("a"), decision("b", confidence=float("nan"))])
    assert store.control("bikes").sequence == 0


def test_a_closed_store_answers_with_a_store_error(path: Path) -> None:
    store = SqliteStore(path)
    store.open_problem("bikes", "salt")
    store.control("bikes")
    store.close()
    store.close()
    for act in (lambda: store.control("bikes"), lambda: store.append_decisions([decision("a")])):
        with pytest.raises(StoreError, match="Closed"):
            act()


def test_a_store_closed_before_its_first_read_answers_with_a_store_error(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    with pytest.raises(StoreError, match="Closed"):
        store.control("bikes")


def test_a_thread_takes_its_reader_along_when_it_ends(store: SqliteStore) -> None:
    before = len(store.connections._readers)
    thread = threading.Thread(target=store.control, args=("bikes",))
    thread.start()
    thread.join()
    assert len(store.connections._readers) == before


def test_a_log_opens_while_somebody_holds_its_lock(path: Path) -> None:
    SqliteStore(path).close()
    raw = apsw.Connection(str(path))
    raw.execute("BEGIN IMMEDIATE")
    with SqliteStore(path, busy_timeout_s=0) as store:
        assert store.problems() == []
    raw.close()


@pytest.mark.parametrize("version", ["3.51.2", "3.40.1"])
def test_a_sqlite_that_can_lose_commits_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    with pytest.raises(StoreError, match=rf"3\.51\.3 or newer; found SQLite {version}.*--upgrade apsw"):
        SqliteStore(path)
    assert not path.exists()


@pytest.mark.parametrize("version", ["3.51.3", "3.60.0", "4.0.0"])
def test_a_sqlite_without_that_fault_is_taken(version: str) -> None:
    check_library(version)
