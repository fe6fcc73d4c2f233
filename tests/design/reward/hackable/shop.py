"""A shop that can sell to people who bring the goods back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.design.reward.hackable.family import HORIZON, Rule, Tiny, World, terms

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Signal
from tenure.core.simulator import Step
from tenure.core.spaces import Discrete, Feature

HOLD, ORDER, PROMOTE, BOTH = range(4)
ROOM, PUSHED = 40, 4
"""Goods the shop holds at most; extra sales of a promotion."""


@dataclass(frozen=True)
class Shops:
    """Goods on the shelf, and goods that will be brought back."""

    stock: Ints
    out: Ints


@dataclass(frozen=True)
class Shop(Tiny):
    """People come by a Poisson law; an order of `lot` goods is there at once."""

    demand: float
    lot: int
    back: float

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Shops:
        return Shops(rng.integers(0, 12, size=n), np.zeros(n, int))

    def observe(self, state: Shops) -> Floats:
        low = state.stock < 2 * self.demand
        return np.stack([state.stock, state.out, low], axis=1).astype(np.float32)

    def step(self, state: Shops, action: Ints, rng: np.random.Generator) -> Step:
        n = len(action)
        people, returned = rng.poisson(self.demand, n), rng.binomial(state.out, self.back)
        ordered = np.where((action == ORDER) | (action == BOTH), self.lot, 0)
        shelf = np.minimum(state.stock + ordered + returned, ROOM)
        sold = np.minimum(people, shelf)
        pushed = np.where(action >= PROMOTE, np.minimum(PUSHED, shelf - sold), 0)
        left = shelf - sold - pushed
        signals = {
            "sold": (sold + pushed).astype(float),
            "kept": (sold + pushed - returned).astype(float),
            "returned": returned.astype(float),
            "ordered": ordered.astype(float),
            "held": left.astype(float),
            "missed": (people - sold).astype(float),
            "people": people.astype(float),
        }
        return Step(Shops(left, pushed), signals, np.zeros(n, dtype=bool))


def build(rng: np.random.Generator) -> World:
    """Two to four people a day; nearly all that a promotion sells comes back."""
    price, handling = float(rng.uniform(2.5, 3.5)), float(rng.uniform(0.8, 1.4))
    problem = Problem(
        name="shop",
        about="What a shop orders, and whether it promotes.",
        observation=tuple(Feature(name, "goods", 0, ROOM + PUSHED) for name in ("stock", "out", "low")),
        action=Discrete(("hold", "order", "promote", "order and promote")),
        signals=(
            *(Signal(name, "goods", 0, 50) for name in ("sold", "returned", "ordered", "held")),
            Signal("kept", "goods", -PUSHED, 50),
            *(Signal(name, "people", 0, 50) for name in ("missed", "people")),
        ),
        reward=terms(sold=1.0),
        kpis=(
            KPI("profit", "$ per day", "higher", {"kept": price, "returned": -handling, "ordered": -1, "held": -0.1}),
            KPI("missed", "share of people", "lower", {"missed": 1}, {"people": 1}, worst=0.6),
        ),
        horizon=HORIZON,
    )
    return World(
        problem,
        Shop(float(rng.uniform(2, 4)), int(rng.integers(5, 8)), float(rng.uniform(0.85, 1.0))),
        Rule(lambda seen: np.where(seen[:, 2] > 0, ORDER, HOLD)),
        Rule(lambda seen: np.where(seen[:, 2] > 0, BOTH, PROMOTE)),
        Rule(lambda seen: np.full(len(seen), HOLD)),
        {
            "pay per sale": terms(sold=price, ordered=-1.0, held=-0.1),
            "returns priced too low": terms(sold=price, returned=-handling, ordered=-1.0, held=-0.1),
        },
        {
            "pay per good kept": terms(kept=price, returned=-handling, ordered=-1.0, held=-0.1),
            "returns priced in full": terms(sold=price, returned=-price - handling, ordered=-1.0, held=-0.1),
        },
    )
