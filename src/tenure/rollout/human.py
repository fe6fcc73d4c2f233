"""Decisions a person must approve: which proposals are queued, and under which rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tenure.core.clock import to_text
from tenure.core.decision import Decision
from tenure.core.problem import Problem
from tenure.rollout.rules import HumanRule
from tenure.store.pending import PendingDecision
from tenure.store.records import Event

WAITS = "pending_waits"
"""Kind of the event that says proposals have begun to wait for a person; an alert is made of it."""


class Humans:
    """The rules of one problem, in the order of tenure.toml.

    Args:
        rules: `[[human]]`.
        problem: what is decided.
    """

    def __init__(self, rules: Sequence[HumanRule], problem: Problem) -> None:
        self.rules = tuple(rules)
        self._defaults = {feature.name: feature.default for feature in problem.observation}

    def asks(self, context: Mapping[str, float], action_label: str, confidence: float) -> HumanRule | None:
        """The first rule that asks for a person; None when the proposal may be taken at once.

        Args:
            context: the request's features; one left out counts with its default.
            action_label: the proposed action.
            confidence: how sure the policy is, in [0, 1].
        """
        for rule in self.rules:
            value = None if rule.feature is None else context.get(rule.feature, self._defaults.get(rule.feature))
            if _applies(rule, value, action_label, confidence):
                return rule
        return None


def _applies(rule: HumanRule, value: float | None, action_label: str, confidence: float) -> bool:
    """Whether all that a rule states holds; strict inequalities as written."""
    if rule.feature is not None and value is None:
        return True  # what decides whether a person is needed is not known, so one is
    if rule.above is not None and not (value is not None and value > rule.above):
        return False
    if rule.below is not None and not (value is not None and value < rule.below):
        return False
    if rule.actions and action_label not in rule.actions:
        return False
    return rule.confidence_below is None or confidence < rule.confidence_below


def proposed(rule: HumanRule, decision: Decision, version: str, action: int, confidence: float) -> PendingDecision:
    """What is queued beside a decision the incumbent answered for now.

    Args:
        rule: the one that asks.
        decision: the incumbent's, as written.
        version: of the candidate.
        action: what it proposes.
        confidence: how sure it is.
    """
    return PendingDecision(
        problem=decision.problem,
        decision_id=decision.decision_id,
        version=version,
        action=action,
        confidence=confidence,
        kill_epoch=decision.kill_epoch,
        rule=rule.name,
        asked_at=decision.decided_at,
        until=decision.decided_at + rule.span,
    )


class Waiting(NamedTuple):
    """What people are told of proposals that wait: a sentence, and how many by rule."""

    reason: str
    payload: Mapping[str, Mapping[str, int]]


def waiting(rows: Sequence[PendingDecision], events: Sequence[Event]) -> Waiting | None:
    """What people must be told of proposals that wait; None where nothing is new.

    All of one rule are one group. It is told of again only when none is left of what waited when it was last told of,
    so that a flood of decisions is one alert.

    Args:
        rows: that wait now, the most urgent first.
        events: of the problem, in order.
    """
    last = {rule: event.at for event in events if event.kind == WAITS for rule in event.payload["waiting"]}
    known = {row.rule for row in rows if row.rule in last and row.asked_at <= last[row.rule]}
    new = [row for row in rows if row.rule not in known]
    if not new:
        return None
    count = {rule: sum(row.rule == rule for row in new) for rule in dict.fromkeys(row.rule for row in new)}
    named = ", ".join(f"{number} by rule {rule}" for rule, number in count.items())
    return Waiting(f"{named}; the first, {new[0].decision_id}, until {to_text(new[0].until)}", {"waiting": count})
