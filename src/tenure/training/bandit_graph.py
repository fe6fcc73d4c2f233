"""A bandit in the place of a network: scored, kept and exported as the others are, with chance in its answers."""

from __future__ import annotations

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
