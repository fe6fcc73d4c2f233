"""A kiosk that opens for three hours, with nothing to replay: propensities alone tell what another policy is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core import KPI, Discrete, Feature, Problem, Reward, Signal, Step, Term
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Proposal
from tenure.core.simulator import Panel, Split

STEPS = 3
MOST = 10.0
WORLDS = {"train": 3000, "selection": 200, "held_out": 3000}
problem = Problem(
    name="kiosk",
    about="Fill up the shelf for the next hour or not.",
    observation=(Feature("stock", "loaves", 0, MOST),),
    action=Discrete(("wait", "fill")),
    signals=(Signal("sold", "loaves", 0, MOST), Signal("filled", "trips", 0, 1)),
    reward=Reward((Term("sold", 2.0, "EUR/loaf", "margin"), Term("filled", -3.0, "EUR/trip", "the driver"))),
    kpis=(KPI("profit", "EUR/hour", "higher", {"sold": 2.0, "filled": -3.0}),),
    horizon=STEPS,
)


@dataclass(frozen=True)
class Shelves:
    stock: Floats


class Kiosk:
    """Sells what people ask for, as far as it is there; filling puts six more on the shelf."""

    levels: Mapping[str, Any] = {"normal": None}
    version = "kiosk"

    def __init__(self, demand: float) -> None:
        self.demand = demand

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Shelves:
        return Shelves(rng.integers(0, 7, n).astype(float))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        n = WORLDS[split]
        state = self.reset(n, np.random.default_rng(list(WORLDS).index(split)))
        names = tuple(f"day-{k}" for k in range(n))
        return Panel(state, STEPS, names, datetime(2024, 1, 1, 9, tzinfo=UTC), timedelta(hours=1), independent=True)

    def observe(self, state: Shelves) -> Floats:
        return state.stock[:, None].astype(np.float32)

    def step(self, state: Shelves, action: Ints, rng: np.random.Generator) -> Step:
        there = np.minimum(state.stock + 6 * action, MOST)
        sold = np.minimum(rng.poisson(self.demand, len(action)), there).astype(float)
        signals = {"sold": sold, "filled": action.astype(float)}
        return Step(Shelves(there - sold), signals, np.zeros(len(action), dtype=bool))


@dataclass(frozen=True)
class Below:
    """Fills below a mark; one decision in `1 / share` by chance, told with its probability."""

    mark: float
    share: float = 0.0

    @property
    def version(self) -> str:
        return f"below-{self.mark:g}-{self.share:g}"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        own = np.eye(2)[(observation[:, 0] < self.mark).astype(np.int64)]
        even = self.share / 2 + (1 - self.share) * own
        return Proposal((draw >= even[:, 0]).astype(np.int64), np.ones(len(draw)), even)


incumbent, better = Below(1.0), Below(4.0)
logging = Below(1.0, 0.6)
"""What decided in the log: the incumbent, with six decisions in ten by chance."""
