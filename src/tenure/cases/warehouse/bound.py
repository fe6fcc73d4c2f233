"""The best tour of an empty floor: which items to fetch, in which order, if no robot were ever in the way."""

from __future__ import annotations

import numpy as np

from tenure import Panel
from tenure.core.arrays import Bools, Floats, Ints

from .layout import SQUARE_M, START, STEPS
from .problem import ITEMS, problem
from .tours import shortest

_SIZE: Ints = np.array([subset.bit_count() for subset in range(1 << ITEMS)])


def bound(panel: Panel) -> dict[str, Floats]:
    """Cheapest possible signals of every order of a panel; each total, [worlds].

    No policy can do better: to pick a set of items takes at least its shortest tour, a step for every move of it and
    one for every pick, all before the truck leaves.
    """
    moves, foreign = shortest(STEPS[START][panel.state.item], panel.state.tours), _bits(~panel.state.wanted)[:, None]
    price = {term.signal: -term.weight for term in problem.reward.terms}
    cost = price["metres"] * SQUARE_M * moves + price["items_picked"] * _SIZE
    possible = (moves + _SIZE <= panel.steps) & (np.arange(1 << ITEMS) & foreign == 0)
    best = np.where(possible, cost, np.inf).argmin(axis=1)
    wanted, picked = panel.state.wanted.sum(axis=1).astype(float), _SIZE[best].astype(float)
    return {
        "metres": SQUARE_M * moves[np.arange(len(best)), best],
        "items_picked": picked,
        "collisions": np.zeros(len(best)),
        "items_wanted": wanted,
        "orders": np.ones(len(best)),
        "orders_complete": (picked == wanted).astype(float),
    }


def _bits(flags: Bools) -> Ints:
    """Rows of flags as numbers; bit i is column i."""
    return np.asarray(flags @ (1 << np.arange(ITEMS)))
