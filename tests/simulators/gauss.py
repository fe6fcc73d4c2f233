"""A world whose answer is known: going ahead pays a Gaussian around what is seen, holding back pays nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.stats import norm

from tenure.core import KPI, Discrete, Feature, Panel, Problem, Reward, Signal, Split, Step, Term
from tenure.core.arrays import Floats, Ints

from .worlds import Always

PROBLEM = Problem(
    name="gauss",
    about="Go ahead or hold back.",
    observation=(Feature("promise", "points", low=-9, high=9),),
    action=Discrete(("hold", "go")),
    signals=(Signal("paid", "points", -99, 99), Signal("tries", "", 0, 1)),
    reward=Reward((Term("paid", 1.0, "points", "it is what counts"),)),
    kpis=(KPI("paid", "points", "higher", {"paid": 1.0}),),
    horizon=4,
)
HOLD, GO = Always(0), Always(1)


@dataclass(frozen=True)
class Promise:
    """What each world promises."""

    promise: Floats


@dataclass
class Gauss:
    """Every step promises anew; `shared` pays the luck whatever is done, so that no decision changes anything."""

    shared: bool = False
    version: str = "gauss-1"

    @property
    def levels(self) -> dict[str, object]:
        return {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Promise:
        return Promise(rng.uniform(-2, 2, n))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        assert split != "held_out", "nobody may look at the held-out data here"
        start, names = datetime(2026, 1, 1, tzinfo=UTC), tuple(f"w{number}" for number in range(1000))
        return Panel(self.reset(1000, np.random.default_rng(7)), 4, names, start, timedelta(hours=1), independent=True)

    def observe(self, state: Promise) -> Floats:
        return state.promise[:, None].astype(np.float32)

    def step(self, state: Promise, action: Ints, rng: np.random.Generator) -> Step:
        luck, after = rng.normal(size=len(action)), Promise(rng.uniform(-2, 2, len(action)))
        paid = luck if self.shared else action * (state.promise + luck)
        return Step(after, {"paid": paid, "tries": action.astype(float)}, np.zeros(len(action), dtype=bool))


def chance_of_good(promise: Floats) -> Floats:
    """Probability that going ahead pays at least nothing: a Gaussian around the promise, of deviation 1."""
    return np.asarray(norm.cdf(promise))
