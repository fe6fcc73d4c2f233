"""One database, several servers: losses, stalls, forks and foreigners."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from tests.postgres import Server, server

from tenure.core.errors import StoreError
from tenure.store import Event
from tenure.store.opening import open_store
from tenure.store.postgres import PostgresStore

from .rows import NOON, SIGNALS, WAIT, decision, outcome

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.fresh()


def opened(url: str, stall_s: float = 5.0) -> PostgresStore:
    store = PostgresStore(url, stall_s=stall_s)
    store.open_problem("bikes", "salt")
    return store


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def start(url: str, ledger: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(WORKER), url, str(ledger), name, str(count)])


def order(store: PostgresStore) -> list[int]:
    return sorted([*store.read_log("bikes").sequence.tolist(), *(event.sequence for event in store.events("bikes"))])


def test_processes_that_open_an_empty_database_together_share_one_order(url: str, tmp_path: Path) -> None:
    workers = [start(url, tmp_path / f"{name}.txt", name, 20) for name in "abcd"]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    with opened(url) as store:
        assert order(store) == list(range(1, 4 * (60 + 3) + 1))
        assert store.verify("bikes").intact


def test_what_was_acknowledged_before_a_kill_9_is_there_once(url: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.txt"
    worker = start(url, ledger, "a", 100_000)
    until(lambda: ledger.exists() and ledger.read_text().count("\n") >= 30)
    worker.kill()
    worker.wait()
    with opened(url) as store:
        stored = Counter(store.read_log("bikes").decision_id)
        promised = ledger.read_text().split("\n")[:-1]
        assert {stored[row_id] for row_id in promised} == {1}
        assert order(store) == list(range(1, store.control("bikes").sequence + 1))
        assert store.verify("bikes").intact


def test_after_a_crash_of_the_database_everything_acknowledged_is_there_and_work_resumes(tmp_path: Path) -> None:
    with server() as own, opened(own.fresh()) as store:
        store.append_decisions([decision("a")])
        own.stop(signal.SIGQUIT)
        for act in (lambda: store.control("bikes"), lambda: store.append_decisions([decision("b")])):
            with pytest.raises(StoreError, match=r"PostgreSQL database postgres on .*start the database"):
                act()
        own.start()
        with suppress(StoreError):  # a reader that was cut off says so once
            store.control("bikes")
        assert store.append_decisions([decision("a"), decision("b")]).written[0].sequence == 2
        assert store.control("bikes").sequence == 2
        assert store.verify("bikes").intact


@contextmanager
def frozen(database: Server) -> Iterator[None]:
    """All its processes stand still: whatever is asked of it is neither answered nor refused."""
    assert database._process is not None
    postmaster = database._process.pid
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
    os.kill(postmaster, signal.SIGSTOP)  # first: it makes no others from here on
    pids = [postmaster, *map(int, children.read_text().split())]
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(pids):
            with suppress(ProcessLookupError):  # a session that has ended meanwhile
                os.kill(pid, signal.SIGCONT)


def soon_fails(act: Callable[[], object], within_s: float) -> None:
    """It ends in a StoreError by itself; a thread, so that a hang is a failure and not a hang."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(act())
        except StoreError as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(within_s)
    assert [type(one) for one in found] == [StoreError]


def test_a_database_that_hangs_without_refusing_holds_up_nobody_for_long_and_work_goes_on(tmp_path: Path) -> None:
    with server() as own, opened(own.fresh()) as store:
        store.append_decisions([decision("a")])
        store.control("bikes")
        for _ in range(2):  # with the connections that are open, then on the way to others
            with frozen(own):
                soon_fails(lambda: store.append_decisions([decision("b")]), 10)
                soon_fails(lambda: store.control("bikes"), 10)
                soon_fails(lambda: store.append_decisions([decision("b")]), 10)
        assert [row.sequence for row in store.append_decisions([decision("b")]).written] == [2]
        assert order(store) == [1, 2]
        assert store.verify("bikes").intact


def test_a_database_that_falls_silent_within_a_transaction_has_kept_nothing_of_it(tmp_path: Path) -> None:
    def write(store: PostgresStore, freeze: Callable[[], object]) -> None:
        with store.database.writing() as connection:
            connection.execute("UPDATE head SET salt = 'other'")
            freeze()
            connection.executemany("UPDATE head SET salt = ?", [("third",), ("fourth",)])

    with server() as own, opened(own.fresh()) as store:
        with ExitStack() as stack:  # thawed from here, even where the writer hangs
            soon_fails(lambda: write(store, lambda: stack.enter_context(frozen(own))), 10)
        assert store.append_decisions([decision("a")]).written
        assert store.control("bikes").salt == "salt"


