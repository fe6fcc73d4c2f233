"""One verb for page, command line and interface: everything a person can do to a rollout, and where it stands."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tenure.core.clock import Clock
from tenure.core.decision import Decision
from tenure.core.errors import FencedError, MoveError
from tenure.core.evidence import Finding
from tenure.core.problem import Problem
from tenure.rollout import kill as killing
from tenure.rollout.breakers import Breakers
from tenure.rollout.controller import CONTROLLER, Controller, Tick
from tenure.rollout.evidence import Services
from tenure.rollout.exploration import default_rate
from tenure.rollout.gates import next_share
from tenure.rollout.human import WAITS, waiting
from tenure.rollout.settings import Settings
from tenure.rollout.stages import Move, RolloutState, fold
from tenure.rollout.status import HOLD, Status, blocked_by, history_of, hold_payload, last_hold
from tenure.rollout.stop import StopFile
from tenure.store import Control, Event, Store
from tenure.store.measures import latest
from tenure.store.pending import Pending, PendingDecision
from tenure.store.turns import turn

ATTEMPTS = 5
"""How often a person's move is tried where others move the rollout at the same moment."""
TICK_SPAN = timedelta(minutes=10)
"""Longest a tick may take; one that took longer has died."""
HOLD_AGAIN = timedelta(hours=1)
"""What holds is recorded when it changes, and once in so long, so that its figures stay fresh."""
EXPLORED_OF = 10_000
"""Latest learned decisions whose explored share is reported."""


