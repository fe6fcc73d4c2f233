"""Where a rollout stands, in plain fields: the same for page, command line and interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenure.core.clock import to_text
from tenure.core.evidence import Finding, Verdict
from tenure.rollout.breakers import BreakerStatus
from tenure.rollout.stages import LIVE, Move, RolloutState, Stage
from tenure.store import Control, Event

HOLD = "hold"
"""Kind of the event that keeps what a look at the evidence gave, where no step was taken."""
HISTORY = 30
"""Events a status shows."""


@dataclass(frozen=True)
class Status:
    """Where a rollout stands.

    Args:
        stage: none, shadow, canary, full or rolled_back.
        share: of the units, as the stage has it.
        live_share: of the units the candidate really decides for: 0 when killed, less while a breaker is open.
        version: the candidate.
        killed: only the incumbent answers until a person restores.
        paused: no step is taken until resumed.
        complete: the last stage has been baked.
        next: the share after this one; None at the end.
        ruled: a `[[promote]]` rule asks for proof before that share; else it is given on sizes and health only.
        blocked_by: why it is not given yet, most severe first.
        judged_at: when that was last found, UTC; None where nothing was judged since the last move.
        requested: the share a person is asked to approve.
        requested_by: who asked for it.
        approved: the share that was approved.
        approvals: shares a person must approve.
        breakers: where each stands.
        exploration: `rate` in force, `explored_share` of the latest learned decisions, away from the policy's best.
        history: the latest events that moved the rollout, oldest first.
        pending: single decisions that wait for a person.
    """

    stage: str
    share: float
    live_share: float
    version: str | None
    killed: bool
    paused: bool
    complete: bool
    next: float | None
    ruled: bool
    blocked_by: list[str]
    judged_at: datetime | None
    requested: float | None
    requested_by: str | None
    approved: float | None
    approvals: list[float]
    breakers: list[BreakerStatus]
    exploration: Mapping[str, float | None]
    history: list[dict[str, Any]]
    pending: int

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        judged_at = None if self.judged_at is None else to_text(self.judged_at)
        return {
            **self.__dict__,
            "judged_at": judged_at,
            "breakers": [breaker.as_dict() for breaker in self.breakers],
            "exploration": dict(self.exploration),
        }


def history_of(events: Sequence[Event], limit: int = HISTORY) -> list[dict[str, Any]]:
    """The latest events that moved the rollout or were refused, oldest first."""
    told = [event for event in events if event.kind in {*Move, "refuse"}][-limit:]
    return [
        {"at": to_text(e.at), "kind": e.kind, "actor": e.actor, "reason": e.reason, "sequence": e.sequence}
        for e in told
    ]


def last_hold(events: Sequence[Event]) -> Event | None:
    """What the last look at the evidence gave; None where the rollout has moved since, or nobody looked."""
    for event in reversed(events):
        if event.kind == HOLD:
            return event
        if event.kind in set(Move) - {Move.EXPLORE}:
            return None
    return None


def hold_payload(verdict: Verdict, findings: Sequence[Finding], blocked_by: Sequence[str]) -> dict[str, Any]:
    """What is kept of a look at the evidence: each gate's verdict, and the sentences of those that hold."""
    gates = {finding.gate: finding.verdict.word for finding in findings}
    return {"verdict": verdict.word, "gates": gates, "blocked_by": list(blocked_by)}


def blocked_by(state: RolloutState, control: Control, events: Sequence[Event], stopped: bool) -> list[str]:
    """Why the next share is not given, most severe first; without looking at the evidence again."""
    told = ["the stop file is engaged: only the incumbent answers"] if stopped else []
    if state.killed:
        kill = [event for event in events if event.kind == Move.KILL][-1]
        return [*told, f"killed by {kill.actor}: {kill.reason}; only a person restores: tenure restore {kill.problem}"]
    if state.stage not in LIVE:
        return [*told, "no rollout is under way"]
    if control.cap < 1:
        told.append(f"breaker {state.circuit.breaker} is {state.circuit.circuit.value.replace('_', '-')}")
    if state.paused:
        told.append("paused until a person resumes it")
    if state.requested is not None and state.approved is None:
        told.append(f"waits for a second person's approval of share {state.requested:g}")
    hold = last_hold(events)
    if hold is not None:
        return [*told, *hold.payload["blocked_by"]]
    if state.requested is None and not (state.stage is Stage.FULL and state.complete):
        told.append("the evidence was not looked at since the last move: tenure tick")
    return told
