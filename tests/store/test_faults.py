"""The disk lies or fills up: a StoreError, nothing acknowledged is lost, and writing resumes where that is right."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from tenure.core.errors import StoreError
from tenure.store import SqliteStore

from .rows import NOON, decision


class _Disk(apsw.VFS):
    """A disk whose fsync or write can be made to fail."""

    def __init__(self) -> None:
        self.broken = ""
        self.failed = 0
        super().__init__("tenure-faults", "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        return _File(self, name, flags)

    def fail(self, what: str) -> None:
        """Fail as asked."""
        if what == self.broken:
            self.failed += 1
            raise apsw.IOError("the disk failed")


class _File(apsw.VFSFile):
    def __init__(self, disk: _Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.fail("sync")
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.fail("write")
        super().xWrite(data, offset)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Disk]:
    made, connect = _Disk(), apsw.Connection

    def on_it(path: str, *, statementcachesize: int) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        return connect(path, flags, "tenure-faults", statementcachesize)

    monkeypatch.setattr("tenure.store.connection.apsw.Connection", on_it)
    yield made
    made.unregister()


@pytest.fixture
def store(path: Path, disk: _Disk) -> Iterator[SqliteStore]:
    with SqliteStore(path) as opened:
        opened.open_problem("bikes", "salt")
        opened.append_decisions([decision("a")])
        yield opened


@pytest.mark.parametrize("what", ["sync", "write"])
def test_a_commit_the_disk_refused_is_not_acknowledged_and_the_next_one_holds(
    store: SqliteStore, disk: _Disk, path: Path, what: str
) -> None:
    disk.broken = what
    for _ in range(3):
        with pytest.raises(StoreError, match="IOError"):
            store.append_decisions([decision("b")])
    assert disk.failed >= 3
    assert store.control("bikes").sequence == 1  # readers go on
    disk.broken = ""
    assert store.append_decisions([decision("b")]).written[0].sequence == 2
    with SqliteStore(path) as again:
        assert again.read_log("bikes").decision_id == ["a", "b"]
        assert again.verify("bikes").intact


def test_a_kill_the_disk_refused_says_so_and_closing_still_works(store: SqliteStore, disk: _Disk, path: Path) -> None:
    disk.broken = "sync"
    with pytest.raises(StoreError):
        store.kill("bikes", actor="ann", reason="drill", at=NOON)
    assert not store.control("bikes").killed
    store.close()
    disk.broken = ""
    with SqliteStore(path) as again:
        assert again.read_log("bikes").decision_id == ["a"]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_may_not_grow_is_a_store_error_and_writing_resumes_when_it_may(path: Path) -> None:
    with SqliteStore(path) as store:
        store.open_problem("bikes", "salt")
        written = 0

        def fill() -> None:
            nonlocal written
            for written in range(1_000):
                store.append_decisions([decision(f"{written}")])

        with files_no_larger_than(64 * 1024 + path.with_name("log.db-wal").stat().st_size):
            with pytest.raises(StoreError, match=r"IOError|FullError"):
                fill()
            assert 0 < written < 999
            assert len(store.read_log("bikes")) == written
        assert store.append_decisions([decision("after")]).written[0].sequence == written + 1
        assert store.verify("bikes").intact


@pytest.mark.parametrize("bit", range(8))
def test_a_bit_that_flipped_in_a_row_is_found_with_its_number(path: Path, bit: int) -> None:
    with SqliteStore(path) as store:
        store.open_problem("bikes", "salt")
        for number in range(3):
            store.append_decisions([decision(f"{number}", context={"word": "zeppelin" if number == 1 else "other"})])
    data = bytearray(path.read_bytes())
    data[data.index(b"zeppelin") + 3] ^= 1 << bit
    path.write_bytes(data)
    with SqliteStore(path) as store:
        found = store.verify("bikes")
    assert (found.intact, found.first_bad, found.rows) == (False, 2, 1)


def test_a_text_a_flipped_bit_made_unreadable_is_a_store_error(path: Path) -> None:
    with SqliteStore(path) as store:
        store.open_problem("bikes", "salt")
        store.append_decisions([decision("a", context={"word": "zeppelin"})])
    data = bytearray(path.read_bytes())
    data[data.index(b"zeppelin")] = 0xFF
    path.write_bytes(data)
    with SqliteStore(path) as store, pytest.raises(StoreError, match=r"CorruptError.*backup"):
        store.decision("bikes", "a")
