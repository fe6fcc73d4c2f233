"""The floor as a batch: one robot and its order in each world, among robots that drive their rounds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
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
FAR = np.float32(1000)
"""Moves beyond every tour: what does not count when the shortest is looked for."""
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
        rest: moves of the tour from each wanted item through all the others, always to the nearest; float32 [n, 6].
        others: places of the other robots on their rounds; int64 [n, robots].
    """

    step: Ints
    square: Ints
    item: Ints
    wanted: Bools
    rest: Floats
    others: Ints


class WarehouseSimulator:
    """Other robots go their rounds whatever the policy does; what it does decides about its own order alone."""

    levels: Mapping[str, Any] = {"easy": Level(3, 4), "normal": Level(8, 6), "hard": Level(12, 6)}

    @cached_property
    def version(self) -> str:
        """Hash of this file and of the floor's."""
        here = Path(__file__).parent
        return hashlib.sha256(
            b"".join((here / name).read_bytes() for name in ("simulator.py", "layout.py"))
        ).hexdigest()[:12]

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
        floors = [
            _floor(
                ORDERS_A_DAY, np.random.default_rng([FAMILIES[split][0], day]), self.levels["normal"], FAMILIES[split]
            )
            for day in wanted
        ]
        state = Floor(**{name: np.concatenate([vars(floor)[name] for floor in floors]) for name in vars(floors[0])})
        names = tuple(f"day-{day:02d}-order-{order:02d}" for day in wanted for order in range(ORDERS_A_DAY))
        return Panel(
            state, STEPS_UNTIL_TRUCK, names, OPENED + timedelta(days=first_day), timedelta(seconds=5), independent=True
        )

    def observe(self, state: Floor) -> Floats:
        """What the robot's controller knows; float32 [n, features]."""
        n, near = len(state.step), BESIDE[state.square]
        distance, item, wanted, rest = _by_nearness(state)
        after = STEPS[near[:, :, None], item[:, None]]
        nearer = (distance[:, None] - after) * wanted[:, None]
        tour = np.where(wanted, distance + rest, FAR).min(axis=1, keepdims=True)
        tour_after = np.where(wanted[:, None], after + rest[:, None], FAR).min(axis=2)
        between = np.where(wanted[:, _ONE] & wanted[:, _OTHER], STEPS[item[:, _ONE], item[:, _OTHER]], GONE)
        left = np.maximum(STEPS_UNTIL_TRUCK - state.step, 0)[:, None]
        some = wanted[:, :1]
        parts = (
            left,
            np.where(some, left - tour - wanted.sum(axis=1, keepdims=True), left),
            (tour_after + 1 - tour) * some,
            np.where(wanted, distance, GONE),
            nearer.reshape(n, -1),
            between,
            *_taken(state),
        )
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
        rest = state.rest.copy()
        rest[picks] = tours_from(state.item[picks], wanted[picks])
        signals = {
            "metres": moves * SQUARE_M,
            "items_picked": picks.astype(float),
            "collisions": collides.astype(float),
            "items_wanted": state.wanted.sum(axis=1) * first.astype(float),
            "orders": first.astype(float),
            "orders_complete": (picks & ~wanted.any(axis=1)).astype(float),
        }
        after = Floor(state.step + 1, square, state.item, wanted, rest, following)
        return Step(after, signals, after.step >= STEPS_UNTIL_TRUCK)


def _floor(n: int, rng: np.random.Generator, level: Level, families: tuple[int, ...]) -> Floor:
    wanted = np.zeros((n, ITEMS), dtype=bool)
    wanted[:, : level.items] = True
    item = _orders(n, rng, families)
    return Floor(
        step=np.zeros(n, dtype=np.int64),
        square=np.full(n, START),
        item=item,
        wanted=wanted,
        rest=tours_from(item, wanted),
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


def tours_from(item: Ints, wanted: Bools) -> Floats:
    """Moves from each wanted item through all the others, always on to the nearest; float32 [n, 6]."""
    between = STEPS[item[:, :, None], item[:, None]] + np.where(wanted, np.float32(0), FAR)[:, None]
    rows: Ints = np.indices(item.shape)[0]
    at: Ints = np.indices(item.shape)[1]
    moves = np.zeros(item.shape, dtype=np.float32)
    to_come = np.repeat(wanted[:, None], ITEMS, axis=1) & ~np.eye(ITEMS, dtype=bool)
    for _ in range(ITEMS - 1):
        leg = np.where(to_come, between[rows, at], FAR)
        following = leg.argmin(axis=2)
        leg = np.take_along_axis(leg, following[:, :, None], axis=2)[:, :, 0]
        go = leg < FAR
        moves += np.where(go, leg, np.float32(0))
        at = np.where(go, following, at)
        np.put_along_axis(to_come, following[:, :, None], False, axis=2)
    return moves


def _by_nearness(state: Floor) -> tuple[Floats, Ints, Bools, Floats]:
    """Distance, square, presence and further tour of the items, the nearest first, the picked last; [n, 6] each."""
    distance = STEPS[state.square[:, None], state.item]
    order = np.where(state.wanted, distance, GONE).argsort(axis=1, kind="stable")
    rows = np.arange(len(order))[:, None]
    return distance[rows, order], state.item[rows, order], state.wanted[rows, order], state.rest[rows, order]


def _taken(state: Floor) -> tuple[Bools, Bools]:
    """Whether each move meets a robot or a shelf, and whether the next one that way meets a robot; [n, 4] each."""
    now, near = state.square[:, None], BESIDE[state.square]
    beyond = BESIDE[near, np.arange(len(MOVES))]
    soon = NEXT_PLACE[state.others]
    later = NEXT_PLACE[soon]
    return (
        _meets(now, near, state.others, soon) | (near == now),
        _meets(near, beyond, soon, later),
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
