"""Each shape from curves made by hand; noise alone makes none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure import KPI
from tenure.diagnosis.shapes import noise, shape_of

from .made import PROBLEM, facts, noisy, steady

RISE = [0.1 * step for step in range(10)] + [1.5] * 10
"""From 0 to half above the incumbent, which is at 1."""


def test_a_curve_that_rises_above_the_incumbent_and_stays_is_healthy() -> None:
    assert shape_of(facts(noisy(RISE, 0.02), noisy(RISE, 0.02, 1))) == "healthy"


def test_a_curve_that_never_rises_is_flat() -> None:
    assert shape_of(facts(noisy(steady(0.1), 0.02))) == "flat"


def test_a_curve_that_settles_below_the_incumbent_is_a_plateau() -> None:
    assert shape_of(facts([0.0, 0.1, 0.2, 0.3, 0.4, *noisy(steady(0.5, 15), 0.01)])) == "plateau"


def test_a_curve_that_merely_equals_the_incumbent_is_a_plateau_where_nobody_knows_the_bound() -> None:
    equal = [0.0, 0.5, *steady(1.0, 18)]
    assert shape_of(facts(equal)) == "plateau"
    assert shape_of(facts(equal, bound=1.0)) == "healthy"


def test_a_curve_that_loses_at_once_what_it_had_won_has_collapsed() -> None:
    assert shape_of(facts([0.0, 0.4, 0.8, 1.2, *steady(1.2, 6), *noisy(steady(0.1, 10), 0.02)])) == "collapse"


def test_a_curve_that_loses_it_little_by_little_forgets() -> None:
    falling = [0.0, 0.5, 1.0, *np.linspace(1.5, 0.3, 17)]
    assert shape_of(facts(falling)) == "forgetting"


def test_a_curve_that_goes_up_and_down_all_the_time_oscillates() -> None:
    assert shape_of(facts([0.0, 0.5, *([1.2, 0.4] * 9)])) == "oscillation"


def test_much_better_in_training_worlds_than_on_the_selection_data_is_overfit() -> None:
    rising = list(np.linspace(0, 1, 20))
    found = facts(steady(0.3), metrics={"train_score": rising}, bound=1.0)
    assert shape_of(found) == "overfit"
    assert shape_of(facts(steady(0.95), metrics={"train_score": steady(1.0)}, bound=1.0)) != "overfit"


def test_a_falling_cost_is_a_rise() -> None:
    cost = replace(PROBLEM, kpis=(KPI("cost", "$", "lower", {"paid": 1.0}),))
    falling = [2.0 - value for value in RISE]  # from 2 to 0.5, where the incumbent costs 1: merits are negative
    assert shape_of(facts(falling, problem=cost, incumbent=-1.0, random=-2.0)) == "healthy"
    assert shape_of(facts(RISE, problem=cost, incumbent=-1.0, random=-2.0)) != "healthy"


def test_noise_alone_hardly_ever_makes_a_shape_of_a_healthy_run() -> None:
    wrong = sum(shape_of(facts(noisy(RISE, 0.05, seed))) != "healthy" for seed in range(300))
    assert wrong <= 3  # 1 %


@pytest.mark.parametrize("points", [1, 2, 5])
def test_too_few_checkpoints_are_judged_by_what_they_reached(points: int) -> None:
    assert shape_of(facts(steady(2.0, points))) == "healthy"


def test_noise_is_that_of_neighbours_and_not_of_the_rise() -> None:
    # differences of 2, -2, 2: half the mean square is 2
    assert noise(np.array([0.0, 2.0, 0.0, 2.0])) == pytest.approx(np.sqrt(2.0))
    assert noise(np.array([1.0])) == 0.0
