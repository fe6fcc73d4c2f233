"""`tenure train` on a project whose worlds are drawn by themselves: refused unchecked, then trained and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.training.hot import hot_project
from typer.testing import CliRunner

from tenure.cli.train import checked
from tenure.cli.workspace import open_workspace
from tenure.core.evidence import Verdict

from .test_main import as_json


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runtime files of a project that was trained after its check."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project."""
    return hot_project(tmp_path_factory.mktemp("hot")).folder


@pytest.fixture(scope="module")
def trained(folder: Path, home: Path) -> dict[str, Any]:
    """A run of one seed, by the project's own `[train]` table."""
    assert checked(open_workspace(str(folder), home)) is Verdict.PASS
    code, found = as_json("train", str(folder), "--seeds", "1", "--name", "one", home=home)
    assert code == 0, found
    return found


def test_training_is_refused_without_a_current_check_and_says_what_to_run(folder: Path, tmp_path: Path) -> None:
    code, found = as_json("train", str(folder), home=tmp_path)
    assert code == 2
    assert found["expected"] == "a current pass of `tenure reward check`"
    assert "tenure reward check" in found["fix"]
    assert not (tmp_path / "hot" / "runs").exists()


def test_a_reward_nobody_checked_is_told_before_steps_that_are_too_few(folder: Path, tmp_path: Path) -> None:
    code, found = as_json("train", str(folder), "--steps", "1", home=tmp_path)
    assert (code, found["expected"]) == (2, "a current pass of `tenure reward check`")
    checked(open_workspace(str(folder), tmp_path))
    code, found = as_json("train", str(folder), "--steps", "1", home=tmp_path)
    assert (code, found["found"]) == (2, "1 steps")
    assert "those of one update (worlds x rollout = " in found["expected"]


def test_a_run_takes_the_projects_settings(trained: dict[str, Any], folder: Path, home: Path) -> None:
    from tenure.training import read_record

    settings = read_record(home / "hot" / "runs" / "one").settings
    assert (settings["steps"], settings["worlds"], settings["net"]) == (2048, 32, [8])
    assert trained["gain"]["cluster"] == "world"
    assert set(trained["limits"]["weights"]) == {"heat"}


def test_evaluation_over_such_worlds_needs_no_weeks_and_doubts_its_headroom(
    trained: dict[str, Any], folder: Path, home: Path
) -> None:
    code, found = as_json("evaluate", str(folder), "--held-out", home=home)
    assert code == 0
    assert found["period"] == "200 worlds of at most 20 decisions"
    room = found["headroom"]
    assert room["low"] < room["share"] < room["high"]
    # The bound loses nothing, so the share is that of the incumbent's losses that are gone: the gain itself.
    assert room["share"] == pytest.approx(found["gain"]["value"])
    assert (room["low"], room["high"]) == pytest.approx((found["gain"]["low"], found["gain"]["high"]))
    assert found["reads"] == 1


def test_a_live_rollout_over_such_worlds_says_what_it_needs(trained: dict[str, Any], folder: Path, home: Path) -> None:
    from tenure.cli.services import services
    from tenure.core.errors import ProjectError

    rooms = services(open_workspace(str(folder), home))
    assert rooms.selection(trained["version"]).cluster == "world"
    begin = open_workspace(str(folder), home).project.simulator.panel("held_out").started_at
    with pytest.raises(ProjectError, match="a panel of 1 whole days"):
        rooms.replay(None, begin, 1)


def test_a_run_without_a_term_is_called_an_experiment_wherever_it_is_told(tmp_path: Path) -> None:
    from tenure.cli.main import app
    from tenure.core.project import load_project
    from tenure.training import read_record

    hot = hot_project(tmp_path / "two")
    problem = hot.folder / "problem.py"
    paid = 'Reward((Term("made", 1.0, "$/unit", "it sells"),))'
    more = 'Reward((Term("made", 1.0, "$/unit", "it sells"), Term("lost", -0.1, "$/unit", "it is missed")))'
    assert paid in problem.read_text()
    problem.write_text(problem.read_text().replace(paid, more))
    workspace = open_workspace(str(hot.folder), tmp_path)
    checked(workspace)
    words = ("train", str(hot.folder), "--seeds", "1", "--without", "lost", "--name", "bare")
    done = CliRunner().invoke(app, [*words, "--home", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.output.count("EXPERIMENT, no candidate") == 2
    record = read_record(workspace.runs / "bare")
    assert record.experiment == "trained on the reward without lost, which no check and no audit has seen"
    assert record.reward_version != load_project(hot.folder).problem.reward_version
    with workspace.store() as store:
        assert store.versions("hot")[0].record["lineage"]["experiment"] == record.experiment
