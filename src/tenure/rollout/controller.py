"""Decide in pure code, act in one place: at most one step per tick, recorded with its reason in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tenure.core.clock import Clock
from tenure.core.evidence import Finding, Verdict, worst
from tenure.core.problem import Problem
from tenure.rollout.evidence import Evidence, Services
from tenure.rollout.gates import entry_findings, next_share, promotion_findings
from tenure.rollout.ledger import Ledger
from tenure.rollout.proof import guardrail_findings
from tenure.rollout.settings import Settings
from tenure.rollout.stages import Move, RolloutState, Stage, fold, head_columns, transition_to
from tenure.store import Event, Store
from tenure.store.records import MOVE_NOTHING

CONTROLLER = "controller"
"""Actor of the steps nobody asked for by hand."""


@dataclass(frozen=True)
class Step:
    """One move the evidence calls for."""

    move: Move
    reason: str
    to: float | None = None


@dataclass(frozen=True)
class Tick:
    """What one look at the evidence gave.

    Args:
        state: after the step, if there was one.
        guardrails: what each guardrail has proven.
        gate: what the next share asks for.
        step: what was done; None when everything stays.
    """

    state: RolloutState
    guardrails: Sequence[Finding]
    gate: Sequence[Finding]
    step: Step | None

    @property
    def verdict(self) -> Verdict:
        """Of the gate to the next share and of the guardrails, either of which holds."""
        return worst(finding.verdict for finding in (*self.gate, *self.guardrails))

    @property
    def blocked_by(self) -> list[str]:
        """Why the next share is not given yet, most severe first."""
        open_ = [finding for finding in (*self.gate, *self.guardrails) if finding.verdict is not Verdict.PASS]
        return [f"{f.gate}: {f.reason}" for f in sorted(open_, key=lambda finding: -finding.verdict)]


def next_step(
    state: RolloutState, guardrails: Sequence[Finding], gate: Sequence[Finding], settings: Settings, now: datetime
) -> Step | None:
    """At most one step. Harm comes first, in every state; asking twice changes nothing.

    A guardrail that could not be measured, or has seen nothing yet, holds like any gate.
    """
    if state.stage not in (Stage.SHADOW, Stage.CANARY, Stage.FULL) or state.killed:
        return None
    harmed = [finding for finding in guardrails if finding.verdict is Verdict.FAIL]
    if harmed:
        return Step(Move.ROLLBACK, "; ".join(f"{finding.gate}: {finding.reason}" for finding in harmed))
    if state.requested_at is not None and now - state.requested_at >= timedelta(days=settings.rollout.approval_days):
        return Step(Move.EXPIRE, f"not given within {settings.rollout.approval_days} days of being asked for")
    if state.paused or not gate or worst(finding.verdict for finding in (*gate, *guardrails)) is not Verdict.PASS:
        return None
    reason = "; ".join(f"{finding.gate}: {finding.reason}" for finding in gate)
    share = next_share(state, settings)
    if share is None:
        return None if state.complete else Step(Move.COMPLETE, reason)
    if share in settings.rollout.approval and state.approved != share:
        return None if state.requested == share else Step(Move.REQUEST, reason, share)
    return Step(Move.PROMOTE, reason, share)


class _Seen(NamedTuple):
    """What a step is decided on, and must still hold when it is recorded."""

    epoch: int
    last_event: int
    state: RolloutState
    events: Sequence[Event]


class Controller:
    """Folds the log, judges, and takes the step the evidence calls for.

    Args:
        problem: what is decided.
        settings: limits of every gate.
        store: the log; also where every step is recorded.
        services: replay, selection score and repeated decisions, from rooms above.
        clock: of the steps.
    """

    def __init__(self, problem: Problem, settings: Settings, store: Store, services: Services, clock: Clock) -> None:
        self.problem, self.settings, self.store, self.services, self.clock = problem, settings, store, services, clock
        self.ledger = Ledger(problem)
        store.open_problem(problem.name, settings.rollout.salt or problem.version)

    def state(self) -> RolloutState:
        """Where the rollout stands, from its events."""
        return fold(self.store.events(self.problem.name))

    def start(self, version: str, actor: str, said: str = "") -> list[Finding]:
        """Ask for SHADOW: granted only when the selection data allow it, recorded either way."""
        findings = entry_findings(self.problem, self.settings, self.services, version)
        reason = "; ".join([*filter(None, [said]), *(f"{finding.gate}: {finding.reason}" for finding in findings)])
        payload = {"version": version, "findings": [finding.as_dict() for finding in findings]}
        if worst(finding.verdict for finding in findings) is Verdict.PASS:
            self.record(Move.START, actor, reason, payload)
        else:
            self.store.append_event(self._event("refuse", actor, reason, payload))
        return findings

    def record(self, move: Move, actor: str, reason: str, payload: Mapping[str, Any] | None = None) -> RolloutState:
        """A move a person makes.

        Raises:
            MoveError: the table does not have it here.
            FencedError: another moved the rollout at the same moment.
        """
        return self._append(self._seen(), self._event(move.value, actor, reason, dict(payload or {})))

    def approve(self, actor: str, share: float, reason: str) -> RolloutState:
        """A person says yes to the share that was asked for.

        Raises:
            MoveError: nothing was asked for, another share was, or it is their own request.
        """
        return self.record(Move.APPROVE, actor, reason, {"to": share})

    def rollback(self, actor: str, reason: str) -> RolloutState:
        """Take the candidate's traffic away.

        Raises:
            MoveError: no candidate is in place.
        """
        return self.record(Move.ROLLBACK, actor, reason)

    def tick(self, actor: str = CONTROLLER, said: str = "") -> Tick:
        """One look at the evidence, at most one step.

        Args:
            actor: who asks for the step.
            said: why, in their words; the evidence's reason follows.

        Raises:
            FencedError: a kill, a restore or another's move came while the evidence was judged.
        """
        seen = self._seen()
        state = seen.state
        self._fold_closed_days(state)
        moment = self.clock.now()
        evidence = Evidence(self.problem, self.settings, self.ledger, self.services, state, seen.events, moment)
        guardrails, gate = guardrail_findings(evidence), promotion_findings(evidence)
        step = next_step(state, guardrails, gate, self.settings, moment)
        if step is not None:
            now = self._seen()
            if now.epoch == seen.epoch and now[:3] != seen[:3]:  # somebody moved the rollout meanwhile: judge anew
                return self.tick(actor, said)
            payload: dict[str, Any] = {"findings": [finding.as_dict() for finding in (*guardrails, *gate)]}
            payload |= {} if step.to is None else {"to": step.to}
            payload |= {"exploration": 0.0} if step.move is Move.ROLLBACK else {}
            reason = "; ".join(filter(None, (said, step.reason)))
            state = self._append(seen, self._event(step.move.value, actor, reason, payload))
        return Tick(state, guardrails, gate, step)

    def _fold_closed_days(self, state: RolloutState) -> None:
        """Fold this rollout's decisions of days whose outcomes can no longer come."""
        starts = [event for event in self.store.events(self.problem.name) if event.kind == Move.START]
        if starts and self.ledger.sequence < starts[-1].sequence:
            self.ledger = Ledger(self.problem, state.version)
            self.ledger.sequence = starts[-1].sequence
        unread = self.store.read_log(self.problem.name, after_sequence=self.ledger.sequence)
        self.ledger.fold_closed(unread, self.clock.now(), self.settings.reward_window.span)

    def _seen(self) -> _Seen:
        """Kill epoch, last event and state, read in this order: what comes in between fences the step."""
        epoch, events = self.store.control(self.problem.name).kill_epoch, self.store.events(self.problem.name)
        moves = [event.sequence for event in events if event.kind not in MOVE_NOTHING]
        return _Seen(epoch, moves[-1] if moves else 0, fold(events), events)

    def _append(self, seen: _Seen, event: Event) -> RolloutState:
        after = transition_to(seen.state, event)
        self.store.append_event(
            event, control=head_columns(after), expect_sequence_epoch=seen.epoch, expect_last_event=seen.last_event
        )
        return after

    def _event(self, kind: str, actor: str, reason: str, payload: dict[str, Any]) -> Event:
        return Event(self.problem.name, kind, actor, reason, self.clock.now(), payload)
