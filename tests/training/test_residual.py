"""A learned adjustment, from training to a bundle that needs its incumbent."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tenure.core.errors import BundleError, SettingsError
from tenure.core.policy import check_policy
from tenure.core.project import Project, load_project
from tenure.core.residual import Residual
from tenure.simulators.rollout import run
from tenure.store import load_bundle
from tenure.training import RunRecord, Settings, read_train_settings, train
from tenure.training.ground import Ground
from tenure.training.residual import NoAdjustment

from .tiny import TINY

ADJUST = replace(TINY, residual=Residual(2))


@dataclass(frozen=True)
class Made:
    """A run of one seed that learned adjustments of up to two bikes."""

    project: Project
    home: Path
    record: RunRecord


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    home, project = tmp_path_factory.mktemp("home"), load_project("bikes")
    return Made(project, home, train(project, ADJUST, (1,), home, "adjust"))


def test_a_bundle_stays_within_its_bound_of_the_incumbent_and_uses_it(made: Made) -> None:
    project = made.project
    policy = load_bundle(made.home / "bundles" / made.record.chosen, project.problem, project.incumbent)
    seen = project.simulator.observe(project.simulator.reset(1000, np.random.default_rng(5)))
    nothing = np.zeros(1000)
    away = policy.propose(seen, None, nothing).action - project.incumbent.propose(seen, None, nothing).action
    assert set(np.unique(away)) <= {-2, -1, 0, 1, 2}
    assert (away != 0).any()
    assert project.problem.action.size == 25
    check_policy(policy, seen[:10], 25)


def test_the_score_of_the_record_is_that_of_the_adjusted_incumbent(made: Made) -> None:
    project = made.project
    policy = load_bundle(made.home / "bundles" / made.record.chosen, project.problem, project.incumbent)
    trace = run(project.problem, project.simulator, policy, project.simulator.panel("selection")).trace
    assert trace.kpi(project.problem.kpis[0]) == pytest.approx(made.record.seeds[0].score)


def test_it_is_refused_without_its_incumbent_or_beside_another(made: Made) -> None:
    folder, project = made.home / "bundles" / made.record.chosen, made.project
    with pytest.raises(BundleError, match="the incumbent whose action this bundle adjusts"):
        load_bundle(folder, project.problem)
    other = replace(project.incumbent, quantile=0.5)  # type: ignore[type-var]
    with pytest.raises(BundleError, match="which decides otherwise"):
        load_bundle(folder, project.problem, other)
    told = json.loads((folder / "manifest.json").read_text())["residual"]
    assert (told["within"], told["incumbent"]) == (2, project.incumbent.version)


def test_worlds_without_an_adjustment_are_the_incumbents(tmp_path: Path) -> None:
    ground = Ground(load_project("bikes"), ADJUST, 1, tmp_path, lambda _: None)
    assert isinstance(ground.incumbent, NoAdjustment)
    real, rng = ground.project.simulator, np.random.default_rng
    state = ground.simulator.reset(50, rng(1))
    seen = ground.simulator.observe(state)
    own = ground.simulator.step(state, ground.incumbent.propose(seen, None, np.zeros(50)).action, rng(2))
    chance = rng(2)
    action = ground.project.incumbent.propose(seen, None, chance.random(50)).action
    plain = real.step(state, action, chance)
    assert all(np.array_equal(own.signals[name], plain.signals[name]) for name in plain.signals)
    assert ground.simulator.version != real.version


def test_the_bound_stands_in_the_projects_table(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_text("[train.residual]\nwithin = 0.2\n")
    assert read_train_settings(path).residual == Residual(0.2)
    assert Settings().residual is None
    path.write_text("[train.residual]\nwithin = 0\n")
    with pytest.raises(SettingsError):
        read_train_settings(path)
