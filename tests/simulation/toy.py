"""What the simulation decides about: three actions, one feature, one cost, a rule and a candidate that may fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.rollout.rules import BreakerRule, Ready, Serving
from tenure.rollout.settings import Bake, RewardWindow, RolloutSettings, Settings, Shadow

from .oracles import drawn, weights

LIMIT, RUN = 50.0, 3
"""The breaker: cost strictly above the limit so many times in a row."""
STAGES = [0.01, 0.1, 1.0]
EPSILON = 0.1
WAIT_S, VALID_S, LEASE_S = 20, 10, 2.0

PROBLEM = Problem(
    name="toy",
    about="for the simulation",
    observation=(Feature("x", "m", 0, 10),),
    action=Discrete(("a", "b", "c")),
    signals=(Signal("cost", "$", 0, 100),),
    reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)


def settings(salt: str) -> Settings:
    """Few and small limits, so that a rollout passes through all its stages within a minute."""
    return Settings(
        rollout=RolloutSettings(
            salt=salt, stages=STAGES, exploration=EPSILON, approval=[], shadow=Shadow(0, 0), bake=Bake(0, 0, 0)
        ),
        breaker=[BreakerRule(signal="cost", above=LIMIT, consecutive=RUN, name="cost")],
        ready=Ready(alert=False, drill_days=0, outcomes=0.0),
        serving=Serving(valid_s=VALID_S),
        reward_window=RewardWindow(wait=f"{WAIT_S}s"),
    )


class Incumbent:
    """Takes the first allowed action."""

    version = "rule"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        n = len(observation)
        first = np.zeros(n, dtype=int) if allowed is None else allowed.argmax(axis=1)
        return Proposal(first, np.ones(n))


@dataclass
class Candidate:
    """Draws an action by weight; `before` is called first, may stall or raise, and says how to lie."""

    version: str
    before: Callable[[], str]

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        lie, n = self.before(), len(observation)
        masks = np.ones((n, 3), dtype=bool) if allowed is None else allowed
        chances = np.array([weights(float(row[0]), mask) for row, mask in zip(observation, masks, strict=True)])
        action = np.array([drawn(row, number) for row, number in zip(chances.tolist(), draw.tolist(), strict=True)])
        if lie == "illegal":
            action = action + 3
        if lie == "nan":
            return Proposal(action, np.full(n, np.nan), chances)
        return Proposal(action, np.full(n, 0.5), chances)
