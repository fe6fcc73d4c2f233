"""A copy begins where the log stands, while the log goes on, and nothing done to it reaches the log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenure.core.errors import StoreError
from tenure.store import Event, SqliteStore, copying
from tenure.store.copying import copy_log
from tenure.store.replicas import Replica, Replicas

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_it_holds_every_row_and_its_own_life(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.append_event(Event("bikes", "note", "ann", "one", AT, {}))
    copy, whole = copy_log(store, "bikes", path, tmp_path / "copy.db")
    with copy:
        assert whole
        assert [event.reason for event in copy.events("bikes")] == ["one"]
        copy.kill("bikes", actor="ann", reason="on the copy", at=AT)
        assert copy.verify("bikes").intact
    assert not store.control("bikes").killed
    assert len(store.events("bikes")) == 1


def test_servers_of_the_log_are_not_servers_of_the_copy(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    Replicas(store).seen(Replica("bikes", "one", AT, AT, 0, None, "0", None, False))
    copy, _ = copy_log(store, "bikes", path, tmp_path / "copy.db")
    with copy:
        assert Replicas(copy).live("bikes", AT) == []
    assert len(Replicas(store).live("bikes", AT)) == 1


def test_rows_still_in_the_write_ahead_log_come_along(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    for number in range(50):
        store.append_event(Event("bikes", "note", "ann", str(number), AT, {}))
    assert (path.parent / f"{path.name}-wal").stat().st_size > 0
    copy, _ = copy_log(store, "bikes", path, tmp_path / "copy.db")
    with copy:
        assert len(copy.events("bikes")) == 50


@pytest.mark.parametrize("place", ["postgresql://host/tenure", "large"])
def test_of_a_large_log_or_another_database_only_the_salt_is_taken(
    store: SqliteStore, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    store.append_event(Event("bikes", "note", "ann", "one", AT, {}))
    monkeypatch.setattr(copying, "LARGEST_COPY", 10)
    copy, whole = copy_log(store, "bikes", path if place == "large" else place, tmp_path / "copy.db")
    with copy:
        assert not whole
        assert copy.events("bikes") == []
        assert copy.control("bikes").salt == "salt"


def test_a_place_that_cannot_be_written_is_a_store_error(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="copied"):
        copy_log(store, "bikes", path, tmp_path / "none" / "copy.db")