def test_many_who_wait_behind_a_silent_database_wait_together_not_one_after_the_other(tmp_path: Path) -> None:
    with server() as own, opened(own.fresh()) as store, frozen(own):
        waiting = [
            threading.Thread(target=soon_fails, args=(lambda: store.append_decisions([decision("b")]), 15))
            for _ in range(12)
        ]
        began = time.monotonic()
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        assert time.monotonic() - began < 7


def test_a_writer_that_was_cut_off_between_two_transactions_notices_nothing(postgres: Server, url: str) -> None:
    with opened(url) as store:
        cut_off(postgres, store)
        assert len(store.append_decisions([decision("a")]).written) == 1


def cut_off(postgres: Server, store: PostgresStore) -> None:
    writer = store.connections._writer
    assert writer is not None
    pid = writer.info.backend_pid
    with psycopg.connect(postgres.url(), autocommit=True) as link:
        link.execute("SELECT pg_terminate_backend(%s)", (pid,))
        until(lambda: link.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone() is None)


def test_a_writer_cut_off_within_a_transaction_has_written_nothing(postgres: Server, url: str) -> None:
    def write(store: PostgresStore) -> None:
        with store.database.writing() as connection:
            connection.execute("UPDATE head SET salt = 'other'")
            cut_off(postgres, store)

    with opened(url) as store:
        with pytest.raises(StoreError, match=r"terminat|closed"):
            write(store)
        assert store.control("bikes").salt == "salt"


def test_a_server_frozen_within_a_transaction_holds_up_nobody_for_long_and_cannot_commit(url: str) -> None:
    def write(frozen: PostgresStore, other: PostgresStore) -> None:
        with frozen.database.writing() as connection:
            connection.execute("UPDATE head SET salt = 'other'")
            began = time.monotonic()
            other.kill("bikes", actor="ann", reason="drill", at=NOON)
            assert time.monotonic() - began < 2.0
            connection.execute("SELECT 1")

    with opened(url) as other, opened(url, stall_s=0.2) as frozen:
        with pytest.raises(StoreError, match="idle-in-transaction"):
            write(frozen, other)
        assert other.control("bikes").salt == "salt"
        assert not frozen.append_decisions([decision("a")]).written


def test_whoever_sits_idle_on_the_lock_can_be_made_to_let_go(postgres: Server, url: str) -> None:
    def write(frozen: PostgresStore, other: PostgresStore) -> None:
        with frozen.database.writing() as connection:
            connection.execute("UPDATE head SET salt = 'other'")
            PostgresStore(postgres.fresh()).database.unblock()  # another log's lock is not this one's
            connection.execute("SELECT 1")
            other.database.unblock()
            other.kill("bikes", actor="ann", reason="drill", at=NOON)
            connection.execute("SELECT 1")

    with opened(url, stall_s=60) as frozen, opened(url) as other:
        with pytest.raises(StoreError, match=r"administrator command|terminat"):
            write(frozen, other)
        assert other.control("bikes").killed
        assert other.control("bikes").salt == "salt"


def test_a_lock_held_too_long_is_a_store_error_and_writing_resumes_after_it(url: str) -> None:
    with opened(url) as holder, PostgresStore(url, lock_wait_s=0.05) as other:
        with holder.database.writing():
            with pytest.raises(StoreError, match="LockNotAvailable"):
                other.append_decisions([decision("a")])
            assert other.control("bikes").sequence == 0  # readers never wait
        assert len(other.append_decisions([decision("a")]).written) == 1


def test_a_log_opens_while_somebody_holds_its_lock(url: str) -> None:
    with opened(url) as holder, holder.database.writing(), PostgresStore(url) as other:
        assert other.problems() == ["bikes"]


def test_a_transaction_in_which_a_statement_failed_is_never_reported_as_committed(url: str) -> None:
    def write(store: PostgresStore) -> None:
        with store.database.writing() as connection:
            connection.execute("UPDATE head SET salt = 'other'")
            with suppress(psycopg.Error):
                connection.execute("SELECT nothing")

    with opened(url) as store:
        with pytest.raises(StoreError, match="rolled back"):
            write(store)
        assert store.control("bikes").salt == "salt"


def test_a_row_the_tables_refuse_is_a_store_error_and_writes_nothing(url: str) -> None:
    with opened(url) as store:
        with pytest.raises(StoreError, match="NotNullViolation"):  # NaN is null, as in SQLite
            store.append_decisions([decision("a"), decision("b", confidence=float("nan"))])
        assert store.control("bikes").sequence == 0


