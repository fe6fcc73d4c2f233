"""Short trainings: what a learner finds first is what a long training would be led by."""

from __future__ import annotations

from collections.abc import Iterable

from tenure.design.reward.attack.hunt import Candidate, Hunt
from tenure.training.quick import short_ppo


def short_trainings(hunt: Hunt) -> Iterable[Candidate]:
    """Short PPO on the whole reward and on each term by itself."""
    for name, reward in hunt.rewards().items():
        policy = short_ppo(hunt.project, reward, hunt.effort.ppo_steps, hunt.seed)
        yield hunt.candidate(f"short PPO for {name}", policy)