class Operations:
    """What can be done to the rollout of one problem.

    Args:
        problem: what is decided.
        settings: of tenure.toml.
        store: the log.
        clock: of what is recorded.
        services: replay and selection data, which only the project's own machine has; without them nothing is judged.
        stop: the stop file of the servers on this machine.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        store: Store,
        clock: Clock,
        *,
        services: Services | None = None,
        stop: StopFile | None = None,
    ) -> None:
        self.problem, self.settings, self.store, self.clock, self.stop = problem, settings, store, clock, stop
        self.breakers, self.queue = Breakers(problem, settings), Pending(store)
        self._judge = None if services is None else Controller(problem, settings, store, services, clock)
        self._mover = self._judge or Controller(problem, settings, store, _nobody(), clock)
        self._holder = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"

    def status(self) -> Status:
        """Where the rollout stands; cheap enough for a page."""
        name, now = self.problem.name, self.clock.now()
        events, control = self.store.events(name), self.store.control(name)
        state, hold = fold(events), last_hold(events)
        stopped, following = self.stop is not None and self.stop.engaged(), next_share(state, self.settings)
        return Status(
            stage=state.stage.value,
            share=state.share,
            live_share=0.0 if stopped else control.live_share,
            version=state.version,
            killed=state.killed,
            paused=state.paused,
            complete=state.complete,
            next=following,
            ruled=following is None or self.settings.is_ruled(following),
            blocked_by=blocked_by(state, control, events, stopped),
            judged_at=None if hold is None else hold.at,
            requested=state.requested,
            requested_by=state.actor_of_request,
            approved=state.approved,
            approvals=list(self.settings.rollout.approval),
            breakers=self.breakers.status(self.store),
            exploration=self._exploration(control),
            history=history_of(events),
            pending=len(self.queue.open(name, now)),
        )

    def start(self, version: str, actor: str, reason: str) -> list[Finding]:
        """Ask for SHADOW; what the selection data say is recorded either way.

        Raises:
            MoveError: a rollout is under way, a kill is in force, or nothing can be judged here.
        """
        _check_words(self.problem.name, actor, reason)
        return self._judging("start").start(version, actor, reason)

    def promote(self, actor: str, reason: str) -> Tick:
        """The next step, if and only if the gates pass; where a person must approve it, the request for that.

        Raises:
            MoveError: a gate holds, and which; or nothing can be judged here.
        """
        _check_words(self.problem.name, actor, reason)
        self._judging("promote")
        tick = self.tick(actor, reason)
        if tick.step is None or tick.step.move not in (Move.PROMOTE, Move.REQUEST, Move.COMPLETE):
            raise MoveError(
                expected="every gate of the next share passed",
                found="; ".join(tick.blocked_by or self.status().blocked_by or ["no next share"]),
                where=f"rollout of {self.problem.name!r}",
                fix="wait for what is missing; see `tenure rollout status`",
            )
        return tick

    def pause(self, actor: str, reason: str) -> RolloutState:
        """No step until resumed; guardrails and breakers go on."""
        return self._move(Move.PAUSE, actor, reason)

    def resume(self, actor: str, reason: str) -> RolloutState:
        """Let the gates take steps again."""
        return self._move(Move.RESUME, actor, reason)

    def rollback(self, actor: str, reason: str) -> RolloutState:
        """Take the candidate's traffic away."""
        return self._move(Move.ROLLBACK, actor, reason)

    def abort(self, actor: str, reason: str) -> RolloutState:
        """End a rollout that has not reached the whole traffic."""
        return self._move(Move.ABORT, actor, reason)

    def approve(self, actor: str, reason: str) -> RolloutState:
        """Say yes to the share that was asked for; by another than who asked or started.

        Raises:
            MoveError: nothing was asked for, or they asked for it or started it themselves.
        """
        _check_words(self.problem.name, actor, reason)
        return self._move(Move.APPROVE, actor, reason, {"to": self._asked("approved")})

    def reject(self, actor: str, reason: str) -> RolloutState:
        """Say no to it, which pauses the rollout.

        Raises:
            MoveError: nothing was asked for.
        """
        _check_words(self.problem.name, actor, reason)
        self._asked("rejected")
        return self._move(Move.REJECT, actor, reason)

    def explore(self, actor: str, rate: float | None, reason: str) -> RolloutState:
        """Set the share of the candidate's decisions drawn at random; None is what tenure.toml says.

        Raises:
            MoveError: the rate lies outside [0, 1].
        """
        return self._move(Move.EXPLORE, actor, reason, {"rate": rate})

    def kill(self, actor: str, reason: str) -> killing.Killed:
        """Stop for good; says which servers have confirmed.

        Raises:
            StoreError: neither row nor stop file could be written.
        """
        _check_words(self.problem.name, actor, reason)
        name = self.problem.name
        return killing.kill(self.store, name, actor=actor, reason=reason, clock=self.clock, stop=self.stop)

    def restore(self, actor: str, reason: str) -> Control:
        """Lift a kill; the candidate begins again from the beginning.

        Raises:
            MoveError: nothing is killed.
        """
        _check_words(self.problem.name, actor, reason)
        name = self.problem.name
        return killing.restore(self.store, name, actor=actor, reason=reason, clock=self.clock, stop=self.stop)

    def pending(self) -> list[dict[str, Any]]:
        """Single decisions that wait for a person, the most urgent first, with what is proposed instead of what."""
        name = self.problem.name
        return [self._told(row) for row in self.queue.open(name, self.clock.now())]

    def approve_decision(self, decision_id: str, actor: str, reason: str = "") -> Decision:
        """Do what was proposed, as a decision of its own.

        Raises:
            MoveError: it was decided before, it is too late, a stop is in force, or a kill, a breaker or a rollback
                came between.
            UnknownError: nothing of that id waits.
        """
        if self.stop is not None and self.stop.engaged():
            raise MoveError(
                expected="nothing that stops the learned policy",
                found="a stop file, or TENURE_STOP in the environment",
                where=f"rollout of {self.problem.name!r}",
                fix="lift the stop first (tenure restore); the incumbent's action stands meanwhile",
            )
        now = self.clock.now()
        return self.queue.approve(self.problem.name, decision_id, actor=actor, at=now, reason=reason)

    def reject_decision(self, decision_id: str, actor: str, reason: str) -> PendingDecision:
        """Leave it at the incumbent's action.

        Raises:
            MoveError: it was decided before, or it is too late.
            UnknownError: nothing of that id waits.
        """
        return self.queue.reject(self.problem.name, decision_id, actor=actor, reason=reason, at=self.clock.now())

    def tick(self, actor: str = CONTROLLER, said: str = "") -> Tick:
        """One look at everything, at most one step; two never run at once.

        Raises:
            MoveError: another tick runs, or nothing can be judged here.
            FencedError: a kill, a restore or another's move came while the evidence was judged.
        """
        controller, name, now = self._judging("tick"), self.problem.name, self.clock.now()
        with turn(self.store, name, "tick", self._holder, now, TICK_SPAN):
            self.queue.expire(name, now)
            self.breakers.look(self.store, now)
            self._tell_of_waiting(now)
            tick = controller.tick(actor, said)
            if tick.step is None:
                self._hold(tick)
            return tick

    def _tell_of_waiting(self, now: datetime) -> None:
        """Record proposals that have begun to wait, once for all of a rule until what was told of is settled."""
        told = waiting(self.queue.open(self.problem.name, now), self.store.events(self.problem.name))
        if told is not None:
            self.store.append_event(Event(self.problem.name, WAITS, CONTROLLER, told.reason, now, told.payload))

    def _hold(self, tick: Tick) -> None:
        """Record why nothing was done, if that is news."""
        findings = [*tick.guardrails, *tick.gate]
        if not findings or tick.state.killed:
            return
        now, before = self.clock.now(), last_hold(self.store.events(self.problem.name))
        payload = hold_payload(tick.verdict, findings, tick.blocked_by)
        if before is not None and before.payload["gates"] == payload["gates"] and now - before.at < HOLD_AGAIN:
            return
        reason = tick.blocked_by[0] if tick.blocked_by else "every gate passes"
        self.store.append_event(Event(self.problem.name, HOLD, CONTROLLER, reason, now, payload))

    def _move(self, move: Move, actor: str, reason: str, payload: Mapping[str, Any] | None = None) -> RolloutState:
        """A person's move; where another moves the rollout at the same moment it is tried on what came of that."""
        _check_words(self.problem.name, actor, reason)
        for _ in range(ATTEMPTS - 1):
            try:
                return self._mover.record(move, actor, reason, payload)
            except FencedError:
                continue
        return self._mover.record(move, actor, reason, payload)

    def _judging(self, verb: str) -> Controller:
        if self._judge is not None:
            return self._judge
        raise MoveError(
            expected=f"replay and selection data, which {verb} judges on",
            found="a process without them",
            where=f"rollout of {self.problem.name!r}",
            fix=f"run it where the project is: tenure {'tick' if verb == 'tick' else f'rollout {verb}'}",
        )

    def _asked(self, done: str) -> float:
        """The share a person is asked for."""
        share = self._state().requested
        if share is None:
            count = len(self.queue.open(self.problem.name, self.clock.now()))
            raise MoveError(
                expected=f"a share that was asked for, to be {done}",
                found=f"no request for a share; {count} single decision(s) wait",
                where=f"rollout of {self.problem.name!r}",
                fix="see `tenure approvals list`; a single decision is named by its id, and the gates ask for a share",
            )
        return share

    def _state(self) -> RolloutState:
        return fold(self.store.events(self.problem.name))

    def _exploration(self, control: Control) -> dict[str, float | None]:
        rate = default_rate(self.settings) if control.exploration is None else control.exploration
        with self.store.database.reading() as connection:
            explored = latest(connection, control, "explored", EXPLORED_OF).values
        return {"rate": rate, "explored_share": float(explored.mean()) if len(explored) else None}

    def _told(self, row: PendingDecision) -> dict[str, Any]:
        """A proposal with the words of its actions, and what it is about."""
        first = self.store.decision(self.problem.name, row.decision_id)
        word = self.problem.action.word
        told = row.as_dict() | {"proposal": word(row.action)}
        if first is None:
            return told
        return told | {"answered": word(first.action), "unit_id": first.unit_id, "context": dict(first.context)}


def _nobody() -> Services:
    """Services of a process that judges nothing; the controller moves with them, and never asks."""

    def refuse(*_: object) -> Any:
        raise NotImplementedError

    return Services(refuse, refuse, refuse)


def _check_words(problem: str, actor: str, reason: str) -> None:
    if actor.strip() and reason.strip():
        return
    raise MoveError(
        expected="who does it, and why, for whoever reads the log",
        found="no actor" if reason.strip() else "no reason",
        where=f"rollout of {problem!r}",
        fix="say both in a few words",
    )
