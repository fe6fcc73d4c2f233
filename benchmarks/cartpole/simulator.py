"""The cart and the pole, n of them as one batch.

Source: Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning control
problems", in the form and with the constants of Gymnasium's CartPole-v1 (Euler's method, steps of 20 ms, no friction).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure import Panel, Step
from tenure.core.arrays import Floats, Ints
from tenure.core.simulator import Split

GRAVITY = 9.8
POLE_KG, BOTH_KG = 0.1, 1.1
HALF_POLE_M = 0.5
FORCE_N = 10.0
STEP_S = 0.02
MOST_M, MOST_RAD = 2.4, 12 * 2 * math.pi / 360
FIRST = 0.05
"""Every number of a fresh world lies within this of 0."""
WORLDS = 256
"""Attempts of a panel."""
SEED: Mapping[str, int] = {"train": 1, "selection": 2, "held_out": 3}


@dataclass(frozen=True)
class Carts:
    """n carts.

    Args:
        position, speed, angle, turning: as the problem has them; float64 [n].
        age: steps of the attempt so far; int64 [n].
    """

    position: Floats
    speed: Floats
    angle: Floats
    turning: Floats
    age: Ints


class CartPole:
    """Carts that start near rest in the middle; an attempt ends where the pole falls or the cart leaves its track."""

    version = "cartpole-1"
    levels: Mapping[str, None] = {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Carts:  # noqa: ARG002
        """n carts near rest."""
        position, speed, angle, turning = rng.uniform(-FIRST, FIRST, (4, n))
        return Carts(position, speed, angle, turning, np.zeros(n, dtype=np.int64))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:  # noqa: ARG002
        """The same attempts each time, others for each split; a day has no meaning here."""
        from .problem import HORIZON

        carts = self.reset(WORLDS, np.random.default_rng(SEED[split]))
        names = tuple(f"attempt-{number}" for number in range(WORLDS))
        start, interval = datetime(2000, 1, 1, tzinfo=UTC), timedelta(seconds=STEP_S)
        return Panel(carts, HORIZON, names, start, interval, independent=True)

    def observe(self, state: Carts) -> Floats:
        """Position, speed, angle, turning; float32 [n, 4]."""
        seen = np.empty((len(state.age), 4), dtype=np.float32)
        seen[:, 0], seen[:, 1], seen[:, 2], seen[:, 3] = state.position, state.speed, state.angle, state.turning
        return seen

    def step(self, state: Carts, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """Push for 20 ms, action 1 to the right."""
        cosine, sine = np.cos(state.angle), np.sin(state.angle)
        swing = POLE_KG * HALF_POLE_M
        push = (np.where(action == 1, FORCE_N, -FORCE_N) + swing * np.square(state.turning) * sine) / BOTH_KG
        turned = GRAVITY * sine - cosine * push
        turned = turned / (HALF_POLE_M * (4.0 / 3.0 - POLE_KG * np.square(cosine) / BOTH_KG))
        moved = Carts(
            position=state.position + STEP_S * state.speed,
            speed=state.speed + STEP_S * (push - swing * turned * cosine / BOTH_KG),
            angle=state.angle + STEP_S * state.turning,
            turning=state.turning + STEP_S * turned,
            age=state.age + 1,
        )
        fallen = (np.abs(moved.position) > MOST_M) | (np.abs(moved.angle) > MOST_RAD)
        signals = {"upright": np.ones(len(fallen)), "started": (state.age == 0).astype(np.float64)}
        return Step(moved, signals, fallen)


simulator = CartPole()
