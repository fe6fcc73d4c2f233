"""The path of one decision and of one outcome; order is the safety argument, so it is written out."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np

from tenure.core.clock import Clock, ManualClock, from_text, to_text
from tenure.core.decision import Arm, Decision, Outcome
from tenure.core.errors import ConflictError, IncumbentError, RequestError, StoreError, TenureError, UnfitError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.rollout.settings import Settings
from tenure.serving.asking import Asked, Breaking, Exploring, Humans, NoBreakers, Situation, Steady
from tenure.serving.choose import Choice, Chooser, Held, Loader
from tenure.serving.deadline import Deadline
from tenure.serving.lease import Direct, Standing
from tenure.serving.observation import Reader
from tenure.serving.settle import Settler, check_same
from tenure.serving.spool import Spool
from tenure.serving.wire import Answer, Answers, DecisionRequest, OutcomeRequest
from tenure.store import Appended, Receipt, Store
from tenure.store.database import Connection

DRAINED_AT_ONCE = 256
"""Spooled rows moved into the log before a group is answered, so that answers do not wait for all."""

PATIENCE = 10
"""A log that failed is tried again after so many times as long as it took to fail: a tenth of the time goes to it."""

LONGEST_LOG_REST_S = 5.0
"""Longest time a log that failed is left alone: one that failed because this process was frozen may be back at once."""

CHANCE_BYTES = 10
"""Of an id of our making."""

Queue = Callable[[Connection, Decision, Held], None]
"""Queues a proposal for a person, in the transaction that writes the decision."""


@dataclass(frozen=True)
class Answered:
    """What the shadow gets to see: new decisions of a group, each with its position in what was asked."""

    situation: Situation
    decisions: Sequence[tuple[int, Decision]]


class DecisionService:
    """Decides for one problem.

    Args:
        problem: what is decided.
        incumbent: the rule that decides today.
        store: the log.
        settings: of tenure.toml.
        clock: of the log's times; a ManualClock follows the requests' `at`.
        load: from a version to its policy.
        behind: called with every answered group; must return at once.
        standing: where the rollout stands; by default the log is read with each group.
        breakers: what watches single decisions.
        exploring: how much is explored; by default the settings' rate.
        humans: which proposals a person must approve.
        queue: where those proposals wait; needed with `humans`.
        spool: takes answers while the log cannot be written; by default memory, which is not durable.
        deadline: the candidate's time to propose; kept strictly for the thread of a GroupCommitter, while any other
            caller waits for a late candidate and then gets the incumbent's action.
    """

    def __init__(
        self,
        problem: Problem,
        incumbent: Policy,
        store: Store,
        settings: Settings,
        clock: Clock,
        load: Loader,
        behind: Callable[[Answered], None] = lambda _: None,
        *,
        standing: Standing | None = None,
        breakers: Breaking | None = None,
        exploring: Exploring | None = None,
        humans: Humans | None = None,
        queue: Queue | None = None,
        spool: Spool | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self.problem, self.store, self.settings, self.clock = problem, store, settings, clock
        self.reader = Reader(problem)
        salt = store.open_problem(problem.name, settings.rollout.salt or problem.version).salt
        self.standing = standing or Direct(store, problem.name)
        self.breakers = breakers or NoBreakers()
        self.exploring = exploring or Steady(settings.rollout.exploration)
        self.deadline = deadline or Deadline(settings.serving.deadline_ms / 1000)
        self.chooser = Chooser(self.reader, incumbent, load, salt, self.exploring, humans, self.deadline)
        self.valid_for = timedelta(seconds=settings.serving.valid_s)
        self.settler = Settler(problem.name, store, self.valid_for, self.breakers.fold)
        self.spool = Spool() if spool is None else spool
        self.queue, self.behind = queue, behind
        self.at_disk: Callable[[], None] = lambda: None
        self.calm = threading.Event()
        self.calm.set()
        self.seen: Callable[[Sequence[Decision]], object] = lambda _: None
        """Told of each written group, behind the answers; metrics count here."""
        self.counters: Counter[str] = Counter()
        self._log_rests_until = float("-inf")

    def decide(self, requests: Sequence[DecisionRequest]) -> Answers:
        """Answer a group of requests in one commit; a refused one gets its error, the others their answer."""
        started = time.perf_counter_ns()
        refused, readable, rows = self._read(requests)
        answers = self._decidable(readable, rows, started) if readable else []
        if refused:
            given = iter(answers)
            answers = [refused[index] if index in refused else next(given) for index in range(len(requests))]
        errors = [isinstance(answer, TenureError) for answer in answers].count(True)
        self.counters["answered"] += len(requests) - errors
        self.counters["refused"] += errors
        return answers

    def outcomes(self, requests: Sequence[OutcomeRequest]) -> list[Receipt]:
        """Write outcomes durably, each in exactly one place; breakers see them in the same transaction.

        Raises:
            ConflictError: an id came before with another body; nothing of the group is written.
            RequestError: `observed_at` is no time.
        """
        outcomes = [_outcome(request) for request in requests]
        if isinstance(self.clock, ManualClock):
            for outcome in outcomes:
                self.clock.advance_to(outcome.observed_at or self.clock.now())
        return self.store.append_outcomes(
            self.problem.name,
            outcomes,
            received_at=self.clock.now(),
            wait=self.settings.reward_window.span,
            signals=self.problem.signal_bounds,
            fold=self.breakers.fold,
        )

    def drain(self, most: int = DRAINED_AT_ONCE) -> int:
        """Move spooled rows into the log; how many were moved. A log that is still away is left alone for a while."""
        if not self.spool or self.clock.monotonic() < self._log_rests_until:
            return 0
        tried_at = self.clock.monotonic()
        try:
            return self.spool.drain(self.store, self.settler, self.clock.now(), most)
        except StoreError:
            self._rest_log(tried_at)
            return 0

    def _read(
        self, requests: Sequence[DecisionRequest]
    ) -> tuple[dict[int, TenureError], list[DecisionRequest], list[Sequence[float]]]:
        """Refusals by position, and what can be read: requests with ids, and their feature values."""
        refused: dict[int, TenureError] = {}
        readable: list[DecisionRequest] = []
        rows: list[Sequence[float]] = []
        names = _names(self.clock.now(), len(requests))
        for index, request in enumerate(requests):
            try:
                rows.append(self._values(request))
                readable.append(request if request.decision_id else _with_id(request, names[index]))
            except RequestError as error:
                refused[index] = error
        return refused, readable, rows

    def _values(self, request: DecisionRequest) -> Sequence[float]:
        """Feature values of a request, in the problem's order; everything in it checked.

        Raises:
            RequestError: the first thing in it that is wrong.
        """
        if request.at is not None:
            self._check_at(request.at)
        if request.incumbent_action is not None:
            self.reader.action(request.incumbent_action)
        if request.mask is not None:
            self.reader.check_mask(request.mask)
        return self.reader.row(request.context)

    def _check_at(self, at: str) -> None:
        from_text(at)
        if not isinstance(self.clock, ManualClock):
            raise RequestError(
                expected="no `at`: this server uses its own clock",
                found=repr(at),
                where="the request's `at`",
                fix="leave it out, or start the server with --simulated-clock",
            )

    def _decidable(self, requests: list[DecisionRequest], rows: list[Sequence[float]], started: int) -> Answers:
        """Answers where mask and constraints leave an action, refusals elsewhere."""
        observation = self.reader.observation(rows)
        allowed = self.problem.allowed(observation, self.reader.masks(requests))
        asked = Asked(requests, observation, allowed)
        if allowed is None or allowed.any(axis=1).all():
            return self._answer(asked, started)
        open_rows = np.flatnonzero(allowed.any(axis=1)).tolist()
        answers = dict(zip(open_rows, self._answer(asked.only(open_rows), started) if open_rows else (), strict=True))
        return [answers[row] if row in answers else self._nothing_allowed() for row in range(len(requests))]

    def _nothing_allowed(self) -> RequestError:
        return RequestError(
            expected="at least one action that mask and constraints both allow",
            found="none",
            where=f"the request's mask, with the constraints {[c.name for c in self.problem.constraints]}",
            fix="allow another action, or decide this case by hand",
        )

    def _answer(self, asked: Asked, started: int) -> Answers:
        """Answer what can be answered; what the incumbent cannot answer, or the log not keep, fails alone."""
        self._account(asked)
        try:
            return self._answer_together(asked, started)
        except (IncumbentError, UnfitError):
            return [self._alone(asked.only([row]), started) for row in range(len(asked.requests))]

    def _alone(self, asked: Asked, started: int) -> Answer | TenureError:
        try:
            return self._answer_together(asked, started)[0]
        except (IncumbentError, UnfitError) as error:
            return error

    def _account(self, asked: Asked) -> None:
        """Count the defaults used, and follow the requests' time where the clock does."""
        given = sum([len(request.context) for request in asked.requests])
        self.counters["default_used"] += asked.observation.size - given
        if isinstance(self.clock, ManualClock):
            for request in asked.requests:
                if request.at is not None:
                    self.clock.advance_to(from_text(request.at))

    def _answer_together(self, asked: Asked, started: int) -> Answers:
        """The path: where the rollout stands, choose, write durably under that epoch, check again, answer.

        `Chooser.choose` holds the middle of it: arm, permit, proposal in its time, exploration, mask, people.
        """
        self._make_way(asked)
        tried_at = self.clock.monotonic()
        situation = self._situation(asked)
        if tried_at < self._log_rests_until:
            return self._unlogged(situation, started)
        try:
            while True:
                choices = self.chooser.choose(situation)
                decisions = self._decisions(situation, choices, started)
                appended = self.store.append_decisions(decisions, self.breakers.fold, self._beside(choices, decisions))
                if not appended.fenced:
                    break
                self.standing.refresh()  # a kill came between: decide again under the new epoch
                situation = self._situation(asked)
            # An answer is valid from before the check on, so that one sent by a frozen process comes too late.
            checked_at, age_s = self.clock.now(), self.clock.monotonic() - tried_at
            answers = self._checked(situation, decisions, appended, checked_at, age_s)
        except StoreError:
            self._rest_log(tried_at)
            return self._unlogged(situation, started)
        self._show(situation, decisions, appended.written)
        return answers

    def _situation(self, asked: Asked) -> Situation:
        control, doubt = self.standing.control()
        return Situation(asked, control, self.clock.now(), doubt)

    def _make_way(self, asked: Asked) -> None:
        """Move what was answered without the log into it, at the latest before one of its ids is asked for again."""
        if self.spool:
            again = any(self.spool.find(str(request.decision_id)) is not None for request in asked.requests)
            while self.drain() and again and self.spool:
                pass

    def _rest_log(self, tried_at: float) -> None:
        """Leave a log that failed alone in proportion to the time that took, so that answers do not wait for it."""
        now = self.clock.monotonic()
        self._log_rests_until = now + min(PATIENCE * (now - tried_at), LONGEST_LOG_REST_S)

    def _beside(
        self, choices: Sequence[Choice], decisions: Sequence[Decision]
    ) -> Callable[[Connection, Sequence[Decision]], None]:
        """What comes last in the transaction: proposals that wait for a person are queued, if their rows are new."""
        held = {row.decision_id: c.held for row, c in zip(decisions, choices, strict=True) if c.held is not None}
        queue = self.queue

        def write(connection: Connection, written: Sequence[Decision]) -> None:
            if held and queue is not None:
                for row in written:
                    if row.decision_id in held:
                        queue(connection, row, held[row.decision_id])
            self.at_disk()

        return write

    def _checked(
        self,
        situation: Situation,
        decisions: Sequence[Decision],
        appended: Appended,
        checked_at: datetime,
        age_s: float,
    ) -> Answers:
        """What was just written, if it still holds; else what the log says now.

        Another server that was asked the same meanwhile, and whose clock is ahead, may have corrected it as too old.
        """
        valid_until = to_text(checked_at + self.valid_for)
        fresh = age_s <= self.valid_for.total_seconds()
        if fresh and not appended.existing and self._stands(situation, appended):
            return [self._to_answer(row, valid_until) for row in decisions]
        return [
            self._settled(row, situation.asked.only([index]), checked_at, valid_until)
            for index, row in enumerate(decisions)
        ]

    def _stands(self, situation: Situation, appended: Appended) -> bool:
        epoch, last = situation.control.kill_epoch, appended.written[-1].sequence
        return self.store.still_stands(self.problem.name, epoch, last)

    def _settled(self, row: Decision, asked: Asked, checked_at: datetime, valid_until: str) -> Answer | TenureError:
        try:
            stored = self.settler.settled(row, checked_at, lambda: self.chooser.incumbent_offer(asked).action[0])
        except ConflictError as error:
            return error
        return self._to_answer(stored, valid_until)

    def _show(self, situation: Situation, decisions: Sequence[Decision], written: Sequence[Decision]) -> None:
        """Let exploration's budget and the shadow see what is new in the log."""
        for row in written:
            if row.arm is Arm.CANDIDATE:
                self.exploring.update(self.exploring.segment(row.context), situation.now, row.explored)
        if len(written) == len(decisions):
            self.behind(Answered(situation, list(enumerate(decisions))))
            return
        new = {row.decision_id for row in written}
        first = {row.decision_id: (index, row) for index, row in reversed(list(enumerate(decisions)))}
        self.behind(Answered(situation, [seen for decision_id, seen in first.items() if decision_id in new]))

    def _unlogged(self, situation: Situation, started: int) -> Answers:
        """The log cannot be written: the incumbent answers, and its rows wait in the spool."""
        choices = self.chooser.without_log(situation.asked)
        rows = self._decisions(situation, choices, started)
        if not self.spool.put(rows):
            self.counters["unlogged"] += len(rows)
        valid_until = to_text(self.clock.now() + self.valid_for)
        return [self._from_spool(row, valid_until) for row in rows]

    def _from_spool(self, row: Decision, valid_until: str) -> Answer | TenureError:
        """The answer to what waits in the spool; the first request under an id is the one that holds."""
        first = self.spool.find(row.decision_id) or row
        try:
            check_same(first, row)
        except ConflictError as error:
            return error
        return self._to_answer(first, valid_until)

    def _decisions(self, situation: Situation, choices: Sequence[Choice], started: int) -> list[Decision]:
        asked, control, now, _ = situation
        latency_us = (time.perf_counter_ns() - started) // 1000
        return [
            Decision.of(
                decision_id=request.decision_id,
                problem=self.problem.name,
                problem_version=self.problem.version,
                unit_id=request.unit_id,
                episode_id=request.episode_id,
                step=request.step,
                decided_at=now,
                context=request.context,
                observation=asked.observation[row].tobytes(),
                mask=None if asked.allowed is None else asked.allowed[row].tobytes(),
                stage=control.stage,
                arm=choice.arm,
                version=choice.version,
                action=choice.action,
                propensity=choice.propensity,
                explored=choice.explored,
                confidence=choice.confidence,
                kill_epoch=control.kill_epoch,
                reason=choice.reason,
                latency_us=latency_us,
                request_hash=request.body_hash(),
                density=None,
                candidates=None,
                position=None,
                sequence=0,
            )
            for row, (request, choice) in enumerate(zip(asked.requests, choices, strict=True))
        ]

    def _to_answer(self, row: Decision, valid_until: str) -> Answer:
        return Answer(
            row.decision_id,
            row.action,
            self.reader.labels[row.action],
            row.arm.value,
            row.stage,
            row.version,
            row.propensity,
            row.confidence,
            row.reason,
            row.explored,
            valid_until,
        )


def _names(now: datetime, count: int) -> list[str]:
    """Ids of our making: 48 bits of time, 80 of chance.

    Neighbours in time are neighbours in every index by id, so that a commit writes few pages; after UUID version 7
    (RFC 9562).
    """
    moment = f"{int(now.timestamp() * 1000):012x}"
    chance = os.urandom(CHANCE_BYTES * count).hex()
    return [moment + chance[at : at + 2 * CHANCE_BYTES] for at in range(0, len(chance), 2 * CHANCE_BYTES)]


def _with_id(request: DecisionRequest, name: str) -> DecisionRequest:
    """The request under an id of our making."""
    return msgspec.structs.replace(request, decision_id=name)


def _outcome(request: OutcomeRequest) -> Outcome:
    observed_at = None if request.observed_at is None else from_text(request.observed_at)
    return Outcome(request.outcome_id, request.decision_id, observed_at, request.signals, request.kind)
