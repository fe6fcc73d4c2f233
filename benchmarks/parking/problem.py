"""A car park of 2,000 bays: one label each, nine in ten of them taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats

BAYS = 2_000

problem = Problem(
    name="parking",
    about="Each decision sends a car to a free bay; its driver wants the left or the right door.",
    observation=(Feature("right", "1 where the right door is wanted", 0, 1),),
    action=Discrete(tuple(f"bay-{bay}" for bay in range(BAYS))),
    signals=(Signal("walked", "bays", 0, BAYS - 1),),
    reward=Reward((Term("walked", -0.001, "points/bay", "nobody likes to walk"),)),
    kpis=(KPI("walked", "bays per car", "lower", {"walked": 1.0}),),
    horizon=10,
    discount=0.5,
)


@dataclass(frozen=True)
class FromTheLeft:
    """The first free bay from the left, whichever door is wanted: 9 bays for one half, 1,990 for the other."""

    version: str = "from-the-left"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """Indices of the bays."""
        assert allowed is not None
        return Proposal(allowed.argmax(axis=1), np.ones(len(observation)))


incumbent = FromTheLeft()
