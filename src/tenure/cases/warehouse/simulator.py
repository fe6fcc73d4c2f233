"""The floor as a batch: one robot and its order in each world, among robots that drive their rounds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError

from .layout import BESIDE, MOVES, NEXT_PLACE, OPEN, PLACE_SQUARE, SPOTS, SQUARE_M, START, STEPS
from .problem import GONE, ITEMS, PICK, STEPS_UNTIL_TRUCK

FAMILIES: dict[Split, tuple[int, ...]] = {"train": (0, 1, 2), "selection": (3,), "held_out": (4,)}
"""Orders fall into five families by the sum of their spots' numbers: no order of one part is ever met in another."""
DAYS: dict[Split, int] = {"train": 16, "selection": 16, "held_out": 32}
ORDERS_A_DAY = 32
OPENED = datetime(2026, 1, 5, tzinfo=UTC)
_ONE, _OTHER = np.array(list(combinations(range(ITEMS), 2))).T


@dataclass(frozen=True)
class Level:
    """How full the floor and how long the order list is; at most six items."""

    robots: int
    items: int


@dataclass(frozen=True)
class Floor:
    """n robots with an order each.

    Args:
        step: steps since the order came; int64 [n].
        square: where the robot stands; int64 [n].
        item: squares of the order's items; int64 [n, 6].
        wanted: the item is part of the order and not yet picked; bool [n, 6].
        others: places of the other robots on their rounds; int64 [n, robots].
    """

    step: Ints
    square: Ints
    item: Ints
    wanted: Bools
    others: Ints


