"""The machines as a batch; a machine's number decides its chance, so every policy meets the same orders and luck."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Floats, Ints
from tenure.core.chance import uniform
from tenure.core.errors import DataError

from .problem import CAPACITY, COOLEST, HOTTEST, SAFE, STORE, WORN_OUT

DAY = 24
USUAL = np.array([3, 3, 3, 3, 3, 3, 6, 9, 12, 12, 10, 8, 6, 8, 11, 12, 11, 9, 7, 6, 5, 4, 3, 3])
"""Usual orders of each hour of the day, in units."""
SURPRISE, CHANCE_OF_SURPRISE = np.array([-2, 0, 2]), np.array([0.25, 0.5, 0.25])
"""What comes on top of the usual orders, and how often."""
DEGREES = 10
"""°C in one step of heat."""
HOTTER = np.array([-3, -1, 0, 1, 2])
"""Steps of heat an hour at each speed adds, before the weather."""
WEAR_CHANCE = np.array([0.0, 0.10, 0.20, 0.35, 0.60])
"""Chance that an hour at each speed adds a step of wear, at up to 60 °C."""
STRAIN = np.array([0.0, 0.6, 1.0, 1.3, 1.8])
"""How much each speed adds to the chance of a breakdown."""
SPLITS: dict[Split, int] = {"train": 0, "selection": 10**9, "held_out": 2 * 10**9}
"""The first machine number of each part; 10^9 numbers lie between, so no machine is in two parts."""
MACHINES, DAYS = 128, 28
"""Size of a whole panel."""
START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Machines:
    """n machines at the start of an hour.

    Args:
        number: whose chance it is; int64 [n].
        hour: hours since the start; int64 [n].
        orders: units ordered for this hour; int64 [n].
        store: finished units; int64 [n].
        heat: steps of 10 °C above 30 °C; int64 [n].
        wear: steps since maintenance; int64 [n].
        warming: chance that a running hour heats by one step more; float64 [n].
        wearing: multiplies the chance of wear; float64 [n].
    """

    number: Ints
    hour: Ints
    orders: Ints
    store: Ints
    heat: Ints
    wear: Ints
    warming: Floats
    wearing: Floats


@dataclass(frozen=True)
class Level:
    """How hard a machine is to run; see `Machines`."""

    warming: float
    wearing: float


@dataclass(frozen=True)
class Luck:
    """What may or may not happen in an hour: chances in [0, 1], or what came of them; each [n]."""

    breaks: Any
    wears: Any
    heats: Any


class FactorySimulator:
    """Machines that earn, heat up, wear out and break."""

    levels: Mapping[str, Any] = {"easy": Level(0.1, 0.7), "normal": Level(0.3, 1.0), "hard": Level(0.45, 1.4)}

    @cached_property
    def version(self) -> str:
        """Hash of this file."""
        return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Machines:
        """n training machines at random hours, with random store, heat and wear."""
        numbers = SPLITS["train"] + rng.integers(0, 10**9, n)
        return self._machines(numbers, rng.integers(0, DAY, n), rng, level)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """128 machines of one part, side by side from midnight over whole days.

        Raises:
            DataError: the days lie outside the 28 of a part.
        """
        days = DAYS - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > DAYS:
            found, where = f"{days} days from day {first_day}", "panel of the case 'factory'"
            raise DataError(
                expected=f"days within the {DAYS} of {split!r}", found=found, where=where, fix="ask for fewer"
            )
        numbers = SPLITS[split] + np.arange(MACHINES)
        hour = np.full(MACHINES, first_day * DAY)
        state = self._machines(numbers, hour, np.random.default_rng(SPLITS[split]), "normal")
        names = tuple(f"machine-{number:03d}" for number in range(1, MACHINES + 1))
        return Panel(state, days * DAY, names, START + timedelta(days=first_day), timedelta(hours=1), independent=True)

    def observe(self, state: Machines) -> Floats:
        """What the foreman sees; float32 [n, 8]."""
        hour = state.hour % DAY
        ahead = [USUAL[(hour + hours) % DAY] for hours in (1, 2, 3)]
        temperature = COOLEST + DEGREES * state.heat
        return np.stack([hour, state.orders, *ahead, state.store, temperature, state.wear], axis=1).astype(np.float32)

    def step(self, state: Machines, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One hour; the chance is the machine's own."""
        drawn = [uniform(state.number, state.hour, use) for use in range(4)]
        chance = chances(state, action)
        luck = Luck(drawn[0] < chance.breaks, drawn[1] < chance.wears, drawn[2] < chance.heats)
        after, signals = hour_of_work(state, action, luck)
        signals["near_misses"] = (drawn[3] < np.where(signals["overheated"] > 0, 0.15, 0.002)).astype(float)
        hour = state.hour + 1
        return Step(
            replace(after, hour=hour, orders=orders_of(state.number, hour)), signals, np.zeros(len(hour), dtype=bool)
        )

    def _machines(self, numbers: Ints, hour: Ints, rng: np.random.Generator, level: str) -> Machines:
        n, hardness = len(numbers), self.levels[level]
        return Machines(
            number=numbers,
            hour=hour,
            orders=orders_of(numbers, hour),
            store=rng.integers(0, STORE + 1, n),
            heat=rng.integers(0, 5, n),
            wear=rng.integers(0, 8, n),
            warming=np.full(n, hardness.warming),
            wearing=np.full(n, hardness.wearing),
        )


