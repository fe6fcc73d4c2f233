"""Who decided in the log: the policy at hand, and how much chance, that explain its actions best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories
from tenure.simulators.fidelity import limits

NEVER = 0.001
"""Share of random actions that is none."""
NEAR = 0.02
"""Part of a `Box`'s width within which two vectors are one action."""


@dataclass(frozen=True)
class Mixed:
    """A policy that leaves a share of its decisions to chance, each allowed action alike.

    Args:
        policy: which decides otherwise.
        share: of random decisions, in [0, 1].
        actions: size of the action space.
    """

    policy: Policy
    share: float
    actions: int

    @property
    def version(self) -> str:
        """The policy's, and the share."""
        return f"{self.policy.version} with {self.share:.0%} random"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """Decide; one draw decides whether and what."""
        rest = np.clip((draw - self.share) / max(1 - self.share, 1e-12), 0.0, 1 - 1e-12)
        own = self.policy.propose(observation, allowed, rest)
        legal = np.ones((len(observation), self.actions), dtype=bool) if allowed is None else allowed
        even = legal / legal.sum(axis=1, keepdims=True)
        drawn = (np.cumsum(even, axis=1) > (draw / max(self.share, 1e-12))[:, None]).argmax(axis=1)
        action = np.where(draw < self.share, drawn, own.action)
        mine = np.eye(self.actions)[own.action] if own.distribution is None else own.distribution
        return Proposal(action, own.confidence, self.share * even + (1 - self.share) * mine)


@dataclass(frozen=True)
class Behaviour:
    """Who decided in the log.

    Args:
        name: of the policy; empty where none of those at hand did.
        policy: the same with its share of chance.
        share: of random decisions, in [0, 1].
    """

    name: str
    policy: Policy | None
    share: float

    @property
    def told(self) -> str:
        """In words."""
        if self.policy is None:
            return "none of the policies at hand"
        if self.share <= NEVER:
            return self.name
        return f"{self.name}, {self.share:.0%} of its decisions random" if self.share < 1 else "chance alone"


def behaviour(problem: Problem, log: Trajectories, policies: Mapping[str, Policy]) -> Behaviour:
    """The policy, with an even share of random actions, that agrees most with the log.

    Args:
        problem: of the log.
        log: its decisions.
        policies: at hand, by name.
    """
    shares = {name: _random_share(problem, log, policy) for name, policy in policies.items()}
    name = min(shares, key=lambda each: shares[each])
    share = shares[name]
    if not isinstance(problem.action, Discrete):
        return Behaviour(name, policies[name], 0.0) if share < 1 - limits.KNOWN_POLICY else Behaviour("", None, 1.0)
    if share > limits.KNOWN_POLICY:
        if not _even(log, problem.action.size):
            return Behaviour("", None, share)
        share = 1.0
    policy = policies[name] if share <= NEVER else Mixed(policies[name], share, problem.action.size)
    return Behaviour(name, policy, share)


def proposals(problem: Problem, log: Trajectories, policy: Policy) -> Proposal:
    """What a policy proposes in the logged situations; gaps hold the features' defaults."""
    seen = observed(problem, log)
    return policy.propose(seen, problem.allowed(seen), np.full(len(log), 0.5))


def observed(problem: Problem, log: Trajectories) -> Floats:
    """The problem's observation of every row, float32 [n, features]; defaults (else 0) where a value is missing."""
    columns = []
    for feature in problem.observation:
        values = log.feature(feature.name)
        columns.append(np.where(np.isfinite(values), values, feature.default or 0.0))
    return np.column_stack(columns).astype(np.float32)


def _random_share(problem: Problem, log: Trajectories, policy: Policy) -> float:
    proposal = proposals(problem, log, policy)
    if not isinstance(problem.action, Discrete):
        width = np.asarray(problem.action.high) - np.asarray(problem.action.low)
        return float((np.abs(np.asarray(proposal.action) - log.action) > NEAR * width).any(axis=1).mean())
    agree = float(proposal.probability_of(np.asarray(log.action)).mean())
    return float(np.clip((1 - agree) / (1 - 1 / problem.action.size), 0.0, 1.0))


def _even(log: Trajectories, actions: int) -> bool:
    counts: Any = np.bincount(np.asarray(log.action), minlength=actions)
    return bool(np.abs(counts / counts.sum() - 1 / actions).sum() / 2 < 1 - limits.KNOWN_POLICY)
