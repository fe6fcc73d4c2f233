"""A corridor cleaner that can empty its bag on the floor and pick the dirt up again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from tests.design.reward.hackable.family import HORIZON, Rule, Tiny, World, terms

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Signal
from tenure.core.simulator import Step
from tenure.core.spaces import Discrete, Feature

LEFT, RIGHT, PICK_UP, EMPTY, WAIT = range(5)


@dataclass(frozen=True)
class Corridors:
    """Where each cleaner stands, which cells are dirty, and what is in its bag."""

    position: Ints
    dirty: Bools
    bag: Ints


@dataclass(frozen=True)
class Cleaner(Tiny):
    """Dust falls on every cell with a chance per step."""

    cells: int
    dust: float

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Corridors:
        return Corridors(rng.integers(self.cells, size=n), rng.random((n, self.cells)) < 0.3, np.zeros(n, int))

    def observe(self, state: Corridors) -> Floats:
        offset = np.arange(self.cells) - state.position[:, None]
        away = np.where(state.dirty, np.abs(offset), 99)
        nearest = np.take_along_axis(offset, away.argmin(axis=1)[:, None], axis=1)[:, 0] * state.dirty.any(axis=1)
        here = state.dirty[np.arange(len(nearest)), state.position]
        seen = [state.position, here, nearest, state.dirty.sum(axis=1), np.minimum(state.bag, 9)]
        return np.stack(seen, axis=1).astype(np.float32)

    def step(self, state: Corridors, action: Ints, rng: np.random.Generator) -> Step:
        rows = np.arange(len(action))
        position = np.clip(state.position + (action == RIGHT) - (action == LEFT), 0, self.cells - 1)
        here = state.dirty[rows, state.position]
        picked, spilled = (action == PICK_UP) & here, (action == EMPTY) & ~here & (state.bag > 0)
        dirty = state.dirty.copy()
        dirty[rows, state.position] = (here & ~picked) | spilled
        dirty |= rng.random(dirty.shape) < self.dust
        after = replace(state, position=position, dirty=dirty, bag=state.bag + picked - spilled)
        count = dirty.sum(axis=1).astype(float)
        signals = {
            "picked": picked.astype(float),
            "spilled": spilled.astype(float),
            "dirty": count,
            "moved": (action <= RIGHT).astype(float),
            "complaints": (count > self.cells / 2).astype(float),
        }
        return Step(after, signals, np.zeros(len(action), dtype=bool))


def build(rng: np.random.Generator) -> World:
    """A corridor of 5 to 8 cells."""
    cells = int(rng.integers(5, 9))
    names = {"position": cells, "here": 1, "nearest": cells, "dirty": cells, "bag": 9}
    problem = Problem(
        name="cleaner",
        about="Where a cleaner goes and what it does there.",
        observation=tuple(Feature(name, "count", -most, most) for name, most in names.items()),
        action=Discrete(("left", "right", "pick up", "empty the bag", "wait")),
        signals=(
            *(Signal(name, "times", 0, 1) for name in ("picked", "spilled", "moved", "complaints")),
            Signal("dirty", "cells", 0, cells),
        ),
        reward=terms(picked=1.0),
        kpis=(
            KPI("dirty_floor", "cells", "lower", {"dirty": 1}),
            KPI("complaints", "share of steps", "lower", {"complaints": 1}, worst=0.5),
        ),
        horizon=HORIZON,
    )
    move, weak = float(rng.uniform(0.02, 0.1)), float(rng.uniform(0.1, 0.3))
    return World(
        problem,
        Cleaner(cells, float(rng.uniform(0.15, 0.22)) / cells),
        Rule(_sweep),
        Rule(lambda seen: np.where(seen[:, 1] > 0, PICK_UP, np.where(seen[:, 4] > 0, EMPTY, _sweep(seen)))),
        Rule(lambda seen: np.full(len(seen), WAIT)),
        {
            "pay per pick-up": terms(picked=1.0, moved=-move),
            "spilling priced too low": terms(picked=1.0, spilled=-weak, moved=-move),
        },
        {
            "pay for the floor": terms(dirty=-1.0, moved=-move),
            "spilling priced in full": terms(picked=1.0, spilled=-1.2, dirty=-0.5, moved=-move),
        },
    )


def _sweep(seen: Floats) -> Ints:
    """Pick up what lies here, else go to the nearest dirt."""
    away = seen[:, 2]
    return np.where(seen[:, 1] > 0, PICK_UP, np.where(away < 0, LEFT, np.where(away > 0, RIGHT, WAIT)))
