"""Worlds of the robot: each has its distance to the door; nothing is left to chance but that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Bools, Floats, Ints

from .problem import DELIVER, PICK, PUT


@dataclass(frozen=True)
class Robots:
    """n robots: parcels in hand, 0 or 1, and metres to the door."""

    held: Floats
    distance: Floats


class PickerSimulator:
    """Picking and putting back cost one metre, a delivery the way there and back."""

    version = "1"
    levels: Mapping[str, Any] = {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Robots:
        return Robots(np.zeros(n), rng.integers(3, 6, n).astype(float))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        raise NotImplementedError

    def observe(self, state: Robots) -> Floats:
        return np.stack([state.held, state.distance], axis=1).astype(np.float32)

    def mask(self, state: Robots) -> Bools:
        """Picking needs an empty hand, putting and delivering a full one."""
        full = state.held > 0
        return np.stack([np.ones(len(full), dtype=bool), ~full, full, full], axis=1)

    def step(self, state: Robots, action: Ints, rng: np.random.Generator) -> Step:
        pick, put, deliver = (np.asarray(action == each, dtype=float) for each in (PICK, PUT, DELIVER))
        signals = {
            "picked": pick,
            "delivered": deliver,
            "metres": pick + put + deliver * state.distance,
            "thrown": put,
        }
        after = replace(state, held=state.held + pick - put - deliver)
        return Step(after, signals, np.zeros(len(action), dtype=bool))


simulator = PickerSimulator()
