"""Stop for good: row first, file where no row can be written, every server named."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import apsw
import pytest
from tests.postgres import Server

from tenure.core.clock import SystemClock
from tenure.core.errors import MoveError, StoreError, UnknownError
from tenure.rollout.kill import Killed, kill, restore
from tenure.rollout.stop import StopFile
from tenure.store import SqliteStore, Store
from tenure.store.opening import open_store
from tenure.store.postgres import PostgresStore
from tenure.store.replicas import Replica, Replicas

CLOCK = SystemClock()


@pytest.fixture
def stop(tmp_path: Path) -> StopFile:
    return StopFile(tmp_path / "bikes" / "STOP")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with SqliteStore(path, synchronous="OFF") as opened:
        opened.open_problem("bikes", "salt")
        yield opened


def server(name: str) -> Replica:
    return Replica("bikes", name, CLOCK.now(), CLOCK.now(), 0, "v1", "0.2.0", None)


def killed(store: Store, stop: StopFile | None, wait_s: float = 2.0) -> Killed:
    return kill(store, "bikes", actor="ann", reason="costs rise", clock=CLOCK, stop=stop, wait_s=wait_s)


@contextmanager
def answering(store: Store, *servers: Replica) -> Iterator[None]:
    """Servers that look at the epoch and say so, until the end."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            epoch = store.kill_epoch("bikes")
            for one in servers:
                Replicas(store).seen(replace(one, epoch=epoch, seen_at=CLOCK.now()))

    for one in servers:
        Replicas(store).seen(one)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_without_servers_the_log_alone_confirms(store: Store, stop: StopFile) -> None:
    done = killed(store, stop)
    assert [one.id for one in done.replicas] == ["log"]
    assert (done.epoch, done.sequence, done.confirmed, done.fault, done.stop_file) == (1, 1, True, "", None)
    assert store.control("bikes").killed
    assert not stop.engaged()


def test_every_server_that_saw_the_epoch_confirms_with_its_milliseconds(store: Store, stop: StopFile) -> None:
    with answering(store, server("a"), server("b")):
        done = killed(store, stop)
    took = {one.id: one.confirmed_ms for one in done.replicas}
    assert sorted(took) == ["a", "b", "log"]
    assert done.confirmed
    assert all(ms is not None and 0 < ms < 2000 for ms in took.values())


def test_a_server_that_says_nothing_is_named_and_the_kill_is_not_confirmed(store: Store, stop: StopFile) -> None:
    Replicas(store).seen(server("frozen"))
    with answering(store, server("a")):
        done = killed(store, stop, wait_s=0.3)
    took = {one.id: one.confirmed_ms for one in done.replicas}
    assert took["frozen"] is None
    assert took["a"] is not None
    assert not done.confirmed
    assert done.epoch == 1


def test_a_server_silent_for_ten_seconds_is_still_named(store: Store) -> None:
    Replicas(store).seen(replace(server("frozen"), seen_at=CLOCK.now() - timedelta(seconds=10)))
    Replicas(store).seen(replace(server("long gone"), seen_at=CLOCK.now() - timedelta(hours=1)))
    assert [one.id for one in killed(store, None, wait_s=0.02).replicas] == ["log", "frozen"]


