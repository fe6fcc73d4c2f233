"""A checkpoint is whole or is not there; what is damaged is passed over; old ones give way by a rule."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

from tenure.core.clock import ManualClock
from tenure.core.errors import StoreError
from tenure.core.reward import KPI
from tenure.training import checkpoints as module
from tenure.training.checkpoints import Checkpoints, Keep, saved
from tenure.training.record import CurvePoint

COST = KPI("cost", "$", "lower", {"cost": 1})
GRAPH = saved(torch.nn.Linear(2, 3))


def point(number: int, score: float = 1.0) -> CurvePoint:
    """After so many hundred steps and so many gradient steps."""
    return CurvePoint(100 * number, number, 1.0, score, 0.5, 0.0)


class Seed:
    """Checkpoints of a run of 1,000 steps over a clock that is moved by hand."""

    def __init__(self, folder: Path, keep: Keep | None = None) -> None:
        self.clock = ManualClock(datetime(2024, 1, 1, tzinfo=UTC))
        self.checkpoints = Checkpoints(folder, COST, 1_000, self.clock, keep or Keep())

    def save(self, number: int, score: float = 1.0) -> None:
        self.checkpoints.save(point(number, score), GRAPH, {"at": number})

    @property
    def resumable(self) -> list[int]:
        return [one.point.gradient_steps for one in self.checkpoints.all() if one.resumable]

    @property
    def kept(self) -> list[int]:
        return [one.point.gradient_steps for one in self.checkpoints.all()]


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    return Seed(tmp_path / "checkpoints")


def test_a_checkpoint_comes_back_as_it_was_written(seed: Seed) -> None:
    seed.save(3)
    found, damaged = seed.checkpoints.newest()
    assert found is not None
    assert (found.point, found.state(), damaged) == (point(3), {"at": 3}, [])
    assert [tuple(weights.shape) for weights in found.graph().parameters()] == [(3, 2), (3,)]


def test_none_is_due_within_five_seconds_of_the_start_or_of_the_last_one(seed: Seed) -> None:
    for _ in range(2):
        seen = []
        for seconds in (4.9, 0.1):
            seed.clock.advance(timedelta(seconds=seconds))
            seen.append(seed.checkpoints.due)
        assert seen == [False, True]
        seed.save(1)


def test_one_that_took_a_second_is_followed_by_twenty_without(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    write = module.write_synced

    def slow(path: Path, content: bytes) -> None:
        seed.clock.advance(timedelta(seconds=1 / 3))  # graph, state and manifest
        write(path, content)

    monkeypatch.setattr(module, "write_synced", slow)
    seed.save(1)
    seen = []
    for seconds in (19.9, 0.2):
        seed.clock.advance(timedelta(seconds=seconds))
        seen.append(seed.checkpoints.due)
    assert seen == [False, True]


@pytest.mark.parametrize("file", ["state.pt", "graph.pt"])
def test_a_damaged_newest_one_falls_back_to_the_one_before_and_says_so(seed: Seed, file: str) -> None:
    seed.save(1)
    seed.save(2)
    path = seed.checkpoints.folder / "2" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found, damaged = seed.checkpoints.newest()
    assert found is not None
    assert (found.point.gradient_steps, damaged) == (1, [f"{path} is not as it was written"])


def test_a_missing_file_and_a_torn_manifest_are_damage_too(seed: Seed) -> None:
    for number in (1, 2, 3):
        seed.save(number)
    (seed.checkpoints.folder / "3" / "manifest.json").write_text("{")
    (seed.checkpoints.folder / "2" / "state.pt").unlink()
    found, damaged = seed.checkpoints.newest()
    assert found is not None
    assert found.point.gradient_steps == 1
    assert [text.rpartition("/")[2] for text in damaged] == ["manifest.json cannot be read", "state.pt is missing"]


def test_a_full_disk_leaves_the_last_good_one_and_names_it(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    seed.save(1)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(module, "write_synced", full)
    with pytest.raises(StoreError) as failed:
        seed.save(2)
    assert failed.value.found == (
        f"No space left on device; the last good checkpoint is {seed.checkpoints.folder / '1'}, after 100 steps, "
        "and nothing before it is lost"
    )
    assert failed.value.fix.endswith("`tenure train P --resume`")
    assert [path.name for path in seed.checkpoints.folder.iterdir()] == ["1"], "no half of it stays"
    assert seed.checkpoints.newest()[0] is not None


def test_what_a_process_left_half_written_is_swept_away(seed: Seed) -> None:
    seed.save(1)
    half = seed.checkpoints.folder / ".2"
    half.mkdir()
    (half / "graph.pt").write_bytes(b"half")
    assert Seed(seed.checkpoints.folder).kept == [1]
    assert not half.exists()


def test_the_last_three_stay_whole_the_best_and_the_first_of_each_tenth_without_the_state(tmp_path: Path) -> None:
    """Twenty in a run of 1,000 steps, two in each tenth: steps 50 * n; the 4th is the best."""
    seed = Seed(tmp_path)
    for number in range(1, 21):
        here = CurvePoint(50 * number, number, 1.0, 0.0 if number == 4 else 9.0, 0.5, 0.0)
        seed.checkpoints.save(here, GRAPH, {"at": number})
    # Tenths begin at 0, 100, 200...: the first of each is 1 (50), 2 (100), 4 (200), 6 (300)... 18 (900).
    assert seed.kept == [1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19, 20]
    assert seed.resumable == [18, 19, 20]
    assert not (tmp_path / "16" / "state.pt").exists()
    assert all(one.damage() == "" for one in seed.checkpoints.all())


def test_the_best_stays_where_it_is_not_the_first_of_its_part(tmp_path: Path) -> None:
    seed = Seed(tmp_path, Keep(last=1, parts=1))
    for number, score in ((1, 5.0), (2, 3.0), (3, 4.0), (4, 4.0)):
        seed.save(number, score)
    assert seed.kept == [1, 2, 4]


def test_a_state_that_cannot_be_pickled_leaves_the_policy_and_says_why(seed: Seed) -> None:
    written = seed.checkpoints.save(point(1), GRAPH, {"at": (number for number in range(3))})
    assert not written.resumable
    found, told = seed.checkpoints.newest()
    assert found is None
    assert told == [written.why]
    assert "generator" in written.why


def test_a_run_that_goes_on_drops_the_future_it_will_not_have(seed: Seed) -> None:
    for number in (1, 2, 3):
        seed.save(number)
    seed.checkpoints.drop_after(2)
    assert seed.kept == [1, 2]
