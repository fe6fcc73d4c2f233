"""Who answers, with what, and with which probability: traffic split, proposals, exploration, the rules for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.decision import Arm
from tenure.core.errors import BundleError, IncumbentError
from tenure.core.policy import Policy
from tenure.core.spaces import Box
from tenure.rollout.assignment import draw
from tenure.rollout.rules import HumanRule
from tenure.serving.asking import Asked, Exploring, Humans, Situation
from tenure.serving.choice import Choice, Held
from tenure.serving.deadline import Deadline, LateError, OvertakenError
from tenure.serving.observation import Reader
from tenure.serving.offers import Offer, checked, moved, restricted
from tenure.serving.propensity import held_propensity, learned, propensity
from tenure.serving.vectors import split_vector
from tenure.serving.wire import Named

Loader = Callable[[str], Policy]
"""From a version to its policy; raises BundleError."""


class Chooser:
    """Chooses for one problem; a candidate that cannot be trusted leaves the choice to the incumbent.

    One request the candidate fails on makes it fail for its whole group, which is at most one group commit. A bundle
    that cannot be loaded is tried again with the next group, so that one repaired on disk is picked up.

    Args:
        reader: of the problem's requests.
        incumbent: the rule that decides today.
        load: from a version to its policy.
        salt: of all draws.
        exploring: how much is explored.
        humans: which proposals a person must approve; None when none.
        deadline: the candidate's time to propose.
    """

    def __init__(
        self,
        reader: Reader,
        incumbent: Policy,
        load: Loader,
        salt: str,
        exploring: Exploring,
        humans: Humans | None,
        deadline: Deadline,
    ) -> None:
        self.reader, self.incumbent, self.salt = reader, incumbent, salt
        self.exploring, self.humans, self.deadline = exploring, humans, deadline
        self.failures: Counter[str] = Counter()
        self._vectors = reader.space if isinstance(reader.space, Box) else None
        self._load = load
        self._loaded: dict[str, Policy] = {}
        self._arm_draw = lru_cache(maxsize=65_536)(lambda unit_id: draw(salt, "arm", unit_id))

    def choose(self, situation: Situation) -> list[Choice]:
        """Split the traffic, let the policies propose, explore, ask a person, and work out the probability of it all.

        Raises:
            IncumbentError: the incumbent's rule was needed, and cannot decide.
        """
        asked, control, _, doubt = situation
        share = control.live_share
        if share <= 0:
            return self._by_incumbent(asked, _why_none(situation))
        if doubt:
            return self._by_fallback(asked, share, doubt)
        candidate, failure = self.candidate_offer(situation)
        if candidate is None:
            return self._by_fallback(asked, share, failure)
        incumbent = candidate if share >= 1 and self.humans is None else self.incumbent_offer(asked)
        return self._in_turn(situation, share, candidate, incumbent)

    def without_log(self, asked: Asked) -> list[Choice]:
        """What is done while the log cannot be written: the incumbent's action, whoever's turn it is.

        Raises:
            IncumbentError: the incumbent's rule cannot decide.
        """
        return [choice._replace(arm=Arm.FALLBACK) for choice in self._by_incumbent(asked, "log_unavailable")]

    def incumbent_offer(self, asked: Asked) -> Offer:
        """The action each caller was about to take, else the rule's; an illegal one moves to the nearest allowed.

        Raises:
            IncumbentError: the rule raises, or proposes what no action is.
        """
        named = [request.incumbent_action for request in asked.requests]
        if named.count(None) == len(named):
            return moved(self._rule(asked), asked.allowed)
        offer = self._rule(asked) if None in named else Offer([0] * len(named), [1.0] * len(named))
        return moved(self._as_named(offer, named), asked.allowed)

    def candidate_offer(self, situation: Situation) -> tuple[Offer | None, str]:
        """The candidate's proposal, or None with one word why it cannot be used.

        Raises:
            OvertakenError: it took too long, and another thread answers the group.
        """
        asked, control, _, _ = situation
        try:
            policy = self.policy(str(control.version))
        except Exception:  # whatever a loader raises, the incumbent answers
            return self._failed("bundle_error")
        draws = self._draws("policy", asked) if getattr(policy, "draws", True) else np.zeros(len(asked.requests))
        try:
            proposal = self.deadline.ask(lambda: policy.propose(asked.observation, asked.allowed, draws))
            offer = checked(proposal, len(asked.requests), self.reader.space)
        except OvertakenError:
            raise
        except LateError:
            return self._failed("deadline")
        except BundleError:  # a bundle in a process of its own, which is not there
            return self._failed("bundle_error")
        except Exception:  # whatever a policy raises, the incumbent answers
            return self._failed("policy_error")
        offer = None if offer is None else restricted(offer, asked.allowed, draws)
        return (offer, "") if offer is not None else self._failed("illegal_action")

    def policy(self, version: str) -> Policy:
        """The policy of a version, loaded once.

        Raises:
            BundleError: it cannot be loaded, or was trained for another version of the problem; what else a loader
                raises goes through.
        """
        if version not in self._loaded:
            policy = self._load(version)
            self._check_trained_for(policy)
            self._loaded[version] = policy
        return self._loaded[version]

    def _check_trained_for(self, policy: Policy) -> None:
        ours, trained_for = self.reader.problem.version, getattr(policy, "problem_version", None)
        if trained_for not in (None, ours):
            raise BundleError(
                expected=f"a bundle trained for version {ours} of problem {self.reader.problem.name!r}",
                found=f"one for version {trained_for}",
                where=f"the bundle {policy.version}",
                fix="train again, or take problem.py back to what it was; the incumbent answers meanwhile",
            )

    def _rule(self, asked: Asked) -> Offer:
        draws = self._draws("incumbent", asked)
        try:
            proposal = self.incumbent.propose(asked.observation, asked.allowed, draws)
            offer = checked(proposal, len(asked.requests), self.reader.space)
        except Exception as error:  # a rule is somebody else's code
            raise self._no_rule(f"{type(error).__name__}: {error}") from error
        if offer is None:
            raise self._no_rule("another number of actions, one out of range, or a confidence outside [0, 1]")
        return offer

    def _as_named(self, offer: Offer, named: Sequence[Named | None]) -> Offer:
        """The offer with the callers' own actions, which are certain."""
        actions, sure = list(offer.action), list(offer.confidence)
        distribution = None if offer.distribution is None else np.array(offer.distribution)
        for row, label in enumerate(named):
            if label is not None:
                actions[row], sure[row] = self.reader.action(label), 1.0
                if distribution is not None:
                    distribution[row] = np.arange(distribution.shape[1]) == actions[row]
        return Offer(actions, sure, distribution)

    def _draws(self, purpose: str, asked: Asked) -> Floats:
        return np.array([draw(self.salt, purpose, str(request.decision_id)) for request in asked.requests])

    def _no_rule(self, found: str) -> IncumbentError:
        return IncumbentError(
            expected=f"a legal action for every observation from the incumbent {self.incumbent.version!r}",
            found=found,
            where="problem.py, incumbent",
            fix="mend its propose, and try it with check_policy; send incumbent_action meanwhile",
        )

    def _in_turn(self, situation: Situation, share: float, candidate: Offer, incumbent: Offer) -> list[Choice]:
        """Row by row: what the rows before have explored counts against the budget of the next."""
        explored: Counter[str] = Counter()
        choices = []
        for row, request in enumerate(situation.asked.requests):
            segment = self.exploring.segment(request.context)
            epsilon = self.exploring.epsilon(segment, situation.now, situation.control, explored)
            choices.append(self._split(situation, row, share, candidate, incumbent, epsilon))
            explored[segment] += choices[-1].explored
        return choices

    def _split(
        self, situation: Situation, row: int, share: float, candidate: Offer, incumbent: Offer, epsilon: float
    ) -> Choice:
        """One row of the traffic split."""
        asked, control, _, _ = situation
        request, version = asked.requests[row], str(control.version)
        live = share >= 1 or self._arm_draw(request.unit_id) < share
        offer = candidate if live else incumbent
        best = offer.action[row]
        if self._vectors is not None:
            key, pair = str(request.decision_id), (candidate.action[row], incumbent.action[row])
            done = split_vector(self._vectors, *pair, share, epsilon, self.exploring.scale, live, self.salt, key)
            who = (Arm.CANDIDATE, version) if live else (Arm.INCUMBENT, self.incumbent.version)
            reason = "candidate" if live else "control"
            sure = offer.confidence[row]
            return Choice(done.action, *who, sure, done.explored, done.propensity, reason, density=done.density)
        action = self._explored(asked, row, best, epsilon) if live and epsilon > 0 else best
        if self.humans is not None:
            return self._with_people(situation, row, share, candidate, incumbent, epsilon, (live, action))
        choices = len(self.reader.labels) if asked.allowed is None else int(asked.allowed[row].sum())
        chances = candidate.probability(row, action), incumbent.probability(row, action)
        probability = propensity(*chances, share, epsilon, choices)
        if not live:
            return Choice(
                action, Arm.INCUMBENT, self.incumbent.version, offer.confidence[row], False, probability, "control"
            )
        explored = action != best
        return Choice(action, Arm.CANDIDATE, version, offer.confidence[row], explored, probability, "candidate")

    def _with_people(
        self,
        situation: Situation,
        row: int,
        share: float,
        candidate: Offer,
        incumbent: Offer,
        epsilon: float,
        proposed: tuple[bool, int],
    ) -> Choice:
        """One row where rules may ask a person: then the incumbent acts, and the proposal waits."""
        (live, action), (asked, control, _, _) = proposed, situation
        legal = self._legal(asked, row)
        sure, version = candidate.confidence[row], str(control.version)
        rules = {other: self._asks(asked, row, other, sure) for other in legal}
        held = [other for other in legal if rules[other] is not None]
        rule = rules[action] if live else None
        done = incumbent.action[row] if rule is not None or not live else action
        probability = held_propensity(
            done,
            legal,
            held,
            lambda other: learned(candidate.probability(row, other), epsilon, len(legal)),
            incumbent.probability(row, done),
            share,
        )
        if live and rule is None:
            explored = action != candidate.action[row]
            return Choice(action, Arm.CANDIDATE, version, sure, explored, probability, "candidate")
        own = done, Arm.INCUMBENT, self.incumbent.version, incumbent.confidence[row], False, probability
        if rule is None:
            return Choice(*own, "control")
        return Choice(*own, "pending", Held(rule, action, sure, version))

    def _asks(self, asked: Asked, row: int, action: int, sure: float) -> HumanRule | None:
        assert self.humans is not None
        return self.humans.asks(asked.requests[row].context, self.reader.labels[action], sure)

    def _legal(self, asked: Asked, row: int) -> Sequence[int]:
        if asked.allowed is None:
            return range(len(self.reader.labels))
        legal: list[int] = np.flatnonzero(asked.allowed[row]).tolist()
        return legal

    def _explored(self, asked: Asked, row: int, best: int, epsilon: float) -> int:
        """For a small share of the candidate's decisions, a uniform draw from the allowed actions instead."""
        key = str(asked.requests[row].decision_id)
        if not draw(self.salt, "explore", key) < epsilon:
            return best
        legal = self._legal(asked, row)
        return legal[int(draw(self.salt, "which", key) * len(legal))]

    def _by_incumbent(self, asked: Asked, reason: str) -> list[Choice]:
        offer, version = self.incumbent_offer(asked), self.incumbent.version
        return [
            Choice(action, Arm.INCUMBENT, version, sure, False, offer.probability(row, action), reason)
            for row, (action, sure) in enumerate(zip(offer.action, offer.confidence, strict=True))
        ]

    def _by_fallback(self, asked: Asked, share: float, failure: str) -> list[Choice]:
        """The incumbent for all; a fallback only where the candidate would have answered."""
        return [
            choice._replace(arm=Arm.FALLBACK, reason=failure) if self._arm_draw(request.unit_id) < share else choice
            for request, choice in zip(asked.requests, self._by_incumbent(asked, "control"), strict=True)
        ]

    def _failed(self, word: str) -> tuple[None, str]:
        self.failures[word] += 1
        return None, word


def _why_none(situation: Situation) -> str:
    """One word for why the candidate has no share."""
    control = situation.control
    if control.killed:
        return "killed"
    if control.version is not None and control.share > 0:
        return "breaker"
    return control.stage
