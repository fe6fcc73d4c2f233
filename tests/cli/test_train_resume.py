"""`tenure train --resume` goes on with what was begun, and takes no other wishes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.training.hot import hot_project
from tests.training.tiny import TINY

from tenure.cli.train import checked
from tenure.cli.workspace import Workspace, open_workspace
from tenure.training import Progress, train

from .test_main import as_json


@pytest.fixture
def stopped(tmp_path: Path) -> Workspace:
    """A checked project with a run that was stopped at its first score, before any checkpoint was due."""

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    workspace = open_workspace(str(hot_project(tmp_path / "hot").folder), tmp_path / "home")
    checked(workspace)
    with pytest.raises(KeyboardInterrupt):
        train(workspace.project, replace(TINY, steps=2048), (1,), workspace.home, "stopped", interrupt)
    return workspace


def test_a_stopped_run_is_refused_other_wishes_then_goes_on_then_is_finished(stopped: Workspace) -> None:
    command, home = ("train", stopped.project.place, "--resume"), stopped.home.parent
    code, found = as_json(*command, "--steps", "4096", "--recipe", "dqn", home=home)
    assert (code, found["found"]) == (2, "--steps --recipe")
    code, found = as_json(*command, home=home)
    assert (code, found["run"]) == (0, "stopped")
    (used,) = found["utilisation"].values()
    assert sum(used["shares"].values()) == pytest.approx(1.0)
    assert {"simulate", "infer", "learn", "score", "wait"} <= set(used["shares"])
    code, found = as_json(*command, home=home)
    assert (code, found["expected"]) == (2, "a run that was stopped")
