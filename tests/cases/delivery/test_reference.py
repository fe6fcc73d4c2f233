"""The planner by hand, where one plan is best, and its orders are those of the simulator."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.cases.delivery.problem import WAIT
from tenure.cases.delivery.reference import Orders, Plan, orders_of, plan, together, usual_minutes
from tenure.cases.delivery.simulator import simulator

NORTH, SOUTH = 2, 7


def test_the_planner_is_at_the_door_when_the_window_opens_and_drives_there_and_back() -> None:
    """One order: a van leaves in time, so nobody waits."""
    found = plan(Orders(np.array([NORTH]), np.array([600.0])), 1)
    assert (found.served, found.waiting) == (1, 0)
    assert found.driven == pytest.approx(2 * usual_minutes()[0, NORTH], abs=0.1)


def test_two_doors_of_one_district_share_a_way_where_their_windows_allow_it() -> None:
    """The second window opens 20 minutes after the first: time enough for the door and the few minutes between."""
    here = usual_minutes()
    found = plan(Orders(np.array([SOUTH, SOUTH]), np.array([600.0, 620.0])), 1)
    assert found.waiting == pytest.approx(0, abs=0.1)
    assert found.driven == pytest.approx(2 * here[0, SOUTH] + here[SOUTH, SOUTH], abs=0.3)


def test_its_orders_are_those_that_come_in_the_simulator() -> None:
    state, rng = simulator.panel("train", days=1).state, np.random.default_rng(0)
    known = orders_of(state, 3)
    came = 0.0
    for _ in range(288):
        step = simulator.step(state, np.full(len(state.step), WAIT), rng)
        state, came = step.state, came + step.signals["orders"][3]
    assert len(known.place) == came


def test_several_days_are_told_by_their_sums() -> None:
    """So the mean over days is per order, and a day with few orders counts little."""
    assert together([Plan(2, 30.0, 20.0), Plan(8, 10.0, 80.0)]) == Plan(10, 40.0, 100.0)
