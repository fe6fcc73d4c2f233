"""Worlds set by hand: one robot, its items and the other robots, given as (row, column)."""

from __future__ import annotations

import numpy as np

from tenure.cases.warehouse.layout import NEXT_PLACE, PLACE_SQUARE, SQUARES
from tenure.cases.warehouse.problem import ITEMS, problem
from tenure.cases.warehouse.simulator import Floor
from tenure.cases.warehouse.tours import tours
from tenure.core.arrays import Floats, Ints

Square = tuple[int, int]


def number(square: Square) -> int:
    """The square's number."""
    return SQUARES.index(square)


def place(here: Square, following: Square) -> int:
    """A place on some round at `here` whose robot drives to `following`."""
    found = (number(here) == PLACE_SQUARE) & (number(following) == PLACE_SQUARE[NEXT_PLACE])
    return int(np.flatnonzero(found)[0])


def floor(robot: Square, items: list[Square], others: list[int] | None = None, step: int = 1) -> Floor:
    """One world; items that are not given are picked already."""
    squares = [number(item) for item in items]
    item = np.array([squares + [number((0, 0))] * (ITEMS - len(items))])
    wanted = np.array([[True] * len(items) + [False] * (ITEMS - len(items))])
    robots = np.array([others or [place((0, 0), (0, 1))]])
    return Floor(np.array([step]), np.array([number(robot)]), item, wanted, tours(item), robots)


def act(label: str) -> Ints:
    """The action of that name, for one world."""
    return np.array([problem.action.labels.index(label)])  # type: ignore[union-attr]


def feature(observation: Floats, name: str) -> float:
    """One feature of the first world."""
    return float(observation[0, problem.feature_names.index(name)])
