"""Rows of the log: unknown is not zero, and the quick way to a decision gives the same decision."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime
from typing import Any

import pytest

from tenure.core.decision import Arm, Decision, Kind, Outcome

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)


def test_an_observed_outcome_has_its_own_signals() -> None:
    signals = {"cost": 1.0}
    outcome = Outcome.observed("o1", "d1", signals, NOON)
    signals["cost"] = 2.0
    assert (outcome.signals, outcome.kind, outcome.observed_at) == ({"cost": 1.0}, Kind.OBSERVED, NOON)


@pytest.mark.parametrize(
    ("outcome", "kind"), [(Outcome.window_closed("d1"), Kind.WINDOW_CLOSED), (Outcome.lost("d1"), Kind.LOST)]
)
def test_what_was_not_measured_has_no_signals(outcome: Outcome, kind: Kind) -> None:
    assert (outcome.decision_id, outcome.kind, outcome.signals, outcome.observed_at) == ("d1", kind, {}, None)
    assert outcome.outcome_id.startswith("d1:")


def test_the_quick_way_to_a_decision_gives_the_same_frozen_decision() -> None:
    values: dict[str, Any] = {field.name: field.name for field in fields(Decision)} | {"arm": Arm.CANDIDATE}
    quick = Decision.of(**values)
    assert quick == Decision(**values)
    with pytest.raises(FrozenInstanceError):
        quick.action = 1  # type: ignore[misc]
