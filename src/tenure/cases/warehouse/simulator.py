"""The floor as a batch: one robot and its order in each world, among robots that drive their rounds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError

from .layout import BESIDE, MOVES, NEXT_PLACE, ONCOMING, OPEN, PLACE_SQUARE, SPOTS, SQUARE_M, START, STEPS
from .problem import GONE, ITEMS, PICK, STEPS_UNTIL_TRUCK
from .tours import first_legs, tours

FAMILIES: dict[Split, tuple[int, ...]] = {"train": (0, 1, 2), "selection": (3,), "held_out": (4,)}
"""Orders fall into five families by the sum of their spots' numbers: no order of one part is ever met in another."""
DAYS: dict[Split, int] = {"train": 16, "selection": 16, "held_out": 32}
ORDERS_A_DAY = 32
OPENED = datetime(2026, 1, 5, tzinfo=UTC)


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
        tours: moves from each item through every set of the others; float32 [n, 64, 6].
        others: places of the other robots on their rounds; int64 [n, robots].
    """

    step: Ints
    square: Ints
    item: Ints
    wanted: Bools
    tours: Floats
    others: Ints


class WarehouseSimulator:
    """Other robots go their rounds whatever the policy does; what it does decides about its own order alone."""

    levels: Mapping[str, Any] = {"easy": Level(3, 4), "normal": Level(8, 6), "hard": Level(12, 6)}

    @cached_property
    def version(self) -> str:
        """Hash of the files that make the world."""
        parts = [Path(__file__).parent / name for name in ("simulator.py", "layout.py", "tours.py")]
        return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Floor:
        """n fresh orders of the training families."""
        return _floor(n, rng, self.levels[level], FAMILIES["train"])

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """The orders of whole days of one part, side by side; each was drawn by itself.

        Raises:
            DataError: the days lie outside that part.
        """
        days = DAYS[split] - first_day if days is None else days
        _check_days(split, first_day, days)
        wanted = range(first_day, first_day + days)
        floors = [self._day(split, day) for day in wanted]
        state = Floor(**{name: np.concatenate([vars(floor)[name] for floor in floors]) for name in vars(floors[0])})
        names = tuple(f"day-{day:02d}-order-{order:02d}" for day in wanted for order in range(ORDERS_A_DAY))
        started_at = OPENED + timedelta(days=first_day)
        return Panel(state, STEPS_UNTIL_TRUCK, names, started_at, timedelta(seconds=5), independent=True)

    def _day(self, split: Split, day: int) -> Floor:
        families = FAMILIES[split]
        return _floor(ORDERS_A_DAY, np.random.default_rng([families[0], day]), self.levels["normal"], families)

    def observe(self, state: Floor) -> Floats:
        """What the robot's controller knows; float32 [n, features]."""
        n, near = len(state.step), BESIDE[state.square]
        distance, item, wanted, rest = _by_nearness(state)
        some = wanted[:, :1]
        after = STEPS[near[:, :, None], item[:, None]]
        tour = distance + rest
        best = tour.min(axis=1, keepdims=True)
        longer = (after + rest[:, None]).min(axis=2) + 1 - best
        nearer = (distance[:, None] - after) * wanted[:, None]
        left = np.maximum(STEPS_UNTIL_TRUCK - state.step, 0)[:, None]
        parts = (
            left,
            np.where(some, left - best - wanted.sum(axis=1, keepdims=True), left),
            longer * some,
            np.where(wanted, np.minimum(tour - best, GONE), GONE),
            np.where(wanted, distance, GONE),
            nearer.reshape(n, -1),
            *_taken(state),
        )
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def mask(self, state: Floor) -> Bools:
        """Moves along open squares, a pick where an item lies, and waiting; bool [n, 6]."""
        pick = (state.wanted & (state.item == state.square[:, None])).any(axis=1)
        return np.column_stack([OPEN[state.square], pick, np.ones(len(pick), dtype=bool)])

    def step(self, state: Floor, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One step of everybody; who stands is passed, who drives into a robot collides with it."""
        there = BESIDE[state.square, np.minimum(action, len(MOVES) - 1)]
        square = np.where(action < len(MOVES), there, state.square)
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
        after = Floor(state.step + 1, square, state.item, wanted, state.tours, following)
        return Step(after, signals, after.step >= STEPS_UNTIL_TRUCK)


def _check_days(split: Split, first_day: int, days: int) -> None:
    if first_day < 0 or days < 1 or first_day + days > DAYS[split]:
        raise DataError(
            expected=f"days within the {DAYS[split]} of {split!r}",
            found=f"{days} days from day {first_day}",
            where="panel of the case 'warehouse'",
            fix="ask for fewer days",
        )


def _floor(n: int, rng: np.random.Generator, level: Level, families: tuple[int, ...]) -> Floor:
    wanted = np.zeros((n, ITEMS), dtype=bool)
    wanted[:, : level.items] = True
    item = _orders(n, rng, families)
    return Floor(
        step=np.zeros(n, dtype=np.int64),
        square=np.full(n, START),
        item=item,
        wanted=wanted,
        tours=tours(item),
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


def _by_nearness(state: Floor) -> tuple[Floats, Ints, Bools, Floats]:
    """Distance, square, presence and further tour of the items, the nearest first, the picked last; [n, 6] each."""
    distance = STEPS[state.square[:, None], state.item]
    order = np.where(state.wanted, distance, GONE).argsort(axis=1, kind="stable")
    rows, rest = np.arange(len(order))[:, None], first_legs(state.tours, state.wanted)
    return distance[rows, order], state.item[rows, order], state.wanted[rows, order], rest[rows, order]


def _taken(state: Floor) -> tuple[Bools, Bools, Ints]:
    """Each move: meets a robot or a shelf; the next one that way meets a robot; robots that come that way; [n, 4]."""
    now, near = state.square[:, None], BESIDE[state.square]
    beyond = BESIDE[near, np.arange(len(MOVES))]
    soon = NEXT_PLACE[state.others]
    later = NEXT_PLACE[soon]
    return (
        _meets(now, near, state.others, soon) | (near == now),
        _meets(near, beyond, soon, later),
        ONCOMING[state.square[:, None, None], np.arange(len(MOVES))[:, None], state.others[:, None]].sum(axis=2),
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
