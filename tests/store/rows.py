"""Rows the tests write, and the one moment they happen at."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)
WAIT = timedelta(hours=1)
SIGNALS = frozenset({"cost", "trips"})


def decision(name: str, **changes: Any) -> Decision:
    """A candidate's decision made at noon under epoch 0."""
    row = Decision(
        decision_id=name,
        problem="bikes",
        problem_version="p1",
        unit_id="station-7",
        episode_id="day-1",
        step=3,
        decided_at=NOON,
        context={"bikes": 4.0, "hour": 12.0},
        observation=np.array([4, 12], dtype="<f4").tobytes(),
        mask=None,
        stage="canary",
        arm=Arm.CANDIDATE,
        version="v1",
        action=2,
        propensity=0.25,
        explored=False,
        confidence=0.75,
        kill_epoch=0,
        reason="split",
        latency_us=180,
        request_hash="ab",
    )
    return dataclasses.replace(row, **changes)


def outcome(outcome_id: str, decision_id: str, cost: float = 1.5, trips: float = 2.0) -> Outcome:
    """An observed outcome with both signals."""
    return Outcome.observed(outcome_id, decision_id, {"cost": cost, "trips": trips}, NOON)


def proposal(decision_id: str, **changes: Any) -> ShadowProposal:
    """What the candidate would have done."""
    row = ShadowProposal(decision_id, Arm.CANDIDATE, "v2", 5, 1.0, 0.5, NOON)
    return dataclasses.replace(row, **changes)
