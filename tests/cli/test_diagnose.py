"""`tenure diagnose` through the command: what it prints, keeps, applies and answers to what cannot be judged."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.diagnosis.walk import SETTINGS, walk
from typer.testing import CliRunner

from tenure.cli.hint import hint
from tenure.cli.main import app
from tenure.core.project import Project
from tenure.training import RunRecord, train

RUN = CliRunner()


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, RunRecord, Path]:
    """A run that looks one decision ahead where ten count, and the folder of runtime files."""
    base = tmp_path_factory.mktemp("cli")
    project, settings = walk(base / "walk"), replace(SETTINGS, discount=0.1)
    fields = {name: value for name, value in asdict(settings).items() if value not in (None, (), [])}
    fields.pop("without", None)
    rows = (f"{name} = {json.dumps(value)}" for name, value in fields.items())
    (base / "walk" / "tenure.toml").write_text("# mine\n[train]\n" + "\n".join(rows) + "\n")
    return project, train(project, settings, (1,), base / "home" / "walk", "short"), base / "home"


def diagnosed(project: Project, home: Path, *more: str) -> tuple[int, dict[str, object]]:
    found = RUN.invoke(app, ["diagnose", str(project.folder), "short", "--home", str(home), "--json", *more])
    return found.exit_code, json.loads(found.stdout)


def test_a_named_cause_is_kept_beside_the_run_and_applied_and_mends_it(
    short: tuple[Project, RunRecord, Path], tmp_path: Path
) -> None:
    project, _, home = short
    code, told = diagnosed(project, home, "--probes", "2", "--seconds", "100", "--apply")
    assert (code, told["named"], told["shape"]) == (4, "wrong_discount", "flat")
    first = told["causes"][0]  # type: ignore[index]
    assert {"name", "evidence", "probe", "verdict", "fix"} <= set(first)
    kept = json.loads((home / "walk" / "runs" / "short" / "diagnosis.json").read_text())
    assert kept["named"] == "wrong_discount"
    text = (project.folder / "tenure.toml").read_text()
    assert text.startswith("# mine\n")
    assert f"discount = {first['fix']['settings']['discount']}" in text
    assert "-discount = 0.1" in str(told["applied"])
    shutil.copy(project.folder / "tenure.toml.before", project.folder / "tenure.toml")


def test_a_suspicious_training_ends_with_the_command_that_finds_out_why(
    short: tuple[Project, RunRecord, Path],
) -> None:
    project, record, _ = short
    assert hint(project, record, "walk").endswith("Why: tenure diagnose walk short")


def test_a_run_that_is_not_there_could_not_be_measured(short: tuple[Project, RunRecord, Path]) -> None:
    project, _, home = short
    found = RUN.invoke(app, ["diagnose", str(project.folder), "gone", "--home", str(home)])
    assert found.exit_code == 5
    assert "There is no run 'gone'" in found.stdout


def test_without_any_run_the_error_says_what_to_do(short: tuple[Project, RunRecord, Path], tmp_path: Path) -> None:
    found = RUN.invoke(app, ["diagnose", str(short[0].folder), "--home", str(tmp_path)])
    assert found.exit_code == 2
    assert "tenure train" in found.stdout


def test_a_flat_run_without_probes_is_unclear(short: tuple[Project, RunRecord, Path]) -> None:
    code, told = diagnosed(short[0], short[2], "--probes", "0")
    assert (code, told["causes"], told["healthy"]) == (3, [], False)


def test_a_damaged_record_is_diagnosed_from_what_is_left(short: tuple[Project, RunRecord, Path]) -> None:
    project, _, home = short
    path = home / "walk" / "runs" / "short" / "record.json"
    whole = path.read_text()
    path.write_text(whole[:100])
    code, told = diagnosed(project, home, "--probes", "0")
    path.write_text(whole)
    assert (code, told["shape"]) == (3, "flat")
    assert "record.json cannot be read" in told["missing"][0]  # type: ignore[index]
