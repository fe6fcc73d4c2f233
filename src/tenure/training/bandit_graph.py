"""A bandit in the place of a network: scored, kept and exported as the others are, with chance in its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from tenure.training.bandit_export import LEAST
from tenure.training.bandits import Bandit


class BanditGraph(nn.Module):
    """Raw observations to the logarithm of the probability of each action, all of them allowed.

    Who decides asks `bandit` itself, which knows what is allowed and draws.
    """

    def __init__(self, bandit: Bandit) -> None:
        super().__init__()
        self.bandit = bandit

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Logarithms of probabilities; [n, features] gives [n, actions]."""
        return torch.as_tensor(np.log(np.maximum(self.bandit.distribution(observation.numpy()), LEAST)))


class BanditPart:
    """A bandit as a part of a checkpoint: all it has learned is its model's sums."""

    def __init__(self, bandit: Bandit) -> None:
        self.bandit = bandit

    def state_dict(self) -> dict[str, Any]:
        """The model's sums."""
        return dict(vars(self.bandit.model))

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Be as it was then."""
        vars(self.bandit.model).update(state)
        self.bandit.forget()
