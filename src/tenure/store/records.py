"""What the store hands out beside the nouns of core: frozen records, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.decision import Decision, Place


@dataclass(frozen=True)
class Event:
    """Something that was done to a rollout, numbered in one order with the problem's decisions.

    Args:
        problem: name of the problem.
        kind: start, promote, pause, resume, rollback, abort, approve, hold, kill, restore, correction...
        actor: who did it.
        reason: why, in words.
        at: when, UTC.
        payload: evidence, plain JSON values.
        sequence: gap-free position in the log; 0 until it is written.
    """

    problem: str
    kind: str
    actor: str
    reason: str
    at: datetime
    payload: Mapping[str, Any]
    sequence: int = 0


MOVE_NOTHING = (
    "correction",
    "note",
    "hold",
    "drill",
    "alert_test",
    "alert_ack",
    "alarm",
    "pending_waits",
    "pending_approved",
    "pending_rejected",
    "forget",
    "token",
    "upload",
    "retrain",
)
"""Kinds of events that may come at any time and move no rollout: a step decided before one still holds after it."""


@dataclass(frozen=True)
class Control:
    """What a server must know to answer.

    Args:
        problem: name of the problem.
        sequence: number of the last row written.
        kill_epoch: grows by one with each kill and each restore; rows commit only under the current one.
        killed: stopped until a person restores.
        stage: shadow, canary, full, rolled_back, or none before the first rollout.
        share: share of the units the candidate decides for, in [0, 1].
        version: the candidate.
        paused: no step is taken until resumed.
        salt: of the traffic split's hash.
        changed_at: when stage, share, version, paused or killed were last set; UTC.
        cap: most of the units the candidate may decide for, below 1 while a breaker is open; in [0, 1].
        exploration: share of the candidate's decisions drawn at random; None is what the settings say.
    """

    problem: str
    sequence: int
    kill_epoch: int
    killed: bool
    stage: str
    share: float
    version: str | None
    paused: bool
    salt: str
    changed_at: datetime | None
    cap: float = 1.0
    exploration: float | None = None

    @property
    def live_share(self) -> float:
        """Share of the units that the candidate really decides for."""
        return 0.0 if self.killed or self.version is None else min(self.share, self.cap)


@dataclass(frozen=True)
class Trip:
    """What a fold of the log calls for, in the transaction that wrote what it saw: the epoch moves, the head is set.

    Args:
        event: what is recorded.
        control: new values of columns of the head row, such as killed or cap.
    """

    event: Event
    control: Mapping[str, Any]


@dataclass(frozen=True)
class Appended:
    """What became of a group of decisions; every row handed in is in exactly one place.

    Args:
        written: now in the log, with their numbers.
        fenced: not written, because the kill epoch they were made under has passed.
        existing: the stored rows of ids that were there before, corrections applied.
    """

    written: tuple[Decision, ...]
    fenced: tuple[Decision, ...]
    existing: tuple[Decision, ...]


@dataclass(frozen=True)
class Receipt:
    """The acknowledgement of one outcome; `note` is one sentence, empty when all is well."""

    outcome_id: str
    decision_id: str
    status: Literal["created", "exists"]
    place: Place
    note: str


@dataclass(frozen=True)
class Verification:
    """Whether the log is as it was written.

    Args:
        intact: nothing was edited, moved, added or taken away.
        rows: decisions and events found in order before the first bad one.
        first_bad: sequence number from which the log cannot be trusted; None when intact.
        reason: one sentence.
        checkpoints: signed ones it was held against.
        erased: decisions whose person was forgotten.
        checkpoints_unchecked: signed ones by other keys, which nothing was held against.
    """

    intact: bool
    rows: int
    first_bad: int | None
    reason: str
    checkpoints: int = 0
    erased: int = 0
    checkpoints_unchecked: int = 0


FLAGS = ("deferred", "skipped")
"""Reasons of imported decisions that are kept but count for nothing: never activated, or not to be learned from."""


@dataclass(frozen=True)
class LogRow:
    """One decision with what was measured of it.

    Args:
        decision: with its correction applied.
        signals: of the outcome that counts, else of the first one in quarantine; None without either.
        counted: the signals are those of an outcome that counts.
    """

    decision: Decision
    signals: Mapping[str, float] | None
    counted: bool


@dataclass(frozen=True)
class VersionRow:
    """A registered version and its immutable record."""

    version: str
    problem: str
    registered_at: datetime
    record: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class LogFrame:
    """Decisions as columns, in sequence order, corrections applied, with their counted outcome.

    Args:
        decision_id: ids; [n].
        sequence: positions in the log, rising; int64 [n].
        unit_id: sticky keys; [n].
        episode_id: episodes, None where there is none; [n].
        step: position in the episode, -1 where there is none; int64 [n].
        decided_at: datetime64[us], UTC; [n].
        stage: rollout stage in force; [n].
        arm: who answered; [n].
        version: what answered; [n].
        action: what was really done; int64 [n], or float64 [n, numbers] of a `Box`.
        propensity: its probability, in (0, 1], NaN when unknown; [n].
        explored: another action than the policy's own best was taken; [n].
        confidence: in [0, 1]; [n].
        observation: float32 [n, features].
        joined: a measured outcome counts for this decision; [n].
        signals: measured consequences, NaN where there is no outcome; float64 [n] each.
        shadow_action: what the arm that did not answer would have done, -1 or NaN when nobody proposed; as `action`.
        shadow_version: who proposed it; [n].
    """

    decision_id: list[str]
    sequence: Ints
    unit_id: list[str]
    episode_id: list[str | None]
    step: Ints
    decided_at: Any
    stage: list[str]
    arm: list[str]
    version: list[str]
    action: Any
    propensity: Floats
    explored: Bools
    confidence: Floats
    observation: Floats
    joined: Bools
    signals: Mapping[str, Floats]
    shadow_action: Any
    shadow_version: list[str | None]

    @property
    def proposed(self) -> Bools:
        """Decisions for which the arm that did not answer proposed something; [n]."""
        known = np.isfinite(self.shadow_action) & (self.shadow_action != -1 if self.shadow_action.ndim == 1 else True)
        return np.asarray(known.all(axis=1) if known.ndim == 2 else known)

    def __len__(self) -> int:
        return len(self.decision_id)
