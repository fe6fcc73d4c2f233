"""Limits with learned weights, where a learner updates after each step of its worlds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from stable_baselines3.common.logger import Logger
from tests.training.hot import hot_project
from tests.training.recipes.grounds import ground

from tenure.core.problem import Limit
from tenure.training.duals import DualAscent, Duals
from tenure.training.recipes import RECIPES
from tenure.training.settings import SHORT


def test_weights_move_by_the_mean_of_as_many_decisions_as_asked_for() -> None:
    worlds: Any = SimpleNamespace(num_envs=4, signals={})
    duals = Duals([Limit("heat", "heat", 0.4, "it melts", "lagrange")], [1.0])
    ascent = DualAscent(duals, worlds, least=12)
    ascent.model = cast(Any, SimpleNamespace(logger=Logger(None, [])))
    found = []
    for heat in (1.0, 1.0, 0.4, 0.4, 0.4):
        worlds.signals = {"heat": np.full(4, heat)}
        ascent.on_rollout_start()
        ascent._on_step()
        ascent.on_rollout_end()
        found.append(round(duals.weights["heat"], 9))
    # Three steps of four worlds are twelve decisions: (1 + 1 + 0.4) / 3 - 0.4 = 0.4. The last two are too few.
    assert found == [0, 0, 0.4, 0.4, 0.4]


@pytest.mark.parametrize("name", ["dqn", "a2c"])
def test_learners_of_short_updates_move_weights_every_16384_decisions(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[Mapping[str, float]] = []
    monkeypatch.setattr(Duals, "update", lambda _, means: moved.append(means))
    few: dict[str, Any] = {"learning_starts": 4_096, "gradient_steps": 1, "batch": 16}
    steps = 2 * SHORT + 8_192
    settings = RECIPES[name].settings(
        steps=steps, worlds=256, net=(8,), baseline=False, **(few if name == "dqn" else {})
    )
    RECIPES[name].train(ground(hot_project(tmp_path / "hot"), settings, tmp_path / "seed"))
    assert len(moved) == steps // SHORT == 2
    assert all(0 <= mean["heat"] <= 1 for mean in moved)
