"""Shortest tours by hand and against every order of picking."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
from tests.cases.warehouse.floors import number

from tenure.cases.warehouse.layout import START, STEPS
from tenure.cases.warehouse.simulator import simulator
from tenure.cases.warehouse.tours import FAR, first_legs, shortest, tours


def test_a_tour_by_hand() -> None:
    """From (8, 6) two moves up its own aisle, and three beyond; the sets are none, the near, the far, and both."""
    item = np.array([[number((6, 6)), number((3, 6))]])
    assert shortest(STEPS[START][item], tours(item)).tolist() == [[0, 2, 5, 5]]


def test_round_the_shelves_it_is_farther_than_straight_through() -> None:
    assert STEPS[number((2, 2)), number((2, 4))] == 2 + 2 + 2


def test_no_order_of_picking_is_shorter_and_one_is_as_short() -> None:
    items = simulator.panel("train", 0, 1).state.item[:5]
    found = shortest(STEPS[START][items], tours(items))[:, -1]
    for item, moves in zip(items, found, strict=True):
        ways = [sum(STEPS[a, b] for a, b in pairwise((START, *order))) for order in permutations(item)]
        assert moves == min(ways)


def test_the_planner_counts_what_is_still_wanted_alone() -> None:
    item = np.array([[number((6, 6)), number((3, 6)), number((1, 6))]])
    assert first_legs(tours(item), np.array([[True, True, False]])).tolist() == [[3, 3, FAR]]
    assert first_legs(tours(item), np.array([[True, True, True]])).tolist() == [[5, 2 + 5, 5]]
