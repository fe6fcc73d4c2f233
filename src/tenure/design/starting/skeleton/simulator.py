"""A waiting room as a batch: n rooms at once, arrays in, arrays out, chance as an argument."""

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
from tenure.core.arrays import Floats, Ints

from .problem import MOST_WAITING, problem

ROOMS = 64
"""Rooms side by side in a comparison."""
PATIENCE = 12
"""People in line above which some leave."""
SEEDS: Mapping[Split, int] = {"train": 1, "selection": 2, "held_out": 3}
"""Parts differ by the chance they draw from; with real data, by time."""


@dataclass(frozen=True)
class Level:
    """How busy the room is: people who come in a quiet and in a busy minute, on average."""

    quiet: float = 0.6
    busy: float = 1.6


@dataclass(frozen=True)
class Rooms:
    """n rooms.

    Args:
        waiting: people in line; float64 [n].
        open_now: counters open during the last minute; float64 [n].
        rush: 1 in a busy hour; float64 [n].
        rate: quiet and busy arrivals a minute; float64 [n, 2].
    """

    waiting: Floats
    open_now: Floats
    rush: Floats
    rate: Floats


class RoomSimulator:
    """People come, wait, are served one per counter and minute, and leave when the line is too long."""

    levels: Mapping[str, Any] = {"easy": Level(0.4, 1.2), "normal": Level(), "hard": Level(0.8, 2.0)}

    @cached_property
    def version(self) -> str:
        """Hash of this file."""
        return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Rooms:
        """n rooms, some with people in them already."""
        rate = np.tile([self.levels[level].quiet, self.levels[level].busy], (n, 1))
        return Rooms(rng.integers(0, 6, n).astype(float), np.ones(n), rng.integers(0, 2, n).astype(float), rate)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:  # noqa: ARG002
        """Rooms that were each drawn by themselves, so that days do not count."""
        first = self.reset(ROOMS, np.random.default_rng(SEEDS[split]))
        names = tuple(f"room-{number:02d}" for number in range(1, ROOMS + 1))
        start, interval = datetime(2000, 1, 1, tzinfo=UTC), timedelta(minutes=1)
        return Panel(first, problem.horizon, names, start, interval, independent=True)

    def observe(self, state: Rooms) -> Floats:
        """What the manager sees; float32 [n, features]."""
        return np.stack([state.waiting, state.open_now, state.rush], axis=1).astype(np.float32)

    def step(self, state: Rooms, action: Ints, rng: np.random.Generator) -> Step:
        """One minute."""
        counters = action + 1.0
        rate = np.where(state.rush > 0, state.rate[:, 1], state.rate[:, 0])
        line = np.minimum(state.waiting + rng.poisson(rate), MOST_WAITING)
        served = np.minimum(line, counters)
        left = np.minimum(rng.poisson(np.maximum(line - served - PATIENCE, 0.0) / 4), line - served)
        waiting = line - served - left
        signals = {
            "waited": waiting,
            "second_open": (counters == 2).astype(float),
            "opened": (counters > state.open_now).astype(float),
            "left": left.astype(float),
        }
        # A busy hour lasts 30 minutes on average.
        rush = np.where(rng.random(len(line)) < 1 / 30, 1 - state.rush, state.rush)
        return Step(Rooms(waiting, counters, rush, state.rate), signals, np.zeros(len(line), dtype=bool))


simulator = RoomSimulator()
