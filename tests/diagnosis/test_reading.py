"""Whatever is left of a run is read; what is missing is said."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from tenure.core.project import Project
from tenure.diagnosis.reading import read_run
from tenure.training import train

from .walk import SETTINGS, walk


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    base = tmp_path_factory.mktemp("read")
    project = walk(base / "walk")
    train(project, SETTINGS, (1,), base / "home", "run")
    return project, base / "home" / "runs" / "run"


@pytest.fixture
def run(trained: tuple[Project, Path], tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    shutil.copytree(trained[1], tmp_path / "run")
    return tmp_path / "run"


def test_a_whole_record_is_read_as_it_is(trained: tuple[Project, Path]) -> None:
    found = read_run(*trained)
    assert found.record is not None
    assert found.missing == ()


def test_a_record_cut_in_the_middle_is_pieced_together_from_its_seeds(trained: tuple[Project, Path], run: Path) -> None:
    whole = read_run(*trained).record
    text = (run / "record.json").read_text()
    (run / "record.json").write_text(text[: len(text) // 2])
    found = read_run(trained[0], run)
    assert found.record is not None
    assert whole is not None
    assert found.record.seeds == whole.seeds
    assert (found.record.incumbent, found.record.bound) == (whole.incumbent, whole.bound)
    assert "record.json cannot be read" in found.missing[0]


def test_of_an_unfinished_run_the_newest_checkpoint_tells_the_curve(trained: tuple[Project, Path], run: Path) -> None:
    (run / "record.json").unlink()
    (run / "seed-1" / "seed.json").unlink()
    newest = max((run / "seed-1" / "checkpoints").glob("*/state.pt"), default=None)
    found = read_run(trained[0], run)
    assert "not finished" in found.missing[0]
    assert (found.record is not None) == (newest is not None)


def test_a_run_that_never_came_to_a_checkpoint_has_nothing_to_diagnose(
    trained: tuple[Project, Path], run: Path
) -> None:
    (run / "record.json").unlink()
    shutil.rmtree(run / "seed-1")
    found = read_run(trained[0], run)
    assert found.record is None
    assert "never came to a checkpoint" in found.missing[-1]


def test_a_folder_without_plan_or_record_cannot_be_diagnosed(trained: tuple[Project, Path], tmp_path: Path) -> None:
    found = read_run(trained[0], tmp_path)
    assert found.record is None
    assert "nothing can be diagnosed" in found.missing[-1]


def test_a_run_that_is_not_there_is_told_beside_those_that_are(trained: tuple[Project, Path], run: Path) -> None:
    found = read_run(trained[0], run.parent / "gone")
    assert found.record is None
    assert found.missing == (f"There is no run 'gone': {run.parent} has run.",)


def test_checkpoints_without_a_score_are_left_out_and_counted(trained: tuple[Project, Path], run: Path) -> None:
    record = json.loads((run / "record.json").read_text())
    record["seeds"][0]["curve"][0]["score"] = math.nan
    (run / "record.json").write_text(json.dumps(record))
    found = read_run(trained[0], run)
    assert found.record is not None
    assert len(found.record.seeds[0].curve) == len(record["seeds"][0]["curve"]) - 1
    assert found.missing == ("1 checkpoint(s) have no validation score and are left out.",)


def test_without_any_score_nothing_can_be_judged(trained: tuple[Project, Path], run: Path) -> None:
    record = json.loads((run / "record.json").read_text())
    for point in record["seeds"][0]["curve"]:
        point["score"] = None
    (run / "record.json").write_text(json.dumps(record))
    found = read_run(trained[0], run)
    assert found.record is None
    assert "No checkpoint has a validation score" in found.missing[0]


def test_a_record_of_an_older_version_has_scores_and_no_metrics(trained: tuple[Project, Path], run: Path) -> None:
    record = json.loads((run / "record.json").read_text())
    for point in record["seeds"][0]["curve"]:
        del point["metrics"]
    (run / "record.json").write_text(json.dumps(record))
    found = read_run(trained[0], run)
    assert found.record is not None
    assert found.record.seeds[0].curve[0].metrics == {}
