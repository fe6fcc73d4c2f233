"""Two small worlds that can be worked by hand: a walk along a line, and a shop that orders stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure.core import KPI, Discrete, Feature, Panel, Problem, Proposal, Reward, Signal, Split, Step, Term
from tenure.core.arrays import Bools, Floats, Ints

GOAL, WALL = 3, -2


def line_problem(horizon: int = 5) -> Problem:
    """Walk right to the goal at 3; each step pays its new position and costs 0.5 if it moved."""
    return Problem(
        name="line",
        about="A walker on a line.",
        observation=(Feature("position", "cells", low=-9, high=9), Feature("walked", "steps", low=0, high=99)),
        action=Discrete(("left", "stay", "right")),
        signals=(Signal("place", "cells", -9, 9), Signal("moved", "cells", 0, 1)),
        reward=Reward((Term("place", 1.0, "points", "far right is good"), Term("moved", -0.5, "points", "effort"))),
        kpis=(KPI("place", "cells", "higher", {"place": 1.0}),),
        horizon=horizon,
    )


@dataclass(frozen=True)
class Line:
    """Where the walkers stand, and how many steps they took."""

    position: Ints
    walked: Ints


class LineWalk:
    """Deterministic; every world starts at 0 and ends by itself at the goal."""

    version = "line-1"
    levels: Mapping[str, object] = {"normal": 0, "late": 1, "edge": 2, "wall": -2}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
        return Line(np.full(n, self.levels[level], dtype=np.int64), np.zeros(n, dtype=np.int64))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        state = Line(np.array([0, 2]), np.array([0, 0]))
        return Panel(state, 4, ("a", "b"), datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=12))

    def observe(self, state: Line) -> Floats:
        return np.stack([state.position, state.walked], axis=1).astype(np.float32)

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        after = Line(state.position + action - 1, state.walked + 1)
        signals = {"place": after.position.astype(float), "moved": np.abs(action - 1).astype(float)}
        return Step(after, signals, after.position >= GOAL)


class WalledWalk(LineWalk):
    """The same line with a wall on the left: no step left from -2."""

    def mask(self, state: Line) -> Bools:
        allowed = np.ones((len(state.position), 3), dtype=bool)
        allowed[state.position <= WALL, 0] = False
        return allowed


class EndlessWalk(LineWalk):
    """The same line; nothing ends by itself."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        return Step(step.state, step.signals, np.zeros(len(action), dtype=bool))


def shop_problem(horizon: int = 10) -> Problem:
    """Sell up to four a day, hold at most twenty."""
    return Problem(
        name="shop",
        about="A shop that orders every evening.",
        observation=(Feature("stock", "items", low=0, high=20),),
        action=Discrete(("0", "1", "2", "3", "4"), unit="items"),
        signals=(Signal("sold", "items", 0, 4), Signal("lost", "items", 0, 4), Signal("held", "items", 0, 20)),
        reward=Reward((Term("sold", 1.0, "EUR", "margin"), Term("held", -0.1, "EUR", "room costs"))),
        kpis=(KPI("lost sales", "items", "lower", {"lost": 1.0}),),
        horizon=horizon,
    )


@dataclass(frozen=True)
class Stock:
    """Items on the shelf."""

    stock: Ints


class Shop:
    """Noisy: starts and demand are drawn."""

    version = "shop-1"
    levels: Mapping[str, object] = {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Stock:
        return Stock(rng.integers(0, 11, n))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        state = Stock(np.array([0, 5, 10]))
        return Panel(state, 6, ("a", "b", "c"), datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1))

    def observe(self, state: Stock) -> Floats:
        return state.stock[:, None].astype(np.float32)

    def step(self, state: Stock, action: Ints, rng: np.random.Generator) -> Step:
        demand = rng.integers(0, 5, len(action))
        there = np.minimum(state.stock + action, 20)
        sold = np.minimum(there, demand)
        counts = {"sold": sold, "lost": demand - sold, "held": there - sold}
        signals = {name: values.astype(float) for name, values in counts.items()}
        return Step(Stock(there - sold), signals, np.zeros(len(action), dtype=bool))


@dataclass(frozen=True)
class Always:
    """The same action everywhere."""

    action: int
    version: str = "always"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        n = len(observation)
        return Proposal(np.full(n, self.action), np.ones(n))


@dataclass(frozen=True)
class UpTo:
    """Order what is missing up to a level, at most four."""

    level: int
    version: str = "up-to"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        missing = self.level - observation[:, 0].astype(np.int64)
        return Proposal(np.clip(missing, 0, 4), np.ones(len(observation)))


@dataclass(frozen=True)
class Coin:
    """Action 2 where the draw is at least a half, else 0."""

    version: str = "coin"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.where(draw >= 0.5, 2, 0), np.ones(len(draw)))
