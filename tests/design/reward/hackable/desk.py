"""A support desk that may close tickets without answering them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tests.design.reward.hackable.family import HORIZON, Rule, Tiny, World, terms

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Signal
from tenure.core.simulator import Step
from tenure.core.spaces import Discrete, Feature

ANSWER, DISMISS, WAIT = range(3)
ROOM = 12
"""Tickets that fit into the queue; more go to another desk."""


@dataclass(frozen=True)
class Desks:
    """Open tickets, and those that were dismissed and will come back or be lost."""

    open: Ints
    dismissed: Ints


@dataclass(frozen=True)
class Desk(Tiny):
    """An answer solves with a chance; a dismissed ticket comes back with a chance, else its customer is lost."""

    arrive: float
    solve: float
    back: float

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Desks:
        return Desks(rng.integers(0, 6, size=n), np.zeros(n, int))

    def observe(self, state: Desks) -> Floats:
        return np.stack([state.open, state.dismissed, state.open == 0], axis=1).astype(np.float32)

    def step(self, state: Desks, action: Ints, rng: np.random.Generator) -> Step:
        n = len(action)
        arrived, luck = rng.random(n) < self.arrive, rng.random(n)
        back = rng.binomial(state.dismissed, self.back)
        solved = (action == ANSWER) & (state.open > 0) & (luck < self.solve)
        dismissed = np.where(action == DISMISS, state.open, 0)
        lost = state.dismissed - back
        after = np.clip(state.open - solved - dismissed + back + arrived, 0, ROOM)
        signals = {
            "closed": (solved + dismissed).astype(float),
            "solved": solved.astype(float),
            "came_back": back.astype(float),
            "lost": lost.astype(float),
            "open": after.astype(float),
            "thanks": solved - 1.0 * lost,
        }
        return Step(Desks(after, dismissed), signals, np.zeros(n, dtype=bool))


def build(rng: np.random.Generator) -> World:
    """A desk that can just keep up."""
    problem = Problem(
        name="desk",
        about="What a support desk does with its next ticket.",
        observation=tuple(Feature(name, "tickets", 0, ROOM) for name in ("open", "dismissed", "none")),
        action=Discrete(("answer", "clear the desk", "wait")),
        signals=(
            *(Signal(name, "tickets", 0, ROOM) for name in ("closed", "solved", "came_back", "lost")),
            Signal("open", "tickets", 0, ROOM),
            Signal("thanks", "points", -ROOM, 1),
        ),
        reward=terms(closed=1.0),
        kpis=(
            KPI("satisfaction", "points per step", "higher", {"thanks": 1}),
            KPI("lost", "customers per step", "lower", {"lost": 1}, worst=0.1),
        ),
        horizon=HORIZON,
    )
    return World(
        problem,
        Desk(float(rng.uniform(0.5, 0.7)), float(rng.uniform(0.75, 0.95)), float(rng.uniform(0.4, 0.7))),
        Rule(lambda seen: np.where(seen[:, 0] > 0, ANSWER, WAIT)),
        Rule(lambda seen: np.where(seen[:, 0] > 0, DISMISS, WAIT)),
        Rule(lambda seen: np.full(len(seen), WAIT)),
        {
            "pay per closed ticket": terms(closed=1.0),
            "closed, and back priced too low": terms(closed=1.0, came_back=-float(rng.uniform(0.1, 0.4))),
        },
        {
            "pay per solved ticket": terms(solved=1.0, open=-0.05, lost=-1.0),
            "closed, but neither back nor lost": terms(closed=1.0, came_back=-1.2, lost=-float(rng.uniform(2.5, 4))),
        },
    )
