"""Live units against same-day controls, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation import unit_differences, unit_gains

UNIT = ["a", "b", "c", "d", "e", "f"]
DAY = np.array([2, 1, 1, 1, 2, 3])
EPISODE = ["north", "north", "south", "south", "south", "north"]
CANDIDATE = np.array([True, True, False, False, False, True])
COST = np.array([8.0, 9.0, 20.0, 22.0, 18.0, 5.0])
USUAL = {"north": 10.0, "south": 20.0}


def test_gains_are_shares_of_the_usual_cost_against_the_same_day() -> None:
    # y: a .8, b .9, c 1, d 1.1, e .9, f .5. Day 1: control 1.05, b gains .15. Day 2: control .9, a gains .1.
    found = unit_gains(UNIT, DAY, EPISODE, CANDIDATE, COST, USUAL)
    assert found.gain == pytest.approx([0.15, 0.10])
    assert found.day.tolist() == [1, 2]
    assert found.unit == ("b", "a")
    assert (found.candidates, found.controls, found.days) == (3, 3, 2)


def test_days_without_control_are_dropped_and_counted() -> None:
    found = unit_gains(UNIT, DAY, EPISODE, CANDIDATE, COST, USUAL)
    assert (found.dropped_days, found.dropped_units) == (1, 1)


def test_units_of_one_day_are_one_figure_by_day() -> None:
    found = unit_differences(
        list("abcd"), np.array([1, 1, 1, 0]), np.array([True, True, False, False]), np.array([1.0, 3, 5, 9]), -1
    )
    assert found.gain == pytest.approx([4, 2])
    assert found.by_day() == pytest.approx([3])


def test_differences_are_in_the_value_s_own_unit_and_positive_where_better() -> None:
    up = unit_differences(["a", "b"], np.array([1, 1]), np.array([True, False]), np.array([0.9, 0.7]), 1)
    down = unit_differences(["a", "b"], np.array([1, 1]), np.array([True, False]), np.array([0.9, 0.7]), -1)
    assert up.gain == pytest.approx([0.2])
    assert down.gain == pytest.approx([-0.2])


def test_no_units_at_all_give_no_gain() -> None:
    none = np.zeros(0)
    found = unit_differences([], none.astype(int), none.astype(bool), none, 1)
    assert (len(found.gain), found.candidates, found.controls, found.days) == (0, 0, 0, 0)
    assert len(found.by_day()) == 0


@pytest.mark.parametrize("usual", [{"north": 10.0}, {"north": 10.0, "south": 0.0}, {"north": 10.0, "south": math.nan}])
def test_an_episode_without_a_usual_cost_is_refused_by_name(usual: dict[str, float]) -> None:
    with pytest.raises(EvidenceError, match="south"):
        unit_gains(UNIT, DAY, EPISODE, CANDIDATE, COST, usual)


def test_unmeasured_costs_ragged_columns_and_other_signs_are_refused() -> None:
    with pytest.raises(EvidenceError, match="finite"):
        unit_gains(UNIT, DAY, EPISODE, CANDIDATE, np.array([8.0, 9, 20, 22, 18, math.nan]), USUAL)
    with pytest.raises(EvidenceError, match="one entry per row"):
        unit_gains(UNIT, DAY[:5], EPISODE, CANDIDATE, COST, USUAL)
    with pytest.raises(EvidenceError, match="one entry per row"):
        unit_gains(UNIT, DAY, EPISODE[:5], CANDIDATE, COST, USUAL)
    with pytest.raises(EvidenceError, match="sign"):
        unit_differences(UNIT, DAY, CANDIDATE, COST, 0)
