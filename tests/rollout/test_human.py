"""Which proposals a person must approve: all that a rule states must hold, and what is unknown asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tenure.rollout import Humans
from tenure.rollout.human import proposed
from tenure.rollout.rules import HumanRule

from .breaking import NOON, TRADES
from .world import decision


@pytest.mark.parametrize(
    ("rule", "context", "label", "confidence", "asks"),
    [
        ({"feature": "size", "above": 100.0}, {"size": 100.0}, "buy", 1.0, False),
        ({"feature": "size", "above": 100.0}, {"size": 100.1}, "buy", 1.0, True),
        ({"feature": "size", "below": 5.0}, {"size": 5.0}, "buy", 1.0, False),
        ({"feature": "size", "below": 5.0}, {"size": 4.9}, "buy", 1.0, True),
        ({"feature": "size", "above": 1.0, "below": 5.0}, {"size": 6.0}, "buy", 1.0, False),
        ({"actions": ["sell"]}, {"size": 1.0}, "buy", 1.0, False),
        ({"actions": ["buy", "sell"]}, {"size": 1.0}, "sell", 1.0, True),
        ({"confidence_below": 0.5}, {"size": 1.0}, "buy", 0.5, False),
        ({"confidence_below": 0.5}, {"size": 1.0}, "buy", 0.49, True),
        ({"actions": ["sell"], "confidence_below": 0.5}, {"size": 1.0}, "sell", 0.9, False),
        ({"actions": ["sell"], "confidence_below": 0.5}, {"size": 1.0}, "sell", 0.1, True),
        ({"feature": "size", "above": 100.0}, {}, "buy", 1.0, True),
    ],
)
def test_all_that_a_rule_states_must_hold(
    rule: dict[str, Any], context: dict[str, float], label: str, confidence: float, asks: bool
) -> None:
    found = Humans([HumanRule(name="dear", **rule)], TRADES).asks(context, label, confidence)
    assert (found is not None) is asks


def test_the_first_rule_that_applies_is_named() -> None:
    rules = [HumanRule(name="sells", actions=["sell"]), HumanRule(name="unsure", confidence_below=0.9)]
    found = [Humans(rules, TRADES).asks({"size": 1.0}, label, 0.5) for label in ("sell", "buy")]
    assert [rule and rule.name for rule in found] == ["sells", "unsure"]
    assert Humans([], TRADES).asks({}, "sell", 0.0) is None


def test_what_is_queued_has_the_rules_deadline_and_the_decisions_epoch() -> None:
    rule = HumanRule(name="dear", actions=["sell"], deadline="90s")
    row = proposed(rule, decision("d1", decided_at=NOON, kill_epoch=3), "v1", 2, 0.75)
    assert (row.decision_id, row.version, row.action, row.confidence, row.rule) == ("d1", "v1", 2, 0.75, "dear")
    assert (row.kill_epoch, row.asked_at, row.until, row.status) == (3, NOON, NOON + timedelta(seconds=90), "open")
