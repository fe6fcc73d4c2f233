"""Who answers, with what, and with which probability: traffic split, proposals, exploration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.decision import Arm
from tenure.core.errors import TenureError
from tenure.core.policy import Policy, Proposal
from tenure.rollout.assignment import draw, gets_candidate
from tenure.serving.observation import Reader
from tenure.serving.propensity import propensity
from tenure.serving.wire import DecisionRequest
from tenure.store import Control

Loader = Callable[[str], Policy]
"""From a version to its policy; raises BundleError."""


@dataclass(frozen=True)
class Situation:
    """What a group of n requests is decided on.

    Args:
        control: stage, share and kill epoch, read for this group.
        now: moment of the decision.
        observation: float32 [n, features].
        allowed: allowed actions, [n, actions]; None when all are.
        choices: how many are; [n].
    """

    control: Control
    now: datetime
    observation: Floats
    allowed: Bools | None
    choices: Ints

    @property
    def seen(self) -> tuple[Floats, Bools | None]:
        """What a policy may see."""
        return self.observation, self.allowed


@dataclass(frozen=True)
class Choice:
    """What is done in each of n situations, who decided so and why; probability over split and exploration."""

    action: Ints
    arm: list[Arm]
    version: list[str]
    confidence: Floats
    explored: Bools
    propensity: Floats
    reason: list[str]


class Chooser:
    """Chooses for one problem; a candidate that cannot be trusted leaves the choice to the incumbent."""

    def __init__(self, reader: Reader, incumbent: Policy, load: Loader, salt: str, exploration: float) -> None:
        self.reader, self.incumbent, self.salt, self.exploration = reader, incumbent, salt, exploration
        self.failures: Counter[str] = Counter()
        self._load = load
        self._loaded: dict[str, Policy] = {}

    def choose(self, requests: Sequence[DecisionRequest], situation: Situation) -> Choice:
        """Split the traffic, let the policies propose, explore, and work out the probability of the result."""
        control = situation.control
        share = 0.0 if control.killed or control.version is None else control.share
        candidate, failure = self.candidate_proposal(requests, situation) if share > 0 else (None, "")
        if candidate is None:
            return self._by_incumbent(requests, situation, failure or _why_incumbent(control))
        incumbent = candidate if share >= 1 else self.incumbent_proposal(requests, *situation.seen)
        chosen = np.array([gets_candidate(self.salt, request.unit_id, share) for request in requests])
        best = np.where(chosen, candidate.action, incumbent.action)
        action = self._explore(requests, situation, chosen, best)
        learned = chosen.tolist()
        return Choice(
            action=action,
            arm=[Arm.CANDIDATE if c else Arm.INCUMBENT for c in learned],
            version=[str(control.version) if c else self.incumbent.version for c in learned],
            confidence=np.where(chosen, candidate.confidence, incumbent.confidence),
            explored=np.asarray(action != best),
            propensity=propensity(action, incumbent, candidate, share, self.exploration, situation.choices),
            reason=["candidate" if c else "control" for c in learned],
        )

    def incumbent_proposal(
        self, requests: Sequence[DecisionRequest], observation: Floats, allowed: Bools | None
    ) -> Proposal:
        """The rule's proposal, or the action the caller was about to take."""
        proposal = self.incumbent.propose(observation, allowed, np.zeros(len(requests)))
        action = proposal.action
        named = [(index, r.incumbent_action) for index, r in enumerate(requests) if r.incumbent_action is not None]
        for index, label in named:
            action[index] = self.reader.action(label)
        return Proposal(_nearest_allowed(action, allowed), proposal.confidence)

    def candidate_proposal(
        self, requests: Sequence[DecisionRequest], situation: Situation
    ) -> tuple[Proposal | None, str]:
        """The candidate's proposal, or None with one word why the incumbent must answer."""
        try:
            policy = self._policy(str(situation.control.version))
        except TenureError:
            return self._failed("bundle_error")
        draws = np.array([draw(self.salt, "policy", _key(request)) for request in requests])
        try:
            proposal = policy.propose(situation.observation, situation.allowed, draws)
        except Exception:  # whatever a policy raises, the incumbent answers
            return self._failed("policy_error")
        if not _legal(proposal, situation.allowed, len(self.reader.labels), len(requests)):
            return self._failed("illegal_action")
        return proposal, ""

    def _by_incumbent(self, requests: Sequence[DecisionRequest], situation: Situation, reason: str) -> Choice:
        proposal, n = self.incumbent_proposal(requests, *situation.seen), len(requests)
        arm = Arm.FALLBACK if reason in self.failures else Arm.INCUMBENT
        return Choice(
            action=proposal.action,
            arm=[arm] * n,
            version=[self.incumbent.version] * n,
            confidence=proposal.confidence,
            explored=np.zeros(n, dtype=bool),
            propensity=np.ones(n),
            reason=[reason] * n,
        )

    def _failed(self, word: str) -> tuple[None, str]:
        self.failures[word] += 1
        return None, word

    def _policy(self, version: str) -> Policy:
        if version not in self._loaded:
            self._loaded[version] = self._load(version)
        return self._loaded[version]

    def _explore(self, requests: Sequence[DecisionRequest], situation: Situation, chosen: Bools, best: Ints) -> Ints:
        """Replace a small share of the candidate's actions by a uniform draw from the allowed ones."""
        action = best.copy()
        for index in np.flatnonzero(chosen).tolist():
            key = _key(requests[index])
            if draw(self.salt, "explore", key) < self.exploration:
                legal = np.arange(len(self.reader.labels))
                legal = legal if situation.allowed is None else legal[situation.allowed[index]]
                action[index] = legal[int(draw(self.salt, "which", key) * len(legal))]
        return action


def _why_incumbent(control: Control) -> str:
    return "killed" if control.killed else control.stage


def _key(request: DecisionRequest) -> str:
    return str(request.decision_id)


def _legal(proposal: Proposal, allowed: Bools | None, actions: int, n: int) -> bool:
    action = proposal.action
    if len(action) != n or not np.isfinite(proposal.confidence).all():
        return False
    if not ((action >= 0) & (action < actions)).all():
        return False
    return allowed is None or bool(allowed[np.arange(n), action].all())


def _nearest_allowed(action: Ints, allowed: Bools | None) -> Ints:
    """The allowed action whose index is nearest; the lower one of two."""
    if allowed is None:
        return action
    distance = np.abs(np.arange(allowed.shape[1]) - action[:, None]).astype(float)
    return np.asarray(np.where(allowed, distance, np.inf).argmin(axis=1))
