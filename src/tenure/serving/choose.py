"""Who answers, with what, and with which probability: traffic split, proposals, exploration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.decision import Arm
from tenure.core.errors import IncumbentError
from tenure.core.policy import ROUNDING, Policy, Proposal
from tenure.rollout.assignment import draw, gets_candidate
from tenure.serving.observation import Reader
from tenure.serving.propensity import propensity
from tenure.serving.wire import DecisionRequest
from tenure.store import Control

Loader = Callable[[str], Policy]
"""From a version to its policy; raises BundleError."""


@dataclass(frozen=True)
class Asked:
    """A group of n requests that can be answered.

    Args:
        requests: each with its id.
        observation: float32 [n, features].
        allowed: allowed actions, at least one per row, [n, actions]; None when all are.
    """

    requests: Sequence[DecisionRequest]
    observation: Floats
    allowed: Bools | None

    def only(self, rows: Sequence[int]) -> Asked:
        """Some of them."""
        allowed = None if self.allowed is None else self.allowed[rows]
        return Asked([self.requests[row] for row in rows], self.observation[rows], allowed)


class Situation(NamedTuple):
    """What a group is decided on: the requests, where the rollout stands, and the moment."""

    asked: Asked
    control: Control
    now: datetime


class Offer(NamedTuple):
    """A proposal that was checked, as plain lists over the n requests."""

    action: list[int]
    confidence: list[float]
    distribution: Floats | None = None

    def probability(self, row: int, action: int) -> float:
        """Probability of an action in one row."""
        if self.distribution is None:
            return float(self.action[row] == action)
        return float(self.distribution[row, action])


class Choice(NamedTuple):
    """What is done in one situation, who decided so and why; probability over split and exploration."""

    action: int
    arm: Arm
    version: str
    confidence: float
    explored: bool
    propensity: float
    reason: str


class Chooser:
    """Chooses for one problem; a candidate that cannot be trusted leaves the choice to the incumbent.

    One request the candidate fails on makes it fail for its whole group, which is at most one group commit. A bundle
    that cannot be loaded is tried again with the next group, so that one repaired on disk is picked up.
    """

    def __init__(self, reader: Reader, incumbent: Policy, load: Loader, salt: str, exploration: float) -> None:
        self.reader, self.incumbent, self.salt, self.exploration = reader, incumbent, salt, exploration
        self.failures: Counter[str] = Counter()
        self._load = load
        self._loaded: dict[str, Policy] = {}

    def choose(self, situation: Situation) -> list[Choice]:
        """Split the traffic, let the policies propose, explore, and work out the probability of the result.

        Raises:
            IncumbentError: the incumbent's rule was needed, and cannot decide.
        """
        asked, control, _ = situation
        share = 0.0 if control.killed or control.version is None else control.share
        if share <= 0:
            return self._by_incumbent(asked, "killed" if control.killed else control.stage)
        candidate, failure = self.candidate_offer(situation)
        if candidate is None:
            return self._by_fallback(asked, share, failure)
        incumbent = candidate if share >= 1 else self.incumbent_offer(asked)
        version, rows = str(control.version), range(len(asked.requests))
        return [self._split(asked, row, share, candidate, incumbent, version) for row in rows]

    def incumbent_offer(self, asked: Asked) -> Offer:
        """The action each caller was about to take, else the rule's; an illegal one moves to the nearest allowed.

        Raises:
            IncumbentError: the rule raises, or proposes what no action is.
        """
        named = [request.incumbent_action for request in asked.requests]
        if None in named:
            offer = self._rule(asked)
            actions, sure = offer.action, offer.confidence
        else:
            actions, sure = [0] * len(named), [1.0] * len(named)
        for row, label in enumerate(named):
            if label is not None:
                actions[row], sure[row] = self.reader.action(label), 1.0
        return Offer(_nearest_allowed(actions, asked.allowed), sure)

    def candidate_offer(self, situation: Situation) -> tuple[Offer | None, str]:
        """The candidate's proposal, or None with one word why it cannot be used."""
        asked = situation.asked
        try:
            policy = self._policy(str(situation.control.version))
        except Exception:  # whatever a loader raises, the incumbent answers
            return self._failed("bundle_error")
        draws = np.array([draw(self.salt, "policy", str(request.decision_id)) for request in asked.requests])
        try:
            proposal = policy.propose(asked.observation, asked.allowed, draws)
            offer = _checked(proposal, len(asked.requests), len(self.reader.labels), asked.allowed)
        except Exception:  # whatever a policy raises, the incumbent answers
            return self._failed("policy_error")
        return (offer, "") if offer is not None else self._failed("illegal_action")

    def _rule(self, asked: Asked) -> Offer:
        n, actions = len(asked.requests), len(self.reader.labels)
        try:
            offer = _checked(self.incumbent.propose(asked.observation, asked.allowed, np.zeros(n)), n, actions, None)
        except Exception as error:  # a rule is somebody else's code
            raise self._no_rule(f"{type(error).__name__}: {error}") from error
        if offer is None:
            raise self._no_rule("another number of actions, one out of range, or a confidence outside [0, 1]")
        return offer

    def _no_rule(self, found: str) -> IncumbentError:
        return IncumbentError(
            expected=f"a legal action for every observation from the incumbent {self.incumbent.version!r}",
            found=found,
            where="problem.py, incumbent",
            fix="mend its propose, and try it with check_policy; send incumbent_action meanwhile",
        )

    def _split(self, asked: Asked, row: int, share: float, candidate: Offer, incumbent: Offer, version: str) -> Choice:
        """One row of the traffic split."""
        request = asked.requests[row]
        learned = share >= 1 or gets_candidate(self.salt, request.unit_id, share)
        offer = candidate if learned else incumbent
        best = offer.action[row]
        action = self._explored(asked, row, best) if learned else best
        choices = len(self.reader.labels) if asked.allowed is None else int(asked.allowed[row].sum())
        return Choice(
            action,
            Arm.CANDIDATE if learned else Arm.INCUMBENT,
            version if learned else self.incumbent.version,
            offer.confidence[row],
            action != best,
            propensity(
                candidate.probability(row, action),
                incumbent.probability(row, action),
                share,
                self.exploration,
                choices,
            ),
            "candidate" if learned else "control",
        )

    def _explored(self, asked: Asked, row: int, best: int) -> int:
        """For a small share of the candidate's decisions, a uniform draw from the allowed actions instead."""
        key = str(asked.requests[row].decision_id)
        if not draw(self.salt, "explore", key) < self.exploration:
            return best
        legal = range(len(self.reader.labels)) if asked.allowed is None else np.flatnonzero(asked.allowed[row])
        return int(legal[int(draw(self.salt, "which", key) * len(legal))])

    def _by_incumbent(self, asked: Asked, reason: str) -> list[Choice]:
        offer, version = self.incumbent_offer(asked), self.incumbent.version
        rows = zip(offer.action, offer.confidence, strict=True)
        return [Choice(action, Arm.INCUMBENT, version, sure, False, 1.0, reason) for action, sure in rows]

    def _by_fallback(self, asked: Asked, share: float, failure: str) -> list[Choice]:
        """The incumbent for all; a fallback only where the candidate would have answered."""
        return [
            choice._replace(arm=Arm.FALLBACK, reason=failure)
            if gets_candidate(self.salt, request.unit_id, share)
            else choice
            for request, choice in zip(asked.requests, self._by_incumbent(asked, "control"), strict=True)
        ]

    def _failed(self, word: str) -> tuple[None, str]:
        self.failures[word] += 1
        return None, word

    def _policy(self, version: str) -> Policy:
        if version not in self._loaded:
            self._loaded[version] = self._load(version)
        return self._loaded[version]


