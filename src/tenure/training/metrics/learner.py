"""What a learner of Stable-Baselines3 says of itself with every update, and what it expects of its situations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback

from tenure.training.metrics.gradients import GradientMeter

LOGGED: Mapping[str, tuple[str, ...]] = {
    "value_loss": ("value_loss", "critic_loss", "loss"),
    "loss": ("loss", "actor_loss", "policy_loss"),
    "explained_variance": ("explained_variance",),
    "kl": ("approx_kl",),
    "clip_share": ("clip_fraction",),
    "learning_rate": ("learning_rate",),
}
"""Where a learner logs each metric, below `train/`; the first that is there counts."""
LOOK_EVERY = 17
"""Rollouts of a learner with a replay buffer between two looks at what it expects."""


class LearnerMeter(BaseCallback):
    """Means over the updates since the last checkpoint; `take` gives the metrics and begins anew."""

    def __init__(self) -> None:
        super().__init__()
        self.updates, self.rollouts = 0, 0
        self._found: dict[str, list[float]] = {}
        self._gradients: list[GradientMeter] = []
        self._gradient_steps: list[int] = []

    def _init_callback(self) -> None:
        self._gradients = [GradientMeter(each) for each in optimisers_of(self.model)]
        for meter, steps in zip(self._gradients, self._gradient_steps, strict=False):
            meter.steps = steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._read()

    def _on_rollout_end(self) -> None:
        buffer = getattr(self.model, "rollout_buffer", None)
        if buffer is not None:
            self._note("value_mean", float(buffer.values.mean()))
        elif self.rollouts % LOOK_EVERY == 0:
            self._note("value_mean", expected(self.model))
        self.rollouts += 1

    def take(self) -> dict[str, float]:
        """The metrics since the last time; what was not logged is absent."""
        self._read()
        for meter in self._gradients:
            self._found.setdefault("gradient_norm", []).extend(meter.norms)
            meter.norms = []
        found, self._found = self._found, {}
        return {name: float(np.mean(values)) for name, values in found.items() if values}

    def state_dict(self) -> dict[str, Any]:
        """What goes on over checkpoints; call it after `take`."""
        steps = [meter.steps for meter in self._gradients]
        return {"updates": self.updates, "rollouts": self.rollouts, "gradient_steps": steps}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint, before the learner begins to learn."""
        self.updates, self.rollouts, self._found = state["updates"], state["rollouts"], {}
        self._gradient_steps = state["gradient_steps"]

    def _read(self) -> None:
        """Note what the latest update logged, once."""
        if self.model._n_updates == self.updates:
            return
        self.updates = self.model._n_updates
        told = self.model.logger.name_to_value
        for name, places in LOGGED.items():
            found = [told[f"train/{place}"] for place in places if f"train/{place}" in told]
            if found:
                self._note(name, float(found[0]))
        if "train/entropy_loss" in told:
            self._note("policy_entropy", -float(told["train/entropy_loss"]))

    def _note(self, name: str, value: float) -> None:
        self._found.setdefault(name, []).append(value)


def optimisers_of(model: Any) -> list[torch.optim.Optimizer]:
    """Of the policy as a whole, or of actor and critic."""
    owners = [model.policy, getattr(model, "actor", None), getattr(model, "critic", None)]
    found = [getattr(owner, "optimizer", None) for owner in owners]
    return [each for each in found if each is not None]


def expected(model: Any) -> float:
    """Mean value a learner with a replay buffer expects of its best actions where its worlds stand; learner's units."""
    seen = torch.as_tensor(np.asarray(model._last_obs))
    with torch.no_grad():
        if hasattr(model, "q_net"):
            return float(model.q_net(seen).max(dim=1).values.mean())
        if hasattr(model, "quantile_net"):
            return float(model.quantile_net(seen).mean(dim=1).max(dim=1).values.mean())
        value = model.critic(seen, model.policy._predict(seen, deterministic=True))
        return float(torch.cat(value, dim=1).mean() if isinstance(value, tuple) else value.mean())
