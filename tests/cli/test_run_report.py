"""`tenure report` writes the page of a finished run, of an older one and of one cut in the middle; else it says why."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.training.tiny import TINY

from tenure.cli.diagnose import FILE
from tenure.cli.output import Output
from tenure.cli.run_report import PAGE, kept_diagnosis, report_run
from tenure.core.errors import ProjectError
from tenure.training.record import CurvePoint, RunRecord, SeedRecord, write_record

MEASURED = {"reward_mean": -4.0, "kl": 0.01, "term/lost_rentals": -3.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of two seeds."""

    def seed(number: int) -> SeedRecord:
        points = (
            CurvePoint(step, step // 100, 1.0, 6.0 - step / 2000, 0.2, 2.0, metrics=MEASURED) for step in (1000, 2000)
        )
        return SeedRecord(number, f"v{number}", 5.0, 100.0, tuple(points))

    made = tmp_path / "bikes" / "runs" / "tiny"
    made.mkdir(parents=True)
    seeds, settings = (seed(1), seed(2)), json.loads(json.dumps(asdict(TINY)))
    write_record(RunRecord("tiny", "bikes", "p", "r", "s", settings, seeds, "v1", 5.9, 4.0, {}, "c"), made)
    return made


def reported(folder: Path, capsys: pytest.CaptureFixture[str], run: str | None = "tiny") -> dict[str, Any]:
    report_run(Output(json=True), "bikes", run, None, folder.parents[2])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_a_run_is_written_into_its_own_folder_with_every_metric(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = reported(folder, capsys)
    page = Path(told["report"])
    assert page.name == PAGE
    assert (told["run"], told["diagnosed"]) == ("tiny", False)
    text = page.read_text()
    assert all(f'<th scope="row">{name}<small>' in text for name in MEASURED)


def test_the_diagnosis_that_lies_there_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[str, Any] = {"told": "It is well.", "shape": "healthy", "named": None, "causes": [], "missing": []}
    (folder / FILE).write_text(json.dumps(found))
    told = reported(folder, capsys)
    assert told["diagnosed"]
    assert '<p class="sentence">It is well.</p>' in Path(told["report"]).read_text()


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"told": "half'])
def test_a_diagnosis_that_cannot_be_read_is_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    assert kept_diagnosis(tmp_path) is None


def test_a_record_of_before_metrics_is_shown_without(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "record.json"
    fields = json.loads(path.read_text())
    for seed in fields["seeds"]:
        for point in seed["curve"]:
            del point["metrics"]
    path.write_text(json.dumps(fields))
    assert "No metrics were recorded" in Path(reported(folder, capsys)["report"]).read_text()


def test_without_a_name_the_newest_run_is_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(folder, capsys, None)["run"] == "tiny"


def test_a_run_that_is_not_there_is_told_with_those_that_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ProjectError, match="tiny"):
        reported(folder, capsys, "other")


def test_a_run_that_never_came_to_a_checkpoint_is_refused_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "record.json").write_text('{"run": "tiny", "seeds": [')
    with pytest.raises(ProjectError, match="scored checkpoints"):
        reported(folder, capsys)
