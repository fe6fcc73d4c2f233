"""`tenure kill` and `restore` at their worst: log locked, database gone, server silent, log on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.postgres import Server

from tenure.cli.operate import run_kill, run_restore
from tenure.cli.output import Output
from tenure.cli.workspace import DATABASE, checkpoints_of
from tenure.core.clock import SystemClock
from tenure.core.errors import MoveError
from tenure.store import SqliteStore
from tenure.store.opening import open_store
from tenure.store.replicas import Replica, Replicas


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "bikes").mkdir()
    with SqliteStore(tmp_path / "bikes" / "log.sqlite") as store:
        store.open_problem("bikes", "salt")
    return tmp_path


@pytest.fixture
def killed(capsys: pytest.CaptureFixture[str], home: Path) -> Callable[[], tuple[int, dict[str, Any]]]:
    def run() -> tuple[int, dict[str, Any]]:
        code = run_kill(Output(json=True), "bikes", "costs rise", "ann", home)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, found

    return run


Kill = Callable[[], tuple[int, dict[str, Any]]]


def ids(found: dict[str, Any]) -> dict[str, bool]:
    """Who was asked, and whether it confirmed."""
    return {one["id"]: one["confirmed_ms"] is not None for one in found["replicas"]}


def test_without_servers_the_log_confirms_and_a_checkpoint_is_signed(killed: Kill, home: Path) -> None:
    code, found = killed()
    assert (code, found["epoch"], found["sequence"], found["learned_after"], ids(found)) == (0, 1, 1, 0, {"log": True})
    assert found["stop_file"] is None
    assert checkpoints_of("bikes", home).read_text().count("\n") == 1


def test_a_silent_server_is_named_and_the_command_exits_3(killed: Kill, home: Path) -> None:
    now = SystemClock().now()
    with SqliteStore(home / "bikes" / "log.sqlite") as store:
        Replicas(store).seen(Replica("bikes", "frozen", now, now, 0, None, "0.2.0", None))
    code, found = killed()
    assert (code, ids(found)) == (3, {"log": True, "frozen": False})


def test_beside_a_held_lock_the_stop_file_holds_until_a_person_restores(killed: Kill, home: Path) -> None:
    holder = apsw.Connection(str(home / "bikes" / "log.sqlite"))
    holder.execute("BEGIN IMMEDIATE")
    code, found = killed()
    assert (code, ids(found)) == (3, {"stop file": True, "log": False})
    assert Path(found["stop_file"]).exists()
    holder.close()
    run_restore(Output(json=True), "bikes", "mended", "bob", home)
    assert not Path(found["stop_file"]).exists()
    with SqliteStore(home / "bikes" / "log.sqlite") as store:
        assert [event.kind for event in store.events("bikes")][-2:] == ["kill", "restore"]


def test_a_log_that_cannot_be_opened_is_stopped_by_the_file(killed: Kill, home: Path) -> None:
    (home / "bikes" / "log.sqlite").write_bytes(b"no database at all\n" * 100)
    code, found = killed()
    assert (code, found["epoch"], ids(found)) == (3, None, {"stop file": True, "log": False})
    assert (home / "bikes" / "STOP").exists()
    assert "NotADBError" in found["fault"]


def test_with_the_database_gone_the_file_stops(
    killed: Kill, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE, f"postgresql://ann:secret@/none?host={tmp_path}")
    code, found = killed()
    assert (code, ids(found)) == (3, {"stop file": True, "log": False})
    assert (home / "bikes" / "STOP").exists()
    assert "secret" not in json.dumps(found)


def test_a_log_on_postgresql_is_killed_and_restored_by_its_address(
    killed: Kill, home: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = postgres.fresh()
    monkeypatch.setenv(DATABASE, place)
    with open_store(place) as store:
        store.open_problem("bikes", "salt")
        assert killed()[0] == 0
        assert store.control("bikes").killed
        run_restore(Output(json=True), "bikes", "mended", "bob", home)
        assert not store.control("bikes").killed
        with pytest.raises(MoveError):
            run_restore(Output(json=True), "bikes", "mended", "bob", home)


def test_what_people_read_says_what_holds_and_what_does_not(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_kill(Output(json=False), "bikes", "costs rise", "ann", home)
    assert "Row 1, epoch 1. From this row on no learned decision can be recorded." in capsys.readouterr().out
    monkeypatch.setenv(DATABASE, f"postgresql:///none?host={tmp_path}")
    run_kill(Output(json=False), "bikes", "costs rise", "ann", home)
    said = capsys.readouterr().out
    assert "THE ROW IS NOT WRITTEN" in said
    assert "log: DID NOT CONFIRM" in said
    assert str(home / "bikes" / "STOP") in said