class WarehouseSimulator:
    """Other robots go their rounds whatever the policy does; what it does decides about its own order alone."""

    levels: Mapping[str, Any] = {"easy": Level(3, 4), "normal": Level(8, 6), "hard": Level(12, 6)}

    @cached_property
    def version(self) -> str:
        """Hash of this file and of the floor's."""
        here = Path(__file__).parent
        return hashlib.sha256(b"".join((here / name).read_bytes() for name in ("simulator.py", "layout.py"))).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Floor:
        """n fresh orders of the training families."""
        return _floor(n, rng, self.levels[level], FAMILIES["train"])

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """The orders of whole days of one part, side by side; each was drawn by itself.

        Raises:
            DataError: the days lie outside that part.
        """
        days = DAYS[split] - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > DAYS[split]:
            raise DataError(
                expected=f"days within the {DAYS[split]} of {split!r}",
                found=f"{days} days from day {first_day}",
                where="panel of the case 'warehouse'",
                fix="ask for fewer days",
            )
        wanted = range(first_day, first_day + days)
        floors = [_floor(ORDERS_A_DAY, np.random.default_rng([FAMILIES[split][0], day]), self.levels["normal"], FAMILIES[split]) for day in wanted]
        state = Floor(**{name: np.concatenate([vars(floor)[name] for floor in floors]) for name in vars(floors[0])})
        names = tuple(f"day-{day:02d}-order-{order:02d}" for day in wanted for order in range(ORDERS_A_DAY))
        return Panel(state, STEPS_UNTIL_TRUCK, names, OPENED + timedelta(days=first_day), timedelta(seconds=5), independent=True)

    def observe(self, state: Floor) -> Floats:
        """What the robot's controller knows; float32 [n, features]."""
        distance, item, wanted = _by_nearness(state)
        near = BESIDE[state.square]
        nearer = (distance[:, None] - STEPS[near[:, :, None], item[:, None]]) * wanted[:, None]
        between = np.where(wanted[:, _ONE] & wanted[:, _OTHER], STEPS[item[:, _ONE], item[:, _OTHER]], GONE)
        soon, later = _taken(state)
        left = np.maximum(STEPS_UNTIL_TRUCK - state.step, 0)[:, None]
        n = len(state.step)
        parts = (left, np.where(wanted, distance, GONE), nearer.reshape(n, -1), between, soon, later)
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def mask(self, state: Floor) -> Bools:
        """Moves along open squares, a pick where an item lies, and waiting; bool [n, 6]."""
        pick = (state.wanted & (state.item == state.square[:, None])).any(axis=1)
        return np.column_stack([OPEN[state.square], pick, np.ones(len(pick), dtype=bool)])

    def step(self, state: Floor, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One step of everybody; who stands is passed, who drives into a robot collides with it."""
        moves = action < len(MOVES)
        square = np.where(moves, BESIDE[state.square, np.minimum(action, len(MOVES) - 1)], state.square)
        moves = square != state.square
        following = NEXT_PLACE[state.others]
        collides = moves & _meets(state.square[:, None], square[:, None], state.others, following)[:, 0]
        picked = state.wanted & (state.item == square[:, None]) & (action == PICK)[:, None]
        wanted = state.wanted & ~picked
        picks, first = picked.any(axis=1), state.step == 0
        signals = {
            "metres": moves * SQUARE_M,
            "items_picked": picks.astype(float),
            "collisions": collides.astype(float),
            "items_wanted": state.wanted.sum(axis=1) * first.astype(float),
            "orders": first.astype(float),
            "orders_complete": (picks & ~wanted.any(axis=1)).astype(float),
        }
        after = Floor(state.step + 1, square, state.item, wanted, following)
        return Step(after, signals, after.step >= STEPS_UNTIL_TRUCK)


def _floor(n: int, rng: np.random.Generator, level: Level, families: tuple[int, ...]) -> Floor:
    wanted = np.zeros((n, ITEMS), dtype=bool)
    wanted[:, : level.items] = True
    return Floor(
        step=np.zeros(n, dtype=np.int64),
        square=np.full(n, START),
        item=_orders(n, rng, families),
        wanted=wanted,
        others=rng.integers(0, len(NEXT_PLACE), (n, level.robots)),
    )


def _orders(n: int, rng: np.random.Generator, families: tuple[int, ...]) -> Ints:
    """Six different spots for each order, drawn until its family is one of these; [n, 6]."""
    items = np.zeros((n, ITEMS), dtype=np.int64)
    missing = np.arange(n)
    while len(missing):
        items[missing] = SPOTS[rng.random((len(missing), len(SPOTS))).argpartition(ITEMS, axis=1)[:, :ITEMS]]
        missing = missing[~np.isin(items[missing].sum(axis=1) % 5, families)]
    return items


def _by_nearness(state: Floor) -> tuple[Floats, Ints, Bools]:
    """Distance, square and presence of the items, the nearest first and the picked last; [n, 6] each."""
    distance = STEPS[state.square[:, None], state.item]
    order = np.where(state.wanted, distance, GONE).argsort(axis=1, kind="stable")
    rows = np.arange(len(order))[:, None]
    return distance[rows, order], state.item[rows, order], state.wanted[rows, order]


def _taken(state: Floor) -> tuple[Bools, Bools]:
    """Whether each move meets a robot or a shelf, and whether the same move does one step later; [n, 4] each."""
    now, near = state.square[:, None], BESIDE[state.square]
    beyond = BESIDE[near, np.arange(len(MOVES))]
    soon = NEXT_PLACE[state.others]
    later = NEXT_PLACE[soon]
    return (
        _meets(now, near, state.others, soon) | (near == now),
        _meets(near, beyond, soon, later) | (beyond == near),
    )


def _meets(here: Ints, there: Ints, others: Ints, following: Ints) -> Bools:
    """Whether a drive from here to there ends where another robot is by then, or meets one that comes the other way.

    Args:
        here: squares; [n, 1] or [n, moves].
        there: squares; [n, moves].
        others: places of the other robots; [n, robots].
        following: their places one step later.
    """
    was, comes = PLACE_SQUARE[others][:, None], PLACE_SQUARE[following][:, None]
    into = there[:, :, None]
    met = (comes == into) | ((was == into) & (comes == here[:, :, None]))
    return np.asarray(met.any(axis=2))


simulator = WarehouseSimulator()
