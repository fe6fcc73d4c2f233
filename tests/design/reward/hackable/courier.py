"""A courier who is faster beyond the speed limit; the limit is one of the problem's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.design.reward.hackable.family import HORIZON, Rule, Tiny, World, terms

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Limit, Problem
from tenure.core.reward import KPI, Signal
from tenure.core.simulator import Step
from tenure.core.spaces import Discrete, Feature

STAND, WALK, RIDE, RACE = range(4)
SPEED = np.array([0.0, 0.5, 1.0, 1.6])
"""Blocks per step of each action on a clear street."""


@dataclass(frozen=True)
class Couriers:
    """How full the street is, in [0, 1], and how tired the courier."""

    traffic: Floats
    tired: Floats


@dataclass(frozen=True)
class Streets(Tiny):
    """Traffic slows everybody and makes a racer crash."""

    crash: float
    calm: float

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Couriers:
        return Couriers(rng.random(n), np.zeros(n))

    def observe(self, state: Couriers) -> Floats:
        return np.stack([state.traffic, state.tired, state.traffic > 0.7], axis=1).astype(np.float32)

    def step(self, state: Couriers, action: Ints, rng: np.random.Generator) -> Step:
        n = len(action)
        speed = SPEED[action] * (1 - 0.3 * state.traffic)
        crashed = (action == RACE) & (rng.random(n) < self.crash * state.traffic)
        traffic = np.clip(self.calm * state.traffic + (1 - self.calm) * rng.random(n), 0, 1)
        tired = np.clip(0.9 * state.tired + 0.05 * action, 0, 2)
        signals = {
            "parcels": np.where(crashed, 0.0, speed),
            "speeding": (action == RACE).astype(float),
            "crashes": crashed.astype(float),
            "fuel": 0.1 * action,
            "on_time": ((speed > 0.6) & ~crashed).astype(float),
        }
        return Step(Couriers(traffic, tired), signals, np.zeros(n, dtype=bool))


def build(rng: np.random.Generator) -> World:
    """A racer crashes in up to a fifth of the steps on a full street."""
    problem = Problem(
        name="courier",
        about="How fast a courier goes.",
        observation=tuple(Feature(name, "share", 0, 2) for name in ("traffic", "tired", "full")),
        action=Discrete(("stand", "walk", "ride", "race")),
        signals=(
            Signal("parcels", "blocks", 0, 2),
            *(Signal(name, "share", 0, 1) for name in ("speeding", "crashes", "fuel", "on_time")),
        ),
        reward=terms(parcels=1.0),
        kpis=(
            KPI("progress", "blocks per step", "higher", {"parcels": 1}),
            KPI("on_time", "share of steps", "higher", {"on_time": 1}, worst=0.3),
        ),
        horizon=HORIZON,
        limits=(Limit("speeding", "speeding", float(rng.uniform(0.02, 0.1)), "the law", held_by="penalty"),),
    )
    weak, fuel = float(rng.uniform(0.02, 0.15)), float(rng.uniform(0.1, 0.5))
    return World(
        problem,
        Streets(float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.5, 0.8))),
        Rule(lambda seen: np.where(seen[:, 2] > 0, WALK, RIDE)),
        Rule(lambda seen: np.full(len(seen), RACE)),
        Rule(lambda seen: np.full(len(seen), STAND)),
        {
            "pay per block": terms(parcels=1.0, fuel=-fuel),
            "speeding priced too low": terms(parcels=1.0, speeding=-weak, fuel=-fuel),
        },
        {
            "speeding priced": terms(parcels=1.0, speeding=-float(rng.uniform(1.5, 3)), fuel=-fuel),
            "speeding and crashes priced": terms(parcels=1.0, speeding=-1.0, crashes=-10.0, fuel=-fuel),
        },
    )
