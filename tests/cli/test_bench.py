"""`tenure bench` over a race whose training is played, and what it says of races that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.training.hot import hot_project
from tests.training.race.test_race import Played

from tenure.cli.bench import Asked, foretold, run_bench
from tenure.cli.output import Output
from tenure.cli.train import checked
from tenure.cli.workspace import open_workspace
from tenure.training.race import Prediction, entering

from .test_main import as_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose reward was checked, its runtime files beside it."""
    folder = hot_project(tmp_path / "project").folder
    checked(open_workspace(str(folder), folder.parent / "home"))
    return folder


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """PPO gains a fifth; A2C loses as much."""
    found = Played({"ppo": lambda _: 8.0, "a2c": lambda _: 12.0})
    monkeypatch.setattr(entering, "train", found.train)
    monkeypatch.setattr(entering, "core_seconds", lambda: found.spent)
    return found


@pytest.fixture
def raced(folder: Path, played: Played, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """A race over three seeds."""
    assert run(folder) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def run(folder: Path) -> int:
    asked = Asked(share=0.5, steps=4096, recipes=("ppo", "a2c"))
    return run_bench(Output(json=True), str(folder), asked, folder.parent / "home")


def test_the_race_tells_what_the_design_asks_for(raced: dict[str, Any]) -> None:
    assert {one["name"] for one in raced["contestants"]} == {"ppo", "a2c"}
    for one in raced["contestants"]:
        assert one["score"]["low"] <= one["score"]["value"] <= one["score"]["high"]
        assert one["steps"] == 2048
        assert one["core_s"] == 2.0
        assert len(one["per_seed"]) == 3
    assert raced["chosen"] == "ppo"
    assert [one["beats_incumbent"] for one in raced["contestants"]] == [True, False]
    assert raced["reason"].startswith("ppo gains +20.0%")


def test_the_scores_are_gains_over_the_incumbent_told_beside_them(raced: dict[str, Any]) -> None:
    incumbent = raced["incumbent"]["value"]
    for one in raced["contestants"]:
        gains = [(incumbent - value) / incumbent for value in one["per_seed"]]
        assert one["score"]["value"] == pytest.approx(sum(gains) / 3)


def test_race_and_chart_lie_apart_from_the_projects_own_runs(raced: dict[str, Any], folder: Path) -> None:
    home = folder.parent / "home" / "hot"
    assert json.loads((home / "bench" / "bench.json").read_text())["reason"] == raced["reason"]
    chart = (home / "bench" / "bench.svg").read_text()
    assert "incumbent" in chart
    assert "ppo, 2,048" in chart
    assert not (home / "runs").exists()


def test_the_same_race_again_trains_nobody(
    raced: dict[str, Any], folder: Path, played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder) == 0
    assert json.loads(capsys.readouterr().out) == raced
    assert len(played.trained) == 2


def test_a_race_on_a_reward_nobody_checked_is_refused(folder: Path, tmp_path: Path) -> None:
    code, found = as_json("bench", str(folder), home=tmp_path / "other")
    assert (code, found["expected"]) == (2, "a current pass of `tenure reward check`")


def test_a_recipe_that_learns_from_a_log_is_refused(folder: Path) -> None:
    code, found = as_json("bench", str(folder), "--recipe", "iql", "--recipe", "ppo", home=folder.parent / "home")
    assert (code, found["expected"]) == (2, "recipes that learn in worlds")


def test_what_the_share_foretold_is_told_with_its_cost() -> None:
    assert foretold(Prediction("a", "a", True, 1, 3, 0.0), "bikes") == (
        "On the whole budget a, the early winner, also wins."
    )
    assert foretold(Prediction("a", "b", False, 2, 3, 1.5), "bikes").endswith("comes 2 of 3: it is 1.5 bikes behind b.")
    assert foretold(Prediction("a", "b", False, 3, 3, None), "").endswith("comes 3 of 3: it could not be trained.")
