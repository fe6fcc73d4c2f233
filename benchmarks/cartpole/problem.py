"""Push a cart left or right so that the pole on it stays upright: the best-known example of reinforcement learning.

Here to measure the speed of training beside other libraries, not as a case: nobody runs a business on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats

HORIZON = 500
"""Steps after which an attempt is cut off. Source: Gymnasium, CartPole-v1."""

problem = Problem(
    name="cartpole",
    about="Push the cart left or right; the pole should not fall and the cart should stay on its track.",
    observation=(
        Feature("position", "m", -4.8, 4.8, "of the cart; beyond 2.4 an attempt ends"),
        Feature("speed", "m/s", -10, 10, "of the cart"),
        Feature("angle", "rad", -0.42, 0.42, "of the pole from upright; beyond 12 degrees an attempt ends"),
        Feature("turning", "rad/s", -10, 10, "speed of the angle"),
    ),
    action=Discrete(("left", "right")),
    signals=(
        Signal("upright", "steps", 0, 1, "1 in every step, the last one too, as in Gymnasium"),
        Signal("started", "attempts", 0, 1, "1 in the first step of an attempt"),
    ),
    reward=Reward((Term("upright", 1.0, "1/step", "a step is a step"),)),
    kpis=(KPI("balanced", "steps per attempt", "higher", {"upright": 1}, {"started": 1}),),
    horizon=HORIZON,
    discount=0.99,
)


@dataclass(frozen=True)
class Leaning:
    """Pushes to the side the pole leans to."""

    version: str = "leaning"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """Right where the angle is above 0."""
        return Proposal((observation[:, 2] > 0).astype(np.int64), np.ones(len(observation)))


incumbent = Leaning()