def test_a_reader_cannot_write(url: str) -> None:
    with opened(url) as store:
        with pytest.raises(StoreError, match="read-only"), store.database.reading() as connection:
            connection.execute("DELETE FROM head")
        with pytest.raises(StoreError), store.database.snapshot() as connection:
            connection.execute("DELETE FROM head")
        assert store.control("bikes").problem == "bikes"


def test_a_snapshot_sees_one_state_and_reads_rows_as_they_are_wanted(url: str) -> None:
    with opened(url) as store:
        store.append_decisions([decision(f"{number:04}") for number in range(3_000)])
        with store.database.snapshot() as connection:
            rows = connection.execute("SELECT decision_id FROM decision ORDER BY sequence")
            assert rows.fetchone() == ("0000",)
            others = connection.execute("SELECT count(*) FROM event")
            store.append_event(Event("bikes", "hold", "ann", "r", NOON, {}))
            assert others.get == 0
            assert len(rows.fetchall()) == 2_999
        assert store.verify("bikes").intact


def test_decisions_outcomes_and_a_kill_wake_whoever_listens_for_the_epoch_only(url: str) -> None:
    with opened(url) as store:
        store.database.hint(0)  # listens from here on
        store.append_decisions([decision("a")])
        store.append_outcomes("bikes", [outcome("o", "a")], received_at=NOON, wait=WAIT, signals=SIGNALS)
        assert not store.database.hint(0.05)
        store.kill("bikes", actor="ann", reason="drill", at=NOON)
        assert store.database.hint(20)


def test_a_hint_without_a_database_waits_and_promises_nothing(tmp_path: Path) -> None:
    with PostgresStore(f"postgresql:///none?host={tmp_path}") as store:
        began = time.monotonic()
        assert not store.database.hint(0.05)
        assert time.monotonic() - began >= 0.05


def test_a_child_opens_connections_of_its_own_and_its_parent_keeps_its_own(url: str) -> None:
    with opened(url) as store:
        store.append_decisions([decision("a")])
        store.control("bikes")
        child = os.fork()
        if child == 0:
            done = len(store.append_decisions([decision("b")]).written) + store.control("bikes").sequence
            os._exit(done)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        assert store.append_decisions([decision("c")]).written[0].sequence == 3
        assert store.control("bikes").sequence == 3


def test_threads_share_one_store_and_take_their_readers_along(url: str) -> None:
    with opened(url) as store:
        threads = [threading.Thread(target=work, args=(store, name)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert order(store) == list(range(1, 41))
        assert len(store.connections._readers) <= 1


def work(store: PostgresStore, name: str) -> None:
    for number in range(10):
        store.append_decisions([decision(f"{name}{number}")])
        assert store.decision("bikes", f"{name}{number}") is not None


def test_tables_of_another_program_are_left_alone(postgres: Server, url: str) -> None:
    with psycopg.connect(url) as link:
        link.execute("CREATE TABLE theirs (x int)")
    with PostgresStore(url) as store, pytest.raises(StoreError, match=r"tables of another program.*search_path"):
        store.problems()
    with psycopg.connect(url) as link:
        assert link.execute("SELECT to_regclass('head')").fetchone() == (None,)


def test_a_log_of_another_version_of_tenure_is_not_opened(url: str) -> None:
    opened(url).close()
    with psycopg.connect(url) as link:
        link.execute("UPDATE tenure_schema SET version = 1")
    with PostgresStore(url) as store, pytest.raises(StoreError, match=r"schema version 3; found schema version 1"):
        store.problems()


def test_a_closed_store_answers_with_a_store_error(url: str) -> None:
    store = opened(url)
    store.control("bikes")
    store.close()
    store.close()
    for act in (lambda: store.control("bikes"), lambda: store.append_decisions([decision("a")])):
        with pytest.raises(StoreError, match="closed"):
            act()


def test_a_commit_survives_a_crash_even_where_the_database_is_set_not_to_wait(postgres: Server) -> None:
    loose = postgres.fresh() + "%20-csynchronous_commit%3Doff"
    with opened(loose) as store, store.database.writing() as connection:
        assert connection.execute("SELECT current_setting('synchronous_commit')").get == "on"


def test_whoever_wants_more_than_a_durable_commit_keeps_it(postgres: Server) -> None:
    strict = postgres.fresh() + "%20-csynchronous_commit%3Dremote_apply"
    with opened(strict) as store, store.database.writing() as connection:
        assert connection.execute("SELECT current_setting('synchronous_commit')").get == "remote_apply"


def test_an_error_never_shows_the_password(tmp_path: Path) -> None:
    with open_store(f"postgresql://ann:secret@/none?host={tmp_path}") as store:
        with pytest.raises(StoreError) as caught:
            store.problems()
        assert "secret" not in str(caught.value)
