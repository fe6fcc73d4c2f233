"""The path of one decision and of one outcome; order is the safety argument, so it is written out."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np

from tenure.core.clock import Clock, ManualClock, from_text, to_text
from tenure.core.decision import Arm, Decision, Outcome
from tenure.core.errors import ConflictError, IncumbentError, RequestError, StoreError, TenureError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.rollout.settings import Settings
from tenure.serving.choose import Asked, Choice, Chooser, Loader, Situation
from tenure.serving.observation import Reader
from tenure.serving.settle import VALID_FOR, Settler
from tenure.serving.wire import Answer, DecisionRequest, OutcomeRequest
from tenure.store import Receipt, Store

Answers = list[Answer | TenureError]


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
    ) -> None:
        self.problem, self.store, self.settings, self.clock = problem, store, settings, clock
        self.reader = Reader(problem)
        salt = store.open_problem(problem.name, settings.rollout.salt or problem.version).salt
        self.chooser = Chooser(self.reader, incumbent, load, salt, settings.rollout.exploration)
        self.settler = Settler(problem.name, store)
        self.behind = behind
        self.counters: Counter[str] = Counter()

    def decide(self, requests: Sequence[DecisionRequest]) -> Answers:
        """Answer a group of requests in one commit; a refused one gets its error, the others their answer."""
        started = time.perf_counter_ns()
        answers: dict[int, Answer | TenureError] = {}
        readable: list[DecisionRequest] = []
        rows: list[list[float]] = []
        for index, request in enumerate(requests):
            try:
                rows.append(self._read(request))
                readable.append(request if request.decision_id else _with_id(request))
            except RequestError as error:
                answers[index] = error
        if readable:
            places = [index for index in range(len(requests)) if index not in answers]
            answers |= zip(places, self._decidable(readable, rows, started), strict=True)
        refused = sum([isinstance(answer, TenureError) for answer in answers.values()])
        self.counters["answered"] += len(requests) - refused
        self.counters["refused"] += refused
        return [answers[index] for index in range(len(requests))]

    def outcomes(self, requests: Sequence[OutcomeRequest]) -> list[Receipt]:
        """Write outcomes durably, each in exactly one place.

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
        )

    def _read(self, request: DecisionRequest) -> list[float]:
        """Feature values of a request, in the problem's order; everything in it checked.

        Raises:
            RequestError: the first thing in it that is wrong.
        """
        if request.at is not None:
            self._check_at(request.at)
        if request.incumbent_action is not None:
            self.reader.action(request.incumbent_action)
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

    def _decidable(self, requests: list[DecisionRequest], rows: list[list[float]], started: int) -> Answers:
        """Answers where mask and constraints leave an action, refusals elsewhere."""
        observation = self.reader.observation(rows)
        allowed = self.problem.allowed(observation, self.reader.masks([request.mask for request in requests]))
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
        """Answer what can be answered; where the incumbent cannot, only the requests it cannot answer fail."""
        self._account(asked)
        try:
            return self._answer_together(asked, started)
        except IncumbentError:
            return [self._alone(asked.only([row]), started) for row in range(len(asked.requests))]

    def _alone(self, asked: Asked, started: int) -> Answer | TenureError:
        try:
            return self._answer_together(asked, started)[0]
        except IncumbentError as error:
            return error

    def _account(self, asked: Asked) -> None:
        """Count the defaults used, and follow the requests' time where the clock does."""
        given = sum(len(request.context) for request in asked.requests)
        self.counters["default_used"] += asked.observation.size - given
        if isinstance(self.clock, ManualClock):
            for request in asked.requests:
                if request.at is not None:
                    self.clock.advance_to(from_text(request.at))

    def _answer_together(self, asked: Asked, started: int) -> Answers:
        """Choose, write durably under the epoch seen, check again, answer; the shadow comes behind."""
        try:
            if self.settler.owed:
                self.settler.pay(self.clock.now())
            while True:
                situation = Situation(asked, self.store.control(self.problem.name), self.clock.now())
                decisions = self._decisions(situation, self.chooser.choose(situation), started)
                appended = self.store.append_decisions(decisions)
                if not appended.fenced:
                    break  # else a kill came between: decide again under the new epoch
            # An answer is valid from before the check on, so that one sent by a frozen process comes too late.
            checked_at = self.clock.now()
            answers = self._checked(situation, decisions, bool(appended.existing), checked_at)
        except StoreError:
            return [self._unlogged(asked.only([row])) for row in range(len(asked.requests))]
        self._show(situation, decisions, appended.written)
        return answers

    def _checked(
        self, situation: Situation, decisions: Sequence[Decision], repeats: bool, checked_at: datetime
    ) -> Answers:
        """What was just written, if it still holds; else what the log says now."""
        valid_until = to_text(checked_at + VALID_FOR)
        fresh = checked_at - situation.now <= VALID_FOR
        if fresh and not repeats and self.store.kill_epoch(self.problem.name) == situation.control.kill_epoch:
            return [self._to_answer(row, valid_until) for row in decisions]
        return [
            self._settled(row, situation.asked.only([index]), checked_at, valid_until)
            for index, row in enumerate(decisions)
        ]

    def _settled(self, row: Decision, asked: Asked, checked_at: datetime, valid_until: str) -> Answer | TenureError:
        try:
            stored = self.settler.settled(row, checked_at, lambda: self.chooser.incumbent_offer(asked).action[0])
        except ConflictError as error:
            return error
        return self._to_answer(stored, valid_until)

    def _show(self, situation: Situation, decisions: Sequence[Decision], written: Sequence[Decision]) -> None:
        """Let the shadow see what is new in the log."""
        if len(written) == len(decisions):
            self.behind(Answered(situation, list(enumerate(decisions))))
            return
        new = {row.decision_id for row in written}
        first = {row.decision_id: (index, row) for index, row in reversed(list(enumerate(decisions)))}
        self.behind(Answered(situation, [seen for decision_id, seen in first.items() if decision_id in new]))

    def _decisions(self, situation: Situation, choices: Sequence[Choice], started: int) -> list[Decision]:
        asked, control, now = situation
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
                sequence=0,
            )
            for row, (request, choice) in enumerate(zip(asked.requests, choices, strict=True))
        ]

    def _unlogged(self, asked: Asked) -> Answer | TenureError:
        """The log cannot be read or written: the incumbent answers, and the miss is counted."""
        (request,) = asked.requests
        try:
            offer = self.chooser.incumbent_offer(asked)
        except IncumbentError as error:
            return error
        self.counters["unlogged"] += 1
        self.settler.owe(str(request.decision_id), request.body_hash(), offer.action[0])
        return Answer(
            decision_id=str(request.decision_id),
            action=offer.action[0],
            label=self.reader.labels[offer.action[0]],
            arm=Arm.FALLBACK.value,
            stage="unknown",
            version=self.chooser.incumbent.version,
            propensity=None,
            confidence=offer.confidence[0],
            reason="log_unavailable",
            explored=False,
            valid_until=to_text(self.clock.now() + VALID_FOR),
        )

    def _to_answer(self, row: Decision, valid_until: str) -> Answer:
        return Answer(
            decision_id=row.decision_id,
            action=row.action,
            label=self.reader.labels[row.action],
            arm=row.arm.value,
            stage=row.stage,
            version=row.version,
            propensity=row.propensity,
            confidence=row.confidence,
            reason=row.reason,
            explored=row.explored,
            valid_until=valid_until,
        )


def _with_id(request: DecisionRequest) -> DecisionRequest:
    """The request under an id of our making."""
    return msgspec.structs.replace(request, decision_id=uuid.uuid4().hex)


def _outcome(request: OutcomeRequest) -> Outcome:
    observed_at = None if request.observed_at is None else from_text(request.observed_at)
    return Outcome(request.outcome_id, request.decision_id, observed_at, request.signals, request.kind)
