"""`tenure retrain` goes from a served log to SHADOW, and a crash anywhere costs nothing but time."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.hot import hot_project

from tenure.cli.output import Output
from tenure.cli.retrain import Asked, run_retrain
from tenure.cli.train import checked
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import ConflictError

from .test_main import as_json

NAMES = ("snapshot", "data", "simulator", "train", "control", "bench", "memory", "bundle", "rollout")
RULE = """
[[promote]]
to = 0.0
evidence = "selection"
kpi = "lost"
margin = 0.5
relative = true
"""


class Crash(BaseException):
    """A process that dies: nothing of ours catches it."""


def served(folder: Path, decisions: int = 400) -> Workspace:
    """A checked project with decisions of its incumbent in the log."""
    project = hot_project(folder / "hot")
    settings = Path(project.place) / "tenure.toml"
    settings.write_text(settings.read_text() + RULE)
    rng, log = np.random.default_rng(0), folder / "log.csv"
    with log.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["decision_id", "at", "unit_id", "action", "propensity", "x", "made", "heat", "lost"])
        for number, x in enumerate(rng.random(decisions)):
            fast = x > 0.9
            at = f"2026-01-{1 + number // 24:02d}T{number % 24:02d}:00:00Z"
            made, lost = (x, 0.0) if fast else (0.0, x)
            rows.writerow(
                [f"d{number}", at, f"u{number // 20}", "fast" if fast else "slow", 1.0, x, made, int(fast), lost]
            )
    workspace = open_workspace(project.place, folder / "home")
    checked(workspace)
    code, found = as_json("log", "import", project.place, str(log), home=folder / "home")
    assert (code, found["rows"]) == (0, decisions)
    return workspace


def retrain(workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    return as_json("retrain", workspace.project.place, "--seeds", "1", *words, home=workspace.home.parent)


def count(workspace: Workspace) -> dict[str, int]:
    """How often each kind of event happened, and how many versions there are."""
    with workspace.store() as store:
        kinds = [event.kind for event in store.events("hot")]
        versions = len(store.versions("hot"))
    return {kind: kinds.count(kind) for kind in set(kinds)} | {"versions": versions}


def test_from_the_log_to_shadow_and_again_changes_nothing(tmp_path: Path) -> None:
    workspace = served(tmp_path)
    code, found = retrain(workspace, "--least", "100")
    assert (code, found["verdict"], found["trigger"]["kind"]) == (0, "pass", "hand")
    assert [step["name"] for step in found["steps"]] == list(NAMES)
    status = as_json("rollout", "status", workspace.project.place, home=workspace.home.parent)[1]
    assert (status["stage"], status["version"]) == ("shadow", found["version"])
    assert retrain(workspace, "--least", "100") == (code, found)
    assert count(workspace) == {"import": 1, "retrain": 1, "start": 1, "versions": 1}


def test_too_little_that_is_new_is_inconclusive_and_trains_nothing(tmp_path: Path) -> None:
    workspace = served(tmp_path, 48)
    code, found = retrain(workspace)
    assert (code, found["version"]) == (3, None)
    assert found["steps"][-1]["reason"] == "48 new decisions, at least 5,000 are needed"
    assert not workspace.runs.exists()


@pytest.mark.parametrize("where", ["before", "inside", "after"])
def test_a_crash_at_any_step_is_mended_by_the_same_command_without_a_double_effect(where: str, tmp_path: Path) -> None:
    """The process dies at every step in turn; each life goes on where the last one ended."""
    workspace = served(tmp_path, 48)
    asked, place, home = Asked(1, 2048, 40), workspace.project.place, workspace.home.parent
    for name in NAMES:

        def fault(at: str, place: str = f"{where} {name}") -> None:
            if at == place:
                raise Crash

        with pytest.raises(Crash):
            run_retrain(Output(json=False), place, asked, home, fault=fault)
    assert run_retrain(Output(json=False), place, asked, home) == 0
    assert count(workspace) == {"import": 1, "retrain": 1, "start": 1, "versions": 1}
    assert len(list((workspace.home / "retrain").glob("0*"))) == 1


def test_a_changed_problem_is_refused_while_a_retraining_is_open(tmp_path: Path) -> None:
    workspace = served(tmp_path, 48)
    asked, place, home = Asked(1, 2048, 40), workspace.project.place, workspace.home.parent

    def fault(at: str) -> None:
        if at == "before data":
            raise Crash

    with pytest.raises(Crash):
        run_retrain(Output(json=False), place, asked, home, fault=fault)
    problem = Path(place) / "problem.py"
    problem.write_text(problem.read_text().replace('Term("made", 1.0,', 'Term("made", 2.0,'))
    code, found = retrain(workspace, "--least", "40")
    assert (code, found["error"]) == (2, "ProjectError")
    assert "reward that retraining" in found["expected"]


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    workspace = served(tmp_path, 48)
    asked, place, home = Asked(1, 2048, 40), workspace.project.place, workspace.home.parent

    def meanwhile(at: str) -> None:
        if at == "before data":
            with pytest.raises(ConflictError):
                run_retrain(Output(json=False), place, asked, home)
            raise Crash

    with pytest.raises(Crash):
        run_retrain(Output(json=False), place, asked, home, fault=meanwhile)


def test_a_regime_is_remembered_by_hand_and_tried_on_every_new_version(tmp_path: Path) -> None:
    workspace = served(tmp_path, 48)
    assert retrain(workspace, "--remember", "spring", "--level", "dear", "--because", "it may return")[0] == 0
    assert retrain(workspace, "--remember", "autumn", "--level", "no such")[0] == 2
    found = retrain(workspace, "--least", "40", "--steps", "2048")[1]
    memory = next(step for step in found["steps"] if step["name"] == "memory")
    assert [one["name"] for one in memory["told"]["regimes"]] == ["spring"]


def test_cron_retrains_only_where_a_trigger_fires_and_says_why(tmp_path: Path) -> None:
    workspace = served(tmp_path, 48)
    assert retrain(workspace, "--if-due")[1]["error"] == "SettingsError"
    path = Path(workspace.project.place) / "tenure.toml"
    plain = path.read_text()
    path.write_text(plain + '[retrain]\nevery = "7d"\nmin_new_decisions = 49\n')
    code, found = retrain(workspace, "--if-due")
    assert (code, found["trigger"]["kind"], found["steps"]) == (0, None, [])
    assert "48 new decisions of 49" in found["trigger"]["reason"]
    path.write_text(plain + '[retrain]\nevery = "7d"\nmin_new_decisions = 48\n')
    checked(workspace)
    code, found = retrain(workspace, "--if-due", "--steps", "2048")
    assert (code, found["trigger"]["kind"], found["verdict"]) == (0, "schedule", "pass")
    code, found = retrain(workspace, "--if-due", "--steps", "2048")
    assert (code, found["trigger"]["kind"]) == (0, None)
    assert "nothing calls" in found["trigger"]["reason"]
