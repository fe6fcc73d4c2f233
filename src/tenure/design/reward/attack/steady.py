"""Behaviour without a thought: at random, one action for ever, and today's rule with a shaking hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Policy, Proposal
from tenure.design.reward.attack.hunt import Candidate, Hunt
from tenure.design.reward.conduct import Always

SHAKING = (0.1, 0.3)
"""Shares of random actions mixed into the incumbent's: a reward that does not notice does not price what they cost."""


@dataclass(frozen=True)
class Anything:
    """Each allowed action equally likely, by the draw given."""

    actions: int
    version: str = "random"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """A random action in every row."""
        legal = np.ones((len(observation), self.actions), dtype=bool) if allowed is None else allowed
        chosen = (draw * legal.sum(axis=1)).astype(np.int64)
        action: Ints = (legal.cumsum(axis=1) > chosen[:, None]).argmax(axis=1)
        return Proposal(action, 1.0 / legal.sum(axis=1), legal / legal.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Shaking:
    """Another policy, with a share of its actions replaced by random ones."""

    policy: Policy
    share: float
    anything: Anything
    version: str = "shaking"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """The policy's action, or a random one where the draw falls below the share."""
        slips = draw < self.share
        inner = np.where(slips, draw / self.share, (draw - self.share) / (1 - self.share))
        kept = self.policy.propose(observation, allowed, inner)
        random = self.anything.propose(observation, allowed, inner)
        return Proposal(np.where(slips, random.action, kept.action), kept.confidence)


def at_random(hunt: Hunt) -> Iterable[Candidate]:
    """Random allowed actions, and the incumbent with some of its actions replaced by such."""
    anything, incumbent = Anything(hunt.actions.size), hunt.project.incumbent
    yield hunt.candidate("random actions", anything)
    for share in SHAKING:
        yield hunt.candidate(f"incumbent, {share:.0%} at random", Shaking(incumbent, share, anything))


def one_action(hunt: Hunt) -> Iterable[Candidate]:
    """Every action for ever; where it is not allowed, the allowed one nearest to it."""
    for action, label in enumerate(hunt.actions.labels):
        yield hunt.candidate(f"always {label}", Always(action, f"always-{label}"))
