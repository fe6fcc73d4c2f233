"""What calls for a retraining, what holds it, and that the reason says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenure.retraining import Facts, Rule, trigger

NOW = datetime(2026, 3, 9, tzinfo=UTC)
FACTS = Facts(NOW, NOW - timedelta(days=2), 6_000)
RULE = Rule(volume=10_000)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (FACTS, None),
        (replace(FACTS, trained_at=None), "schedule"),
        (replace(FACTS, trained_at=NOW - timedelta(days=7)), "schedule"),
        (replace(FACTS, trained_at=NOW - timedelta(days=7, seconds=-1)), None),
        (replace(FACTS, new_decisions=10_000), "volume"),
        (replace(FACTS, new_decisions=9_999), None),
        (replace(FACTS, alarms=(("drift", "x moved"),)), "drift"),
        (replace(FACTS, alarms=(("drift", "x moved"), ("kpi", "cost rose"))), "kpi"),
        (replace(FACTS, alarms=(("kpi", "cost rose"), ("cohort", "new group"))), "cohort"),
    ],
)
def test_the_most_telling_trigger_fires_at_its_limit_and_not_before(facts: Facts, kind: str | None) -> None:
    assert trigger(facts, RULE).kind == kind


def test_the_cool_down_holds_what_fires_and_says_so() -> None:
    soon = replace(FACTS, trained_at=NOW - timedelta(hours=23), alarms=(("drift", "x moved"),))
    held = trigger(soon, RULE)
    assert held.kind is None
    assert "x moved" in held.reason
    assert "cool-down" in held.reason
    assert trigger(replace(soon, trained_at=NOW - timedelta(days=1)), RULE).kind == "drift"


def test_too_little_new_data_holds_what_fires_and_says_so() -> None:
    held = trigger(replace(FACTS, trained_at=None, new_decisions=4_999), RULE)
    assert held.kind is None
    assert "4,999 new decisions of 5,000" in held.reason


def test_alarms_do_not_count_where_drift_is_off() -> None:
    drifted = replace(FACTS, alarms=(("drift", "x moved"),))
    assert trigger(drifted, replace(RULE, on_drift=False)).kind is None