def test_a_server_that_signs_off_meanwhile_has_stopped(store: Store) -> None:
    one = server("a")
    Replicas(store).seen(one)
    looks = 0

    def sign_off(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            Replicas(store).seen(replace(one, stopped=True))

    done = kill(store, "bikes", actor="ann", reason="r", clock=CLOCK, stop=None, sleep=sign_off)
    assert done.confirmed
    assert looks == 3


def test_beside_a_held_lock_the_stop_file_comes_first_and_the_row_after_it(
    store: Store, path: Path, stop: StopFile
) -> None:
    holder = apsw.Connection(str(path))
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    found: list[Killed] = []
    thread = threading.Thread(target=lambda: found.append(killed(store, stop, wait_s=10)))
    thread.start()
    while not stop.engaged():
        assert time.monotonic() - began < 5
    assert store.control("bikes").sequence == 0
    holder.execute("ROLLBACK")
    thread.join(10)
    holder.close()
    [done] = found
    assert [one.id for one in done.replicas] == ["stop file", "log"]
    assert done.confirmed
    assert (done.epoch, done.stop_file) == (1, stop.path)
    assert "lock" in done.fault


def test_a_server_that_sits_idle_on_postgresqls_lock_loses_it_to_the_kill(postgres: Server, stop: StopFile) -> None:
    place = postgres.fresh()

    def hold(frozen: Store) -> None:
        with open_store(place) as store, frozen.database.writing() as connection:
            connection.execute("SELECT 1")
            done = killed(store, stop, wait_s=30)
            assert (done.confirmed, done.stop_file) == (True, stop.path)
            connection.execute("SELECT 1")

    with PostgresStore(place, stall_s=60) as frozen:
        frozen.open_problem("bikes", "salt")
        with pytest.raises(StoreError, match=r"administrator command|terminat"):
            hold(frozen)
        assert frozen.control("bikes").killed


def test_with_the_database_gone_the_stop_file_holds_and_the_log_is_named_as_silent(
    tmp_path: Path, stop: StopFile
) -> None:
    with open_store(f"postgresql:///none?host={tmp_path}") as store:
        done = killed(store, stop, wait_s=0.1)
    assert stop.engaged()
    assert [(one.id, one.confirmed_ms is None) for one in done.replicas] == [("stop file", False), ("log", True)]
    assert (done.epoch, done.sequence, done.confirmed) == (None, None, False)
    assert "OperationalError" in done.fault
    assert done.as_dict()["stopped"] is None


def test_with_neither_database_nor_stop_file_the_error_says_that_nothing_was_stopped(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with open_store(f"postgresql:///none?host={tmp_path}") as store:
        for stop in (None, StopFile(tmp_path / "file" / "STOP")):
            with pytest.raises(StoreError, match="nothing was stopped"):
                killed(store, stop, wait_s=0.1)


def test_a_problem_that_was_never_opened_is_not_killed(store: Store, stop: StopFile) -> None:
    with pytest.raises(UnknownError):
        kill(store, "other", actor="ann", reason="r", clock=CLOCK, stop=stop)
    assert not stop.engaged()


def test_a_restore_lifts_the_row_and_the_stop_file(store: Store, stop: StopFile) -> None:
    killed(store, stop)
    stop.engage("by hand", "ann", CLOCK.now())
    control = restore(store, "bikes", actor="bob", reason="mended", clock=CLOCK, stop=stop)
    assert (control.killed, control.kill_epoch, control.stage) == (False, 2, "rolled_back")
    assert not stop.engaged()


def test_a_stop_that_never_reached_the_log_is_in_it_after_the_restore(store: Store, stop: StopFile) -> None:
    stop.engage("by hand", "ann", CLOCK.now())
    restore(store, "bikes", actor="bob", reason="mended", clock=CLOCK, stop=stop)
    assert [(event.kind, event.actor) for event in store.events("bikes")] == [("kill", "bob"), ("restore", "bob")]
    assert "stop file" in store.events("bikes")[0].reason
    assert not stop.engaged()


def test_what_is_not_killed_cannot_be_restored(store: Store, stop: StopFile) -> None:
    with pytest.raises(MoveError):
        restore(store, "bikes", actor="bob", reason="mended", clock=CLOCK, stop=stop)


def test_the_stop_file_stays_while_the_restore_cannot_be_written(tmp_path: Path, stop: StopFile) -> None:
    stop.engage("by hand", "ann", CLOCK.now())
    with open_store(f"postgresql:///none?host={tmp_path}") as store, pytest.raises(StoreError):
        restore(store, "bikes", actor="bob", reason="mended", clock=CLOCK, stop=stop)
    assert stop.engaged()
