"""All exploiters, the cheapest first; the name is what an exploit says it was found by."""

from __future__ import annotations

from collections.abc import Mapping

from tenure.design.reward.attack.evolution import evolution
from tenure.design.reward.attack.greedy import greedy, improved_incumbent
from tenure.design.reward.attack.hunt import Exploiter
from tenure.design.reward.attack.learner import short_trainings
from tenure.design.reward.attack.steady import at_random, one_action

POOL: Mapping[str, Exploiter] = {
    "random": at_random,
    "one action": one_action,
    "greedy": greedy,
    "lookahead": improved_incumbent,
    "evolution": evolution,
    "short PPO": short_trainings,
}
