"""Cloning, IQL and CQL from logs of a corridor that is solved by hand: who beats whom, and the way out to a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.training.corridor import BEST, Expert, Mixed, corridor, log_of

from tenure.core.project import Project
from tenure.training.ground import Trained
from tenure.training.offline import open_halves, told
from tenure.training.offline_settings import OfflineSettings
from tenure.training.recipes import RECIPES

from .grounds import ground, parted

MARGIN = 0.1
"""In $ per decision; of the 0.89 that the best policy gains, and the 0.3 of the mixed log."""
SEEDS = (1, 2, 3)


def short(recipe: str, log: Path) -> OfflineSettings:
    """A thousand gradient steps, with values that spread faster than in the papers' million."""
    settings = RECIPES[recipe].settings(steps=256_000, learning_rate=1e-3, checkpoint_every=500)
    assert isinstance(settings, OfflineSettings)
    return replace(settings, log=str(log), follow=0.02)


def trained(project: Project, recipe: str, log: Path, folder: Path, seed: int) -> Trained:
    return RECIPES[recipe].train(ground(project, short(recipe, log), folder, seed))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return corridor(tmp_path_factory.mktemp("world") / "corridor")


@pytest.fixture(scope="module")
def mixed(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log_of(project, Mixed(), tmp_path_factory.mktemp("log") / "mixed.csv")


@pytest.mark.parametrize("seed", SEEDS)
def test_from_a_mixed_log_iql_and_cql_beat_its_clone_and_the_clone_its_policy(
    project: Project, mixed: Path, tmp_path: Path, seed: int
) -> None:
    runs = {name: trained(project, name, mixed, tmp_path / name, seed) for name in ("cloning", "iql", "cql")}
    score = {name: run.curve[-1].score for name, run in runs.items()}
    logged = told(open_halves(short("iql", mixed), project.problem), project.problem)["score"]
    assert score["cloning"] > logged + MARGIN
    assert score["iql"] > score["cloning"] + MARGIN
    assert score["cql"] > score["cloning"] + MARGIN
    assert {name: parted(project, run) for name, run in runs.items()} == dict.fromkeys(runs, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_clone_of_an_expert_reaches_the_expert(project: Project, tmp_path: Path, seed: int) -> None:
    log = log_of(project, Expert(), tmp_path / "expert.csv")
    assert trained(project, "cloning", log, tmp_path / "seed", seed).curve[-1].score == pytest.approx(BEST)


def test_equal_seeds_learn_equally(project: Project, mixed: Path, tmp_path: Path) -> None:
    curves = []
    for again in ("one", "two"):
        settings = replace(short("iql", mixed), steps=2_560, checkpoint_every=5)
        trained = RECIPES["iql"].train(ground(project, settings, tmp_path / again))
        curves.append([replace(point, seconds=0.0) for point in trained.curve])
    assert curves[0] == curves[1]
    assert [point.gradient_steps for point in curves[0]] == [5, 10]


def test_every_recipe_from_a_log_says_so() -> None:
    assert {name for name, recipe in RECIPES.items() if recipe.learns_from == "log"} == {"cloning", "cql", "iql"}
