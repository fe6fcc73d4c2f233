"""A cart on a loop with checkpoints that pay again and again (Clark and Amodei 2016: the boat of CoastRunners)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.design.reward.hackable.family import HORIZON, Rule, Tiny, World, terms

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Signal
from tenure.core.simulator import Step
from tenure.core.spaces import Discrete, Feature

BACK, STAY, FORWARD, SPRINT = range(4)
CHECKPOINTS = 3


@dataclass(frozen=True)
class Carts:
    """Metres from the start, counted on over laps, and the furthest so far."""

    metres: Ints
    furthest: Ints


@dataclass(frozen=True)
class Track(Tiny):
    """`gap` metres between checkpoints; a sprint goes two metres or slips."""

    gap: int
    slip: float

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Carts:
        start = rng.integers(self.gap * CHECKPOINTS, size=n)
        return Carts(start, start)

    def observe(self, state: Carts) -> Floats:
        done = state.metres % self.gap
        lap = state.metres % (self.gap * CHECKPOINTS)
        seen = [done, self.gap - done, lap, done == 0, state.furthest - state.metres]
        return np.stack(seen, axis=1).astype(np.float32)

    def step(self, state: Carts, action: Ints, rng: np.random.Generator) -> Step:
        slipped = (action == SPRINT) & (rng.random(len(action)) < self.slip)
        moved = np.select([action == BACK, action == FORWARD, (action == SPRINT) & ~slipped], [-1, 1, 2], 0)
        metres = state.metres + moved
        furthest = np.maximum(state.furthest, metres)
        passed = np.abs(metres // self.gap - state.metres // self.gap)
        signals = {
            "checkpoints": passed.astype(float),
            "in_order": (furthest // self.gap - state.furthest // self.gap).astype(float),
            "metres": moved.astype(float),
            "effort": np.abs(moved).astype(float),
            "laps": moved / (self.gap * CHECKPOINTS),
            "slips": slipped.astype(float),
        }
        return Step(Carts(metres, furthest), signals, np.zeros(len(action), dtype=bool))


def build(rng: np.random.Generator) -> World:
    """A loop of 12 to 18 metres with three checkpoints."""
    gap, effort = int(rng.integers(4, 7)), float(rng.uniform(0.005, 0.03))
    problem = Problem(
        name="track",
        about="How a cart goes round a loop.",
        observation=tuple(
            Feature(name, "metres", -HORIZON * 2, HORIZON * 4) for name in ("since", "next", "lap", "at", "behind")
        ),
        action=Discrete(("back", "stay", "forward", "sprint")),
        signals=(
            *(Signal(name, "gates", 0, 1) for name in ("checkpoints", "in_order")),
            Signal("metres", "metres", -1, 2),
            Signal("effort", "metres", 0, 2),
            Signal("laps", "laps", -1, 1),
            Signal("slips", "times", 0, 1),
        ),
        reward=terms(checkpoints=1.0),
        kpis=(
            KPI("laps", "laps per step", "higher", {"laps": 1}),
            KPI("slips", "share of steps", "lower", {"slips": 1}, worst=0.6),
        ),
        horizon=HORIZON,
    )
    return World(
        problem,
        Track(gap, float(rng.uniform(0.2, 0.4))),
        Rule(lambda seen: np.full(len(seen), FORWARD)),
        Rule(lambda seen: np.where(seen[:, 3] > 0, BACK, FORWARD)),
        Rule(lambda seen: np.full(len(seen), STAY)),
        {
            "pay per checkpoint": terms(checkpoints=1.0),
            "checkpoints and effort": terms(checkpoints=1.0, effort=-effort),
        },
        {
            "pay per metre forward": terms(metres=1.0, effort=-effort),
            "checkpoints in order": terms(in_order=1.0, effort=-effort),
        },
    )
