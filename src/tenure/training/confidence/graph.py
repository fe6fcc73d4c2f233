"""A policy's graph with its confidence beside it, as it leaves with the bundle."""

from __future__ import annotations

import torch
from torch import nn


class ConfidentGraph(nn.Module):
    """Raw observations to the policy's answer, unchanged, and the confidence.

    Args:
        policy: from raw observations to logits, or to vectors for a `Box`.
        sure: from observations and answers side by side to confidence; [n], in [0, 1].
        within: decisions over which that is told.
    """

    def __init__(self, policy: nn.Module, sure: nn.Module, within: int) -> None:
        super().__init__()
        self.policy, self.sure, self.within = policy, sure, within

    def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The policy's answer and the confidence, [n]."""
        answer = self.policy(observation)
        return answer, self.sure(torch.cat([observation, answer], dim=1))
