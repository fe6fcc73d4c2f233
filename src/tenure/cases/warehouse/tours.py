"""Shortest tours through an order's items: all that a route planner knows, which sees no robots and no clock."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints

from .layout import STEPS

FAR = np.float32(1000)
"""Moves beyond every tour: what does not count when the shortest is looked for."""


def tours(item: Ints) -> Floats:
    """Fewest moves from each item through a set of the others, ending at any of them; float32 [n, 2 ** items, items].

    Args:
        item: squares of the items; [n, items]. Bit i of a set's number stands for item i; a tour from an item through
            a set that holds the item itself means nothing.

    Source: Held and Karp (1962), with the end left open.
    """
    n, items = item.shape
    between = STEPS[item[:, :, None], item[:, None]]
    moves = np.zeros((n, 1 << items, items), dtype=np.float32)
    for members in range(1, 1 << items):
        then = np.array([number for number in range(items) if members >> number & 1])
        rest = moves[:, members - (1 << then), then]
        moves[:, members] = (between[:, :, then] + rest[:, None]).min(axis=2)
    return moves


def first_legs(tours: Floats, wanted: Bools) -> Floats:
    """Moves from each wanted item through all the others that are wanted; [n, items], `FAR` at all that are not."""
    bit = 1 << np.arange(wanted.shape[1])
    others = (wanted @ bit)[:, None] & ~bit
    rows, each = np.arange(len(wanted))[:, None], np.arange(wanted.shape[1])
    return np.where(wanted, tours[rows, others, each], FAR)


def shortest(start: Floats, tours: Floats) -> Floats:
    """Fewest moves from a square through every set of items; [n, 2 ** items].

    Args:
        start: moves from that square to each item; [n, items].
        tours: as `tours` gives them.
    """
    items = start.shape[1]
    every, bit = np.arange(1 << items), 1 << np.arange(items)
    through = [np.where(every & one, start[:, [k]] + tours[:, every & ~one, k], FAR) for k, one in enumerate(bit)]
    moves = np.min(through, axis=0)
    moves[:, 0] = 0.0
    return np.asarray(moves)
