"""What the benchmark of goals reckons with: its goal, its clock, its interval."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from benchmarks.reach import Judge, Watch, ratio

from tenure.core.project import load_project


def test_the_goal_lies_on_the_good_side_of_the_incumbent() -> None:
    lower = Judge(load_project("bikes"), 0.1)
    assert lower.goal == pytest.approx(0.9 * lower.incumbent)
    assert lower.good(lower.goal)
    assert not lower.good(lower.incumbent)
    higher = Judge(load_project("recommender"), 0.1)
    assert higher.goal == pytest.approx(1.1 * higher.incumbent)
    assert not higher.good(higher.incumbent)


def test_the_ratio_of_equal_seeds_is_one_and_its_interval_holds_it() -> None:
    found = np.random.default_rng(3).normal(100, 10, 30).tolist()
    value, low, high = ratio(found, found)
    assert value == 1.0
    assert low < 1.0 < high
    assert ratio([50.0, 50.0], [100.0, 100.0]) == (0.5, 0.5, 0.5)


def test_a_training_is_looked_at_between_rollouts_and_ends_at_the_goal() -> None:
    scores = iter([None, 1.0, 2.0, 3.0])
    watch = Watch(lambda _: next(scores), lambda score: score >= 2.0)
    watch.model = cast(Any, SimpleNamespace())
    went_on = []
    for steps in (0, 10, 20):
        watch.num_timesteps = steps
        watch._on_rollout_start()
        went_on.append(watch._on_step())
    assert went_on == [True, True, False]
    assert [(point.steps, point.score) for point in watch.curve] == [(10, 1.0), (20, 2.0)]
    assert watch.reached
