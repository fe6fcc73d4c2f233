"""The rows of the log: a decision, what the arms that did not answer would have done, an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tenure.core.spaces import Action


class Arm(StrEnum):
    """Who answered."""

    INCUMBENT = "incumbent"
    CANDIDATE = "candidate"
    HUMAN = "human"
    FALLBACK = "fallback"


class Kind(StrEnum):
    """What an outcome row says."""

    OBSERVED = "observed"
    LATE = "late"
    WINDOW_CLOSED = "window_closed"
    LOST = "lost"
    CORRECTION = "correction"


class Place(StrEnum):
    """Where an acknowledged outcome ended; each is in exactly one place."""

    JOINED = "joined"
    EARLY = "early"
    ORPHAN = "orphan"
    LATE = "late"
    REPEATED = "repeated"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Decision:
    """One answered decision, as the log keeps it.

    Args:
        decision_id: the client's id, or one made for it; unique in its problem.
        problem: name of the problem.
        problem_version: hash of the problem.
        unit_id: who or what it is for; the sticky key of the traffic split.
        episode_id: the episode it belongs to.
        step: its position in the episode.
        decided_at: moment of the decision, UTC.
        context: the request's features as they came.
        observation: the float32 vector made from them, in the problem's order.
        mask: allowed actions; None when all were.
        stage: rollout stage in force.
        arm: who answered.
        version: the bundle or rule that answered.
        action: what was really done: the index of a label, or the vector of a `Box`.
        propensity: its probability over traffic split, exploration and guardrails, in (0, 1]; None when unknown. Of a
            vector: the probability of exactly this one, which somebody who draws nothing proposed.
        explored: another action than the policy's own best was taken.
        confidence: how sure the policy was, in [0, 1].
        kill_epoch: the epoch it was committed under.
        reason: one word why this arm.
        latency_us: microseconds from request to answer.
        request_hash: SHA-256 of the request's own body, for telling a repeat from a conflict.
        density: probability density of a vector that was drawn to explore, > 0; `propensity` is None then.
        candidates: the request's own actions with their features, as JSON; None elsewhere.
        position: slot of a slate; None elsewhere.
        sequence: gap-free position in the log; 0 until it is written.
    """

    decision_id: str
    problem: str
    problem_version: str
    unit_id: str
    episode_id: str | None
    step: int | None
    decided_at: datetime
    context: Mapping[str, float]
    observation: bytes
    mask: bytes | None
    stage: str
    arm: Arm
    version: str
    action: Action
    propensity: float | None
    explored: bool
    confidence: float
    kill_epoch: int
    reason: str
    latency_us: int
    request_hash: str
    density: float | None = None
    candidates: str | None = None
    position: int | None = None
    sequence: int = 0

    @classmethod
    def of(cls, **fields: Any) -> Decision:
        """A decision from all its fields, unchecked; four times as fast as setting frozen fields one by one."""
        row = object.__new__(cls)
        object.__setattr__(row, "__dict__", fields)
        return row


@dataclass(frozen=True)
class ShadowProposal:
    """What an arm that did not answer would have done.

    Args:
        apart: how far a vector lies from the one that was answered, as `Box.apart`; None for labelled actions.
    """

    decision_id: str
    arm: Arm
    version: str
    action: Action
    propensity: float
    confidence: float
    computed_at: datetime
    apart: float | None = None


@dataclass(frozen=True)
class Outcome:
    """One report of what came of a decision; use the constructors, unknown is not zero."""

    outcome_id: str
    decision_id: str
    observed_at: datetime | None
    signals: Mapping[str, float] = field(default_factory=dict)
    kind: Kind = Kind.OBSERVED

    @classmethod
    def observed(
        cls, outcome_id: str, decision_id: str, signals: Mapping[str, float], observed_at: datetime
    ) -> Outcome:
        """Signals were measured."""
        return cls(outcome_id, decision_id, observed_at, dict(signals))

    @classmethod
    def window_closed(cls, decision_id: str) -> Outcome:
        """The reward wait time passed without an outcome."""
        return cls(f"{decision_id}:window", decision_id, None, {}, Kind.WINDOW_CLOSED)

    @classmethod
    def lost(cls, decision_id: str) -> Outcome:
        """The outcome is known never to come."""
        return cls(f"{decision_id}:lost", decision_id, None, {}, Kind.LOST)
