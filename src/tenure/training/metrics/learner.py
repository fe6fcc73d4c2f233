"""What a learner of Stable-Baselines3 says of itself with every update, and what it expects of its situations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from sb3_contrib import QRDQN
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback

from tenure.training.metrics.updates import UpdateMeter

LOOK_EVERY = 17
"""Rollouts of a learner with a replay buffer between two looks at what it expects."""


class LearnerMeter(BaseCallback):
    """Reads a learner's log after each update; `take` gives the metrics since the last time.

    Args:
        learner: a `BaseAlgorithm`, newly made; this is one of the callbacks it learns with.
    """

    def __init__(self, learner: Any) -> None:
        super().__init__()
        self.learner, self.said = learner, UpdateMeter(optimisers_of(learner))
        self.updates, self.rollouts = 0, 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._read()

    def _on_rollout_end(self) -> None:
        buffer = getattr(self.learner, "rollout_buffer", None)
        if buffer is not None:
            self.said.note("value_mean", float(buffer.values.mean()))
        elif self.rollouts % LOOK_EVERY == 0:
            self.said.note("value_mean", expected(self.learner))
        self.rollouts += 1

    def take(self) -> dict[str, float]:
        """The metrics since the last time; what was not logged is absent."""
        self._read()
        return self.said.take()

    def state_dict(self) -> dict[str, Any]:
        """What goes on over checkpoints; call it after `take`."""
        return {"updates": self.updates, "rollouts": self.rollouts, "said": self.said.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint."""
        self.updates, self.rollouts = state["updates"], state["rollouts"]
        self.said.load_state_dict(state["said"])

    def _read(self) -> None:
        """Note what the latest update logged, once."""
        if self.learner._n_updates != self.updates:
            self.updates = self.learner._n_updates
            told = self.learner.logger.name_to_value
            only_values = "train/loss" in told and isinstance(self.learner, DQN | QRDQN)
            self.said.update({**told, "train/value_loss": told["train/loss"]} if only_values else told)


def optimisers_of(learner: Any) -> list[torch.optim.Optimizer]:
    """Of the policy as a whole, or of actor and critic."""
    owners = [learner.policy, getattr(learner, "actor", None), getattr(learner, "critic", None)]
    found = [getattr(owner, "optimizer", None) for owner in owners]
    return [each for each in found if each is not None]


def expected(learner: Any) -> float:
    """Mean value a learner with a replay buffer expects of its best actions where its worlds stand; learner's units."""
    seen = torch.as_tensor(np.asarray(learner._last_obs))
    with torch.no_grad():
        if isinstance(learner, DQN):
            return float(learner.q_net(seen).max(dim=1).values.mean())
        if isinstance(learner, QRDQN):
            return float(learner.quantile_net(seen).mean(dim=1).max(dim=1).values.mean())
        value = learner.critic(seen, learner.policy._predict(seen, deterministic=True))
        return float(torch.cat(value, dim=1).mean() if isinstance(value, tuple) else value.mean())
