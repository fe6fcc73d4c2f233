"""A line is durable once appended, held by one process at a time, and in nobody's way when it is damaged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenure.client.spool import REJECTED, Spool
from tenure.core.errors import StoreError


def line(name: str) -> dict[str, Any]:
    return {"kind": "outcome", "body": {"outcome_id": name}}


def names(spool: Spool) -> list[str]:
    """Everything that can be taken; it stays."""
    return [one["body"]["outcome_id"] for segment in spool.segments() for one in segment.lines]


def drained(spool: Spool) -> list[str]:
    found = []
    for segment in spool.segments():
        found += [one["body"]["outcome_id"] for one in segment.lines]
        spool.done(segment, [])
    return found


def test_lines_come_back_in_order_and_go_when_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([line("a"), line("b")])
    spool.append([line("c")])
    assert drained(spool) == ["a", "b", "c"]
    assert drained(spool) == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_begun_anew_after_its_size(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment=10)
    for name in "abc":
        spool.append([line(name)])
    assert spool.waiting == 3
    assert drained(spool) == ["a", "b", "c"]


def test_a_server_that_is_away_makes_no_heap_of_files(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for name in "abcdef":
        spool.append([line(name)])
        next(spool.segments())  # looked at, not delivered
    assert spool.waiting <= 2


def test_a_torn_last_line_is_passed_over_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_bytes(
        b'{"kind":"outcome","body":{"outcome_id":"a"}}\nno json\n[1]\n{"kind":"outcome"}\n\xff\n{"kind":"outc'
    )
    (segment,) = Spool(tmp_path).segments()
    assert [one["body"]["outcome_id"] for one in segment.lines] == ["a"]
    assert segment.damaged == ["no json", "[1]", '{"kind":"outcome"}', "\\xff"]


def test_what_is_rejected_is_moved_aside_before_its_file_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([line("a")])
    (segment,) = spool.segments()
    spool.done(segment, ["bad one"])
    assert (tmp_path / REJECTED).read_text() == "bad one\n"
    assert spool.waiting == 0


def test_a_file_another_holds_is_left_alone(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.append([line("a")])
    assert names(second) == []
    first.close()
    assert names(second) == ["a"]


def test_a_file_being_delivered_is_not_taken_twice(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.append([line("a")])
    taking = first.segments()
    next(taking)
    assert names(second) == []
    taking.close()
    assert names(second) == ["a"]


def test_a_file_another_delivered_while_it_was_being_opened_is_not_delivered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, real = Spool(tmp_path), os.open
    spool.append([line("a")])
    spool.close()

    def open_late(path: Any, flags: int, *rest: Any) -> int:
        file = real(path, flags, *rest)
        Path(path).unlink()
        return file

    monkeypatch.setattr(os, "open", open_late)
    assert names(spool) == []


def test_it_refuses_more_than_it_may_hold_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path, largest=100)
    spool.append([line("a")])
    with pytest.raises(StoreError, match="of at most 100"):
        spool.append([line("b" * 100)])
    assert names(spool) == ["a"]


def test_a_write_that_fails_halfway_keeps_none_of_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append([line("a")])
    real, calls = os.write, list[int]()

    def full(file: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) == 1:
            return real(file, data[: data.index(b"\n") + 5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="No space left"):
        spool.append([line("lost"), line("lost too")])
    monkeypatch.setattr(os, "write", real)
    spool.append([line("b")])
    assert drained(spool) == ["a", "b"]


def test_an_fsync_that_fails_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append([line("a")])
    synced: list[int] = []

    def broken(file: int) -> None:
        synced.append(file)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreError, match="Input/output"):
        spool.append([line("b")])
    assert synced


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="spool"):
        Spool(tmp_path / "file" / "spool")


def test_a_child_of_a_fork_writes_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append([line("parent")])
    monkeypatch.setattr(os, "getpid", lambda: -1)
    spool.append([line("child")])
    assert spool.waiting == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from tenure.client.spool import Spool
spool = Spool(Path(sys.argv[1]))
number = 0
while True:
    spool.append([{"kind": "outcome", "body": {"outcome_id": str(number)}}])
    print(number, flush=True)
    number += 1
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(50):
        child.stdout.readline()
    child.kill()
    acknowledged = 49 + len(child.stdout.read().splitlines())
    child.wait()
    child.stdout.close()
    kept = names(Spool(tmp_path))
    assert kept == [str(number) for number in range(len(kept))]
    assert len(kept) > acknowledged
