"""2,000 labels, nine in ten of them forbidden: they are learned, obeyed and exported like few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.recipes.grounds import ground, parted

from tenure.core.project import Project, load_project
from tenure.simulators.rollout import run
from tenure.training.recipes import RECIPES

PROJECT = Path(__file__).parents[3] / "benchmarks" / "parking"
BAYS, BEST, BLIND = 2_000, 9.0, 999.5
"""Worked by hand in its simulator.py."""
SETTINGS: dict[str, dict[str, Any]] = {
    "ppo": {"steps": 6_144, "worlds": 64, "rollout": 8, "batch": 128, "epochs": 4, "net": (16,), "learning_rate": 1e-2},
    "dqn": {"steps": 16_000},
}


@pytest.fixture
def project() -> Project:
    """The car park."""
    return load_project(PROJECT)


def test_whoever_never_looks_at_the_door_walks_as_far_as_the_blind(project: Project) -> None:
    assert project.problem.action.size == BAYS
    panel = project.simulator.panel("selection")
    walked = run(project.problem, project.simulator, project.incumbent, panel).trace.kpi(project.problem.kpis[0])
    # 2,000 cars, each 9 or 1,990 bays: the mean's standard error is 990.5 / sqrt(2,000) = 22.
    assert abs(walked - BLIND) < 3 * 22


def test_one_bay_in_ten_is_free_and_a_taken_one_is_refused(project: Project) -> None:
    simulator, rng = project.simulator, np.random.default_rng(3)
    state = simulator.reset(50, rng)
    free = simulator.mask(state)  # type: ignore[attr-defined]
    # 100,000 draws of 0.1: the standard error is 0.001.
    assert abs(free.mean() - 0.1) < 0.004
    with pytest.raises(ValueError, match="taken"):
        simulator.step(state, free.argmin(axis=1), rng)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_2000_labels_are_learned_under_their_mask_and_the_bundle_agrees(
    name: str, project: Project, tmp_path: Path
) -> None:
    settings = RECIPES[name].settings(baseline=False, checkpoint_every=240, **SETTINGS[name])
    seed = ground(project, settings, tmp_path)
    trained = RECIPES[name].train(seed)  # the simulator refuses a taken bay
    best = min(point.score for point in trained.curve)
    assert BEST < best < BLIND * 2 / 3
    assert (seed.worlds.replaced == 0) == RECIPES[name].masks
    assert parted(project, trained) == 0
