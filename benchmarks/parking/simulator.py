"""Cars and free bays, drawn anew for each decision.

Each bay is free with probability 0.1. The first free one from a door is then 0.9 / 0.1 = 9 bays away on average, which
nobody beats; any free bay, taken blindly, is 1,999 / 2 = 999.5 away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure import Panel, Step
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.simulator import Split

BAYS, FREE = 2_000, 0.1
BEST, BLIND = (1 - FREE) / FREE, (BAYS - 1) / 2
SEEDS = {"train": 1, "selection": 2, "held_out": 3}
WORLDS, STEPS = 200, 10


@dataclass(frozen=True)
class Car:
    """Which door each car's driver wants, bool [n], and the bays that are free, bool [n, bays]."""

    right: Bools
    free: Bools


@dataclass(frozen=True)
class CarPark:
    """Draws door and free bays anew each step."""

    version: str = "parking-1"
    levels: Mapping[str, Any] = field(default_factory=lambda: {"normal": FREE})

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Car:
        """n cars."""
        free = rng.random((n, BAYS), dtype=np.float32) < self.levels[level]
        free[~free.any(axis=1), BAYS // 2] = True
        return Car(rng.random(n) < 0.5, free)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:  # noqa: ARG002
        """A day of 200 car parks."""
        state = self.reset(WORLDS, np.random.default_rng(SEEDS[split]))
        names = tuple(str(world) for world in range(WORLDS))
        return Panel(state, STEPS, names, datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1), independent=True)

    def observe(self, state: Car) -> Floats:
        """The door."""
        return state.right[:, None].astype(np.float32)

    def mask(self, state: Car) -> Bools:
        """The bays that are free."""
        return state.free

    def step(self, state: Car, action: Ints, rng: np.random.Generator) -> Step:
        """What the driver walked, and the next car.

        Raises:
            ValueError: a bay is taken already.
        """
        if not state.free[np.arange(len(action)), action].all():
            raise ValueError("a car was sent to a bay that is taken")
        walked = np.where(state.right, BAYS - 1 - action, action).astype(float)
        return Step(self.reset(len(action), rng), {"walked": walked}, np.zeros(len(action), dtype=bool))


simulator = CarPark()
