"""What is kept of a run, and how it comes back."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tenure.core.errors import ProjectError, SettingsError, StoreError
from tenure.training import CurvePoint, RunRecord, SeedRecord, latest_run, read_record
from tenure.training import record as module
from tenure.training.record import fresh_folder, libraries, lineage_of_tree, write_record


def a_record(run: str = "one") -> RunRecord:
    curve = (CurvePoint(512, 4, 0.5, 9.25, 0.4, 2.0), CurvePoint(1024, 8, 1.0, 7.5, 0.3, 2.5))
    seeds = tuple(SeedRecord(seed, f"version-{seed}", 7.5, speed, curve) for seed, speed in ((1, 900.0), (2, 1100.0)))
    return RunRecord(
        run=run,
        problem="bikes",
        problem_version="p",
        reward_version="r",
        simulator_version="s",
        settings={"steps": 1024, "net": [64, 64]},
        seeds=seeds,
        chosen="version-1",
        incumbent=8.0,
        bound=None,
        gain={"value": 0.1, "low": -0.1, "high": 0.3},
        commit="abc1234",
        libraries={"torch": "2"},
    )


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    write_record(a_record(), tmp_path)
    assert read_record(tmp_path) == a_record()
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"], "no half-written file stays"


def test_the_speed_of_a_run_is_the_mean_over_its_seeds() -> None:
    assert a_record().steps_per_s == 1000.0


def test_the_latest_run_is_the_one_finished_last(tmp_path: Path) -> None:
    for age, run in ((30, "old"), (10, "new"), (20, "middle")):
        write_record(a_record(run), fresh_folder(tmp_path, run))
        os.utime(tmp_path / run / "record.json", (1e9 - age, 1e9 - age))
    fresh_folder(tmp_path, "unfinished")
    assert latest_run(tmp_path).run == "new"


@pytest.mark.parametrize("read", [read_record, latest_run])
def test_no_run_is_a_clear_error(read: object, tmp_path: Path) -> None:
    assert callable(read)
    with pytest.raises(ProjectError, match="run `tenure train` first"):
        read(tmp_path / "none")


@pytest.mark.parametrize("text", ["{", "{}", '{"seeds": []}', '{"seeds": [], "unknown": 1}', "[]"])
def test_a_damaged_record_names_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(ProjectError) as refused:
        read_record(tmp_path)
    assert refused.value.where == str(tmp_path / "record.json")


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", ".hidden", "-option", "two words"])
def test_a_run_cannot_be_named_out_of_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="becomes a folder"):
        fresh_folder(tmp_path / "runs", name)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_the_same_name_starts_with_an_empty_folder(tmp_path: Path) -> None:
    write_record(a_record(), fresh_folder(tmp_path, "one"))
    assert list(fresh_folder(tmp_path, "one").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="a run folder with room that may be written"):
        fresh_folder(tmp_path / "file" / "runs", "one")


def test_a_folder_that_went_away_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        write_record(a_record(), tmp_path / "gone")


def test_outside_git_or_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert lineage_of_tree(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lineage_of_tree(Path(module.__file__).parent) == "unknown"


def test_libraries_are_named_with_their_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"python", "tenure", "torch", "stable-baselines3", "onnxruntime"} <= set(libraries())
    assert "unknown" not in libraries().values()
    monkeypatch.setattr(module, "version", _not_found)
    assert libraries()["onnxruntime"] == "unknown"


def _not_found(name: str) -> str:
    raise PackageNotFoundError(name)
