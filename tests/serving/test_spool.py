"""What was answered without the log reaches it exactly once, whatever is torn, repeated or fails on the way."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.decision import Arm, Decision
from tenure.core.errors import StoreError, UnfitError
from tenure.serving.spool import Spool

from .conftest import Make
from .toy import NOON, World, request


def row(name: str, **changes: Any) -> Decision:
    """What the incumbent answered while the log was away."""
    made = Decision(
        decision_id=name,
        problem="toy",
        problem_version="p1",
        unit_id="u1",
        episode_id=None,
        step=None,
        decided_at=NOON,
        context={"x": 2.0, "y": 3.0},
        observation=b"\x00\x00\x00\x40\x00\x00\x40\x40",
        mask=None,
        stage="full",
        arm=Arm.FALLBACK,
        version="rule",
        action=0,
        propensity=1.0,
        explored=False,
        confidence=1.0,
        kill_epoch=0,
        reason="log_unavailable",
        latency_us=10,
        request_hash="h",
    )
    return replace(made, **changes)


def drained(spool: Spool, world: World, most: int = 256) -> int:
    return spool.drain(world.store, world.service.settler, NOON, most)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.jsonl"


def test_what_was_put_survives_a_restart_and_reaches_the_log_once(path: Path, world: World) -> None:
    synced: list[int] = []
    spool = Spool(path, synced.append)
    assert spool.put([row("a"), row("b")])
    assert spool.put([row("c")])
    assert len(synced) == 2  # one fsync per group
    again = Spool(path)
    assert len(again) == 3
    assert drained(again, world) == 3
    assert (world.count(), len(again), path.read_bytes()) == (3, 0, b"")
    assert world.row("b") == replace(row("b"), sequence=world.row("b").sequence)


def test_a_drain_that_is_repeated_doubles_nothing(path: Path, world: World) -> None:
    Spool(path).put([row("a"), row("b")])
    kept = path.read_bytes()
    assert drained(Spool(path), world) == 2
    path.write_bytes(kept)  # the process died between the log's commit and the emptying of the file
    assert drained(Spool(path), world) == 2
    assert (world.count(), world.count("corrections")) == (2, 0)


def test_a_drain_has_an_end_and_the_file_is_emptied_with_the_last_row(path: Path, world: World) -> None:
    spool = Spool(path)
    spool.put([row(name) for name in "abcde"])
    assert [drained(spool, world, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert path.read_bytes() == b""


def test_a_kill_meanwhile_keeps_no_row_out_and_makes_none_learned(path: Path, world: World) -> None:
    spool = Spool(path)
    spool.put([row("a")])
    world.store.stop()
    assert drained(spool, world) == 1
    assert (world.row("a").kill_epoch, world.row("a").arm) == (1, Arm.FALLBACK)
    assert world.learned_after_kill() == 0


def test_a_learned_row_written_without_anybody_knowing_is_corrected_to_what_was_answered(world: World) -> None:
    world.one("d1")
    spool = Spool()
    stored = world.row("d1")
    spool.put([row("d1", request_hash=stored.request_hash)])
    drained(spool, world)
    assert (world.row("d1").arm, world.row("d1").action, world.row("d1").propensity) == (Arm.FALLBACK, 0, 1.0)
    assert world.count("corrections") == 1


def test_another_request_under_a_stored_id_corrects_nothing(world: World) -> None:
    world.one("d1")
    spool = Spool()
    spool.put([row("d1", request_hash="another")])
    assert drained(spool, world) == 1
    assert world.row("d1").arm is Arm.CANDIDATE


def test_a_log_that_is_still_away_leaves_all_where_it_was(path: Path, world: World) -> None:
    spool = Spool(path)
    spool.put([row("a")])
    world.store.away = frozenset({"append_decisions"})
    with pytest.raises(StoreError):
        drained(spool, world)
    assert (len(spool), len(Spool(path))) == (1, 1)


def test_only_the_first_row_of_an_id_is_kept(path: Path) -> None:
    spool = Spool(path)
    assert spool.put([row("a"), row("a", action=2)])
    assert spool.put([row("a", action=3)])
    assert (len(spool), spool.find("a")) == (1, row("a"))
    assert Spool(path).find("a") == row("a")
    assert spool.find("b") is None


def test_memory_alone_is_not_durable(world: World) -> None:
    spool = Spool()
    assert not spool.put([row("a")])
    assert drained(spool, world) == 1


def test_a_disk_that_fails_is_said_and_the_row_still_reaches_the_log(path: Path, world: World) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    spool = Spool(path, full)
    assert not spool.put([row("a")])
    assert drained(spool, world) == 1
    assert world.count() == 1


def test_a_file_that_cannot_be_emptied_is_no_harm(path: Path, world: World) -> None:
    spool = Spool(path)
    spool.put([row("a")])
    path.unlink()
    path.mkdir()
    assert drained(spool, world) == 1


def test_a_spool_has_an_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.spool.MOST_ROWS", 2)
    spool = Spool(path)
    assert spool.put([row("a")])
    assert not spool.put([row("b"), row("c")])
    assert spool.put([row("b")])
    assert len(spool) == 2


def test_what_a_full_disk_left_of_a_line_spoils_no_later_one(path: Path) -> None:
    spool = Spool(path)
    spool.put([row("a")])
    path.write_bytes(path.read_bytes() + b'{"decision_id": "half')
    spool.put([row("b")])
    assert Spool(path).find("b") == row("b")


NAMES = st.text('ab\n\r\u2028"\\é😀', min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=4), st.data())
def test_of_a_file_cut_anywhere_every_whole_group_is_found(groups: list[list[str]], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, ends, kept = Path(folder) / "spool.jsonl", [0], [set[str]()]
        spool = Spool(path)
        for group in groups:
            spool.put([row(name) for name in group])
            ends.append(path.stat().st_size)
            kept.append(kept[-1] | set(group))
        cut = data.draw(st.integers(0, ends[-1]))
        path.write_bytes(path.read_bytes()[:cut])
        found = Spool(path)
        whole = max(index for index, end in enumerate(ends) if end <= cut)
        assert all(found.find(name) == row(name) for name in kept[whole])
        assert len(found) <= len(kept[-1])


def test_the_service_answers_durably_from_its_spool(make: Make, path: Path) -> None:
    spool = Spool(path)
    world = make(neighbours={"spool": spool}).at("full", 1.0)
    world.store.away = frozenset({"append_decisions"})
    world.ask(request("d1"), request("d2"))
    assert world.service.counters["unlogged"] == 0
    assert len(Spool(path)) == 2
    world.store.away = frozenset()
    assert world.service.away.drain() == 2
    assert world.service.away.drain() == 0
    assert world.count() == 2


def test_a_row_the_log_can_never_keep_is_set_aside_and_holds_up_nobody(
    path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = world.store.append_decisions

    def picky(rows: Any, *rest: Any) -> Any:
        if any(row.decision_id == "bad" for row in rows):
            raise UnfitError(expected="x", found="a NUL", where="x", fix="x")
        return append(rows, *rest)

    monkeypatch.setattr(world.store, "append_decisions", picky)
    spool = Spool(path)
    spool.put([row("a"), row("bad"), row("b")])
    assert drained(spool, world) == 3
    assert (len(spool), spool.set_aside, world.count("decisions")) == (0, 1, 2)
    assert [kept.decision_id for kept in Spool(path.with_suffix(".aside"))._rows.values()] == ["bad"]
    assert len(Spool(path)) == 0


def test_an_answer_whose_id_the_log_holds_for_another_request_is_set_aside(path: Path, world: World) -> None:
    world.store.append_decisions([row("a", request_hash="another")])
    spool = Spool(path)
    spool.put([row("a")])
    assert drained(spool, world) == 1
    assert (len(spool), spool.set_aside) == (0, 1)
