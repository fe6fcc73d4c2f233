"""What updates of networks say of themselves, whoever makes them: losses and the length of gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from tenure.training.metrics.gradients import GradientMeter

LOGGED: Mapping[str, tuple[str, ...]] = {
    "value_loss": ("value_loss", "critic_loss", "loss_qvalue"),
    "loss": ("loss", "actor_loss", "policy_loss", "loss_actor", "loss_actor_bc"),
    "explained_variance": ("explained_variance",),
    "kl": ("approx_kl",),
    "clip_share": ("clip_fraction",),
    "learning_rate": ("learning_rate",),
}
"""Where Stable-Baselines3 and torchrl's losses log each metric, below `train/`; the first that is there counts."""


class UpdateMeter:
    """Means over the updates since the last checkpoint; `take` gives the metrics and begins anew.

    Args:
        optimisers: whose gradients are measured.

    >>> meter = UpdateMeter([])
    >>> meter.update({"train/approx_kl": 0.01, "train/entropy_loss": -2.0})
    >>> meter.update({"train/approx_kl": 0.03})
    >>> meter.take()
    {'kl': 0.02, 'policy_entropy': 2.0}
    """

    def __init__(self, optimisers: Sequence[torch.optim.Optimizer]) -> None:
        self._gradients = [GradientMeter(each) for each in optimisers]
        self._found: dict[str, list[float]] = {}

    def update(self, told: Mapping[str, Any]) -> None:
        """Note what an update logged."""
        for name, places in LOGGED.items():
            found = [told[f"train/{place}"] for place in places if f"train/{place}" in told]
            if found:
                self.note(name, float(found[0]))
        if "train/entropy_loss" in told:
            self.note("policy_entropy", -float(told["train/entropy_loss"]))

    def note(self, name: str, value: float) -> None:
        """One more value of a metric."""
        self._found.setdefault(name, []).append(value)

    def take(self) -> dict[str, float]:
        """The metrics since the last time; what was not logged is absent."""
        found, self._found = self._found, {}
        norms = [norm for meter in self._gradients for norm in meter.take()]
        means = {name: float(np.mean(values)) for name, values in found.items()}
        return means | {"gradient_norm": float(np.mean(norms))} if norms else means

    def state_dict(self) -> dict[str, Any]:
        """What goes on over checkpoints; call it after `take`."""
        return {"gradient_steps": [meter.steps for meter in self._gradients]}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint."""
        self._found = {}
        for meter, steps in zip(self._gradients, state["gradient_steps"], strict=True):
            meter.steps = steps
