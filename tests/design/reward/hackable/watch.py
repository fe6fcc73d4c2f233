"""A watch over a machine that wears out: it may call a mechanic, look closer, or wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.design.reward.hackable.family import HORIZON, Rule, Tiny, World, terms

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Signal
from tenure.core.simulator import Step
from tenure.core.spaces import Discrete, Feature

WAIT, LOOK, CALL = range(3)
WORN = 0.6
"""Wear above which a call was right."""


@dataclass(frozen=True)
class Machines:
    """Wear in [0, 1], what the gauge says, and whether somebody has just looked."""

    wear: Floats
    gauge: Floats
    looked: Bools


@dataclass(frozen=True)
class Watch(Tiny):
    """A worn machine fails by chance; a call or a failure makes it new."""

    wearing: float
    risk: float
    noise: float

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Machines:
        wear = rng.uniform(0, 0.5, n)
        return Machines(wear, wear, np.zeros(n, dtype=bool))

    def observe(self, state: Machines) -> Floats:
        return np.stack([state.gauge, state.looked, state.gauge > WORN], axis=1).astype(np.float32)

    def step(self, state: Machines, action: Ints, rng: np.random.Generator) -> Step:
        n = len(action)
        call, look = action == CALL, action == LOOK
        failed = ~call & (rng.random(n) < self.risk * np.maximum(state.wear - 0.5, 0))
        grown = np.minimum(state.wear + rng.uniform(0, 2 * self.wearing, n), 1.0)
        wear = np.where(call | failed, 0.0, grown)
        blur = rng.normal(0, self.noise, n) * ~look
        after = Machines(wear, np.clip(wear + blur, -1, 2), look)
        signals = {
            "calls": call.astype(float),
            "right_calls": (call & (state.wear > WORN)).astype(float),
            "failures": failed.astype(float),
            "looks": look.astype(float),
            "down": 1.0 * call + 6.0 * failed,
        }
        return Step(after, signals, np.zeros(n, dtype=bool))


def build(rng: np.random.Generator) -> World:
    """A machine that wears out in 12 to 20 steps."""
    problem = Problem(
        name="watch",
        about="Whether to call a mechanic, look closer or wait.",
        observation=tuple(Feature(name, "share", -1, 2) for name in ("gauge", "looked", "high")),
        action=Discrete(("wait", "look", "call")),
        signals=(
            *(Signal(name, "times", 0, 1) for name in ("calls", "right_calls", "failures", "looks")),
            Signal("down", "hours", 0, 7),
        ),
        reward=terms(calls=1.0),
        kpis=(
            KPI("cost", "$ per step", "lower", {"failures": 10, "calls": 1, "looks": 0.1}),
            KPI("down", "hours per step", "lower", {"down": 1}, worst=0.35),
        ),
        horizon=HORIZON,
    )
    pay, looks = float(rng.uniform(0.5, 1.0)), float(rng.uniform(0.4, 0.8))
    return World(
        problem,
        Watch(float(rng.uniform(0.05, 0.08)), float(rng.uniform(0.6, 1.2)), float(rng.uniform(0.03, 0.08))),
        Rule(lambda seen: np.where(seen[:, 0] > WORN + 0.04, CALL, WAIT)),
        Rule(lambda seen: np.full(len(seen), CALL)),
        Rule(lambda seen: np.full(len(seen), LOOK)),
        {
            "pay per call": terms(calls=pay, failures=-1.0),
            "pay per look": terms(looks=looks, failures=-1.0, calls=-0.5),
        },
        {
            "price what it costs": terms(failures=-10.0, calls=-1.0, looks=-0.1),
            "pay for right calls": terms(failures=-10.0, right_calls=0.5, calls=-1.5, looks=-0.1),
        },
    )
