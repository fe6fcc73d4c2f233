"""What is seen before training decides whether worlds get twins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.simulators.worlds import Always, EndlessWalk, LineWalk, line_problem

from tenure.core.project import load_project
from tenure.training import PPOSettings
from tenure.training.ground import Ground
from tenure.training.recipes.ppo import train_ppo
from tenure.training.scout import scout

from .hot import hot_project

RIGHT = Always(2)
ENDING = """
from tests.simulators.worlds import LineWalk

simulator = LineWalk()
"""
LINE = """
from tests.simulators.worlds import Always, line_problem

problem = line_problem(10)
incumbent = Always(2)
"""


def test_an_end_is_seen_wherever_in_the_horizon_it_comes() -> None:
    chance = np.random.default_rng(0)
    assert scout(line_problem(3), LineWalk(), RIGHT, chance, "normal").ends, "three steps lead to the goal"
    assert not scout(line_problem(2), LineWalk(), RIGHT, np.random.default_rng(0), "normal").ends
    assert scout(line_problem(2), LineWalk(), RIGHT, np.random.default_rng(0), "late").ends
    assert not scout(line_problem(50), EndlessWalk(), RIGHT, np.random.default_rng(0), "normal").ends


def test_deviations_are_those_of_the_signals_and_one_where_nothing_varies() -> None:
    found = scout(line_problem(2), EndlessWalk(), Always(1), np.random.default_rng(0), "normal").deviation
    assert 0.2 < found["moved"] < 0.5, "half the worlds stand, the others move in two steps of three"
    still = scout(replace(line_problem(1)), EndlessWalk(), RIGHT, np.random.default_rng(0), "normal").deviation
    assert still["place"] > 0


def test_worlds_that_end_by_themselves_are_trained_without_twins(tmp_path: Path) -> None:
    hot_project(tmp_path / "line")
    (tmp_path / "line" / "problem.py").write_text(LINE)
    (tmp_path / "line" / "simulator.py").write_text(ENDING)
    settings = PPOSettings(steps=2048, worlds=16, rollout=32, batch=256, epochs=2, checkpoint_every=4, net=(8,))
    assert settings.baseline
    curve = train_ppo(Ground(load_project(tmp_path / "line"), settings, 1, tmp_path, lambda _: None)).curve
    assert curve[-1].steps == 2048, "a twin that ends apart from its world would have stopped it"


@pytest.mark.parametrize("level", ["normal", "late"])
def test_the_level_asked_for_is_walked_through(level: str) -> None:
    class Levelled(EndlessWalk):
        def reset(self, n: int, rng: np.random.Generator, level: str = "normal"):  # type: ignore[no-untyped-def]
            self.last = level
            return super().reset(n, rng, level)

    simulator = Levelled()
    scout(line_problem(2), simulator, RIGHT, np.random.default_rng(0), level)
    assert simulator.last == level
