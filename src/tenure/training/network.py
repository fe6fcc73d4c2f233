"""A network as a policy, while it is being trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from tenure.core.arrays import Bools, Floats
from tenure.core.history import History
from tenure.core.policy import Proposal
from tenure.training.export import answers_vectors


@dataclass(frozen=True)
class TorchPolicy:
    """The network being trained, as a policy; greedy."""

    network: nn.Module
    version: str = "in-training"
    history: History | None = None

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The allowed action of the highest logit, its share of the softmax over those as confidence; or the vector."""
        with torch.no_grad():
            logits = self.network(torch.as_tensor(observation)).numpy()
        if answers_vectors(self.network):
            return Proposal(logits.astype(np.float64), np.ones(len(logits)))
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Proposal(logits.argmax(axis=1), np.asarray(1.0 / weight.sum(axis=1)))
