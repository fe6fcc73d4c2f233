"""Levels follow each other by success or by a schedule, and what is forgotten is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulators.worlds import Always, EndlessWalk, line_problem

from tenure.core.errors import SettingsError
from tenure.core.project import Project, load_project
from tenure.training import CurvePoint, read_train_settings, train
from tenure.training.curriculum import Curriculum, Trials, forgotten
from tenure.training.ground import Ground
from tenure.training.recipes.ppo import train_ppo

from .tiny import TINY

LEVELS = ("easy", "normal", "hard")


@dataclass
class Counted(EndlessWalk):
    """Walks that begin nearer to the goal the easier they are, and counts who asked for fresh ones."""

    levels: Mapping[str, Any] = field(default_factory=lambda: {"easy": 2, "normal": 0, "hard": -4})
    asked: list[str] = field(default_factory=list)

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Any:
        self.asked.append(level)
        return super().reset(n, rng, level)


def test_success_promotes_to_the_next_level_and_never_back() -> None:
    steps = Curriculum(LEVELS, promote_at=0.1)
    assert steps.after("easy", 0.09, 0.9) == "easy"
    assert steps.after("easy", 0.1, 0.0) == "normal"
    assert steps.after("hard", 5.0, 0.0) == "hard"
    assert steps.until("normal") == ("easy", "normal")


def test_a_schedule_promotes_by_steps_alone() -> None:
    steps = Curriculum(LEVELS, schedule=(0.25, 0.5))
    assert [steps.after("easy", -1.0, share) for share in (0.0, 0.25, 0.5, 1.0)] == ["easy", "normal", "hard", "hard"]
    assert steps.after("hard", 9.0, 0.3) == "hard"


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": ("easy",)},
        {"levels": ("easy", "easy")},
        {"levels": LEVELS, "schedule": (0.5,)},
        {"levels": LEVELS, "schedule": (0.5, 0.25)},
        {"levels": LEVELS, "schedule": (0.0, 0.5)},
        {"levels": LEVELS, "schedule": (0.5, 1.0)},
    ],
)
def test_what_is_no_curriculum_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"\[train.curriculum\]"):
        Curriculum(**wrong)


def test_a_gain_is_a_share_of_what_the_incumbent_reaches_on_the_same_worlds() -> None:
    # Ten steps right from 2 give places 3 to 12, 75 in all; standing still 20: (7.5 - 2) / 2 on average.
    trials = Trials(line_problem(10), Counted(), Always(1), 3)
    assert trials.gain(Always(2), "easy") == pytest.approx(2.75)
    assert trials.gain(Always(1), "easy") == 0
    # From 0: 5.5 against 0, whose share is not defined.
    assert trials.gain(Always(2), "normal") == pytest.approx(5.5)
    # From -4, to the left: -9.5 against -4.
    assert trials.gain(Always(0), "hard") == pytest.approx(-5.5 / 4)


def test_worlds_of_a_level_are_drawn_once() -> None:
    worlds = Counted()
    trials = Trials(line_problem(10), worlds, Always(1), 3)
    for _ in range(3):
        trials.gain(Always(2), "easy")
    assert worlds.asked == ["easy"]


def test_what_is_forgotten_is_told_against_the_best_so_far() -> None:
    assert forgotten([]) == {}
    assert forgotten([{"a": 1.0}, {"a": 0.25, "b": 0.5}]) == {"a": 0.75, "b": 0.0}


def climbing(tmp_path: Path, curriculum: Curriculum) -> tuple[list[CurvePoint], Counted]:
    """A short training on the walk, with an incumbent that stands still."""
    worlds, project = Counted(), Project(tmp_path)
    vars(project).update(problem=line_problem(10), simulator=worlds, incumbent=Always(1), rules={}, bound=None)
    settings = replace(TINY, steps=4096, curriculum=curriculum, baseline=False)
    ground = Ground(project, settings, 1, tmp_path, lambda _: None)
    worlds.asked.clear()
    return train_ppo(ground).curve, worlds


def test_a_learner_climbs_and_every_checkpoint_is_tried_on_all_levels_so_far(tmp_path: Path) -> None:
    curve, worlds = climbing(tmp_path, Curriculum(LEVELS, promote_at=0.1))
    seen = [tuple(point.levels) for point in curve]
    assert seen[0] == ("easy",)
    assert all(len(after) >= len(before) for before, after in pairwise(seen))
    first = {level: worlds.asked.index(level) for level in LEVELS}
    assert first["easy"] < first["normal"] < first["hard"]
    assert worlds.asked[-1] == "hard", "and fresh worlds are of the level it stands on"


def test_a_level_is_not_left_before_it_is_learned(tmp_path: Path) -> None:
    curve, worlds = climbing(tmp_path, Curriculum(LEVELS, promote_at=99.0))
    assert {tuple(point.levels) for point in curve} == {("easy",)}
    assert set(worlds.asked) == {"easy"}


def test_a_level_the_simulator_does_not_have_is_refused(tmp_path: Path) -> None:
    settings = replace(TINY, curriculum=Curriculum(("easy", "cruel")))
    with pytest.raises(SettingsError, match="cruel"):
        train(load_project("bikes"), settings, (1,), tmp_path, "climb")


def test_the_curriculum_stands_in_the_projects_table(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_text('[train.curriculum]\nlevels = ["easy", "normal"]\nschedule = [0.4]\n')
    assert read_train_settings(path).curriculum == Curriculum(("easy", "normal"), schedule=(0.4,))