def _checked(proposal: Proposal, n: int, actions: int, allowed: Bools | None) -> Offer | None:
    """A proposal as lists, if each of n rows has a legal action, its sureness and a possible distribution."""
    if proposal.action.dtype.kind not in "iu":
        return None
    offer = Offer(proposal.action.tolist(), proposal.confidence.tolist(), proposal.distribution)
    if not len(offer.action) == len(offer.confidence) == n:
        return None
    if not all(0 <= action < actions for action in offer.action):
        return None
    if not all(0.0 <= sure <= 1.0 for sure in offer.confidence):
        return None
    if allowed is not None and not allowed[np.arange(n), proposal.action].all():
        return None
    return offer if offer.distribution is None or _possible(offer, (n, actions), allowed) else None


def _possible(offer: Offer, shape: tuple[int, int], allowed: Bools | None) -> bool:
    """Whether a distribution is one, gives nothing to what is not allowed, and something to what it proposes."""
    distribution = np.asarray(offer.distribution)
    if distribution.shape != shape or not ((distribution >= 0) & (distribution <= 1)).all():
        return False
    if (np.abs(distribution.sum(axis=1) - 1) > ROUNDING).any():
        return False
    if allowed is not None and distribution[~allowed].any():
        return False
    return all(offer.probability(row, action) > 0 for row, action in enumerate(offer.action))


def _nearest_allowed(action: list[int], allowed: Bools | None) -> list[int]:
    """For each row the allowed action whose index is nearest; the lower one of two."""
    if allowed is None:
        return action
    distance = np.abs(np.arange(allowed.shape[1]) - np.array(action)[:, None]).astype(float)
    nearest: list[int] = np.where(allowed, distance, np.inf).argmin(axis=1).tolist()
    return nearest