def orders_of(number: Ints, hour: Ints) -> Ints:
    """Units ordered from each machine in each hour; [n]."""
    surprise = np.searchsorted(CHANCE_OF_SURPRISE.cumsum()[:-1], uniform(number, hour, 4), side="right")
    return np.asarray(USUAL[hour % DAY] + SURPRISE[surprise])


def chances(state: Machines, action: Ints) -> Luck:
    """How likely a breakdown, a step of wear and a step of extra heat are; 0 while it is maintained."""
    runs = action > 0
    strained = 0.0006 * np.maximum(state.wear - 4, 0) ** 2 * STRAIN[action]
    wears = WEAR_CHANCE[action] * (1 + 0.12 * np.maximum(state.heat - 3, 0)) * state.wearing
    return Luck(strained, np.minimum(wears, 1.0), np.where(runs, state.warming, 0.0))


def hour_of_work(state: Machines, action: Ints, luck: Luck) -> tuple[Machines, dict[str, Floats]]:
    """What an hour at some speed makes of a machine, given its luck; the next hour's orders are left to the caller.

    A breakdown takes the hour, and its repair leaves the machine cold and as new. The dynamic programme of bound.py
    goes through every possible luck by this same function.
    """
    runs = (action > 0) & ~luck.breaks
    made = np.where(runs, CAPACITY[action], 0)
    delivered = np.minimum(state.orders, state.store + made)
    left = state.store + made - delivered
    store = np.minimum(left, STORE)
    most = (HOTTEST - COOLEST) // DEGREES
    heat = np.where(luck.breaks, 0, np.clip(state.heat + HOTTER[action] + luck.heats, 0, most))
    wear = np.where(luck.breaks | (action == 0), 0, np.minimum(state.wear + luck.wears, WORN_OUT))
    signals = {
        "orders": state.orders,
        "made": made,
        "delivered": delivered,
        "missed": state.orders - delivered,
        "wasted": left - store,
        "stored": store,
        "maintenance": action == 0,
        "breakdowns": luck.breaks,
        "overheated": runs & (COOLEST + DEGREES * state.heat > SAFE),
    }
    floats = {name: np.asarray(values, dtype=float) for name, values in signals.items()}
    return replace(state, store=store, heat=heat, wear=wear), floats


simulator = FactorySimulator()
