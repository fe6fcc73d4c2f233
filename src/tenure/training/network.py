"""The learner: an actor-critic of Stable-Baselines3 over a batch of worlds, and its network as a policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Proposal
from tenure.core.spaces import Box
from tenure.simulators.actions import is_masked
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.export import PolicyGraph, WithinBounds
from tenure.training.settings import PPOSettings
from tenure.training.vectors import UnitVectors

FIRST_LOG_STD = -1.0
"""Logarithm of the Gaussian's first width in each number, where half its range is 1: the learner begins by trying about
a third of that around its mean. Source: rl-baselines3-zoo's hyperparameters for continuous actions, -1 to -2."""

Learner = PPO | MaskablePPO


@dataclass(frozen=True)
class TorchPolicy:
    """The network being trained, as a policy; greedy."""

    network: PolicyGraph
    version: str = "in-training"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The allowed action of the highest logit, its share of the softmax over those as confidence; or the vector."""
        with torch.no_grad():
            logits = self.network(torch.as_tensor(observation)).numpy()
        if isinstance(self.network.head, WithinBounds):
            return Proposal(logits.astype(np.float64), np.ones(len(logits)))
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Proposal(logits.argmax(axis=1), np.asarray(1.0 / weight.sum(axis=1)))


def new_learner(worlds: SimulatorVecEnv, settings: PPOSettings, seed: int) -> Learner:
    """An untrained learner; it never tries a forbidden action where actions may be forbidden.

    Source: masks, Huang and Ontanon (2022), "A closer look at invalid action masking in policy gradient algorithms".
    """
    recipe = MaskablePPO if is_masked(worlds.problem, worlds.simulator) else PPO
    space = worlds.problem.action
    width = {"log_std_init": FIRST_LOG_STD} if isinstance(space, Box) else {}
    return recipe(
        "MlpPolicy",
        UnitVectors(worlds, space) if isinstance(space, Box) else worlds,
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.epochs,
        gamma=worlds.problem.discount,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        learning_rate=lambda left: settings.learning_rate * max(left, 0.01),
        policy_kwargs={"net_arch": list(settings.net), **width},
        seed=seed,
        device="cpu",
    )
