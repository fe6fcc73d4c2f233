"""The stop that needs no database."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenure.core.errors import StoreError
from tenure.rollout.stop import VARIABLE, StopFile

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def stop(tmp_path: Path) -> StopFile:
    return StopFile(tmp_path / "bikes" / "STOP")


def test_nothing_is_stopped_without_a_file(stop: StopFile) -> None:
    assert not stop.engaged()


def test_the_file_stops_until_it_is_released(stop: StopFile) -> None:
    stop.engage("costs rise", "ann", NOON)
    assert stop.engaged()
    assert json.loads(stop.path.read_text()) == {
        "reason": "costs rise",
        "actor": "ann",
        "at": "2011-10-01T12:00:00.000000Z",
    }
    stop.release()
    stop.release()
    assert not stop.engaged()


def test_the_first_reason_stays(stop: StopFile) -> None:
    stop.engage("first", "ann", NOON)
    stop.engage("second", "bob", NOON)
    assert json.loads(stop.path.read_text())["reason"] == "first"


def test_an_empty_file_stops_too(stop: StopFile) -> None:
    stop.path.parent.mkdir()
    stop.path.touch()
    assert stop.engaged()


def test_a_link_to_nowhere_stops_too(stop: StopFile) -> None:
    stop.path.parent.mkdir()
    stop.path.symlink_to(stop.path.with_name("gone"))
    assert stop.engaged()
    stop.engage("costs rise", "ann", NOON)  # stops already: nothing is made behind the link
    assert not stop.path.exists()
    stop.release()
    assert not stop.engaged()


@pytest.mark.parametrize(("word", "stopped"), [("1", True), ("yes", True), ("", False), ("0", False)])
def test_the_environment_stops(stop: StopFile, monkeypatch: pytest.MonkeyPatch, word: str, stopped: bool) -> None:
    monkeypatch.setenv(VARIABLE, word)
    assert stop.engaged() is stopped
    assert not stop.exists()


def test_a_folder_that_cannot_be_looked_into_stops(tmp_path: Path) -> None:
    (tmp_path / "bikes").touch()  # a file where the folder should be
    assert StopFile(tmp_path / "bikes" / "STOP").engaged()


def test_a_stop_file_that_cannot_be_made_or_taken_away_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=f"can be made.*{VARIABLE}=1"):
        StopFile(tmp_path / "file" / "STOP").engage("costs rise", "ann", NOON)
    os.mkdir(tmp_path / "STOP")
    with pytest.raises(StoreError, match="can be taken away"):
        StopFile(tmp_path / "STOP").release()
