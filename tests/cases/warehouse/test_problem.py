"""The problem by hand: what the planner expects, and drafts that leave out one term each."""

from __future__ import annotations

import numpy as np
from tests.cases.warehouse.floors import floor

from tenure.cases.warehouse.bound import bound
from tenure.cases.warehouse.problem import drafts, planned, problem
from tenure.cases.warehouse.simulator import simulator


def test_the_planner_expects_its_items_less_its_metres() -> None:
    """Items two and nine moves on, so eleven moves of 5 m; and nothing once all is picked."""
    assert planned(simulator.observe(floor((4, 4), [(7, 8), (2, 4)]))).tolist() == [200 - 11 * 5]
    assert planned(simulator.observe(floor((4, 4), []))).tolist() == [0]


def test_the_planner_gives_up_an_item_once_the_tour_takes_longer_than_the_truck_waits() -> None:
    """Eleven moves and two picks: 13 steps before the truck leaves all is well, 12 before it not."""
    tour = [(7, 8), (2, 4)]
    in_time, late = (simulator.observe(floor((4, 4), tour, step=50 - left)) for left in (13, 12))
    assert planned(in_time) - planned(late) == 100


def test_at_the_start_the_planner_expects_the_bounds_reward() -> None:
    panel = simulator.panel("train", 0, 2)
    assert np.array_equal(planned(simulator.observe(panel.state)), problem.reward(bound(panel)))


def test_each_draft_leaves_out_one_term() -> None:
    terms = {name: [term.signal for term in reward.terms] for name, reward in drafts.items()}
    assert terms == {"no-collisions": ["metres", "items_picked"], "no-metres": ["items_picked", "collisions"]}
