"""The path of one decision and of one outcome; order is the safety argument, so it is written out."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import numpy as np

from tenure.core.clock import Clock, ManualClock, from_text, to_text
from tenure.core.decision import Arm, Decision, Outcome
from tenure.core.errors import ConflictError, RequestError, StoreError, TenureError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.rollout.settings import Settings
from tenure.serving.choose import Choice, Chooser, Loader, Situation
from tenure.serving.observation import Reader
from tenure.serving.wire import Answer, DecisionRequest, OutcomeRequest
from tenure.store import Control, Receipt, SqliteStore

VALID_FOR = timedelta(seconds=30)
"""How long a client may act on an answer."""

Answered = tuple[Sequence[DecisionRequest], Sequence[Decision], Situation]
"""What the shadow gets to see: a group that has been answered."""


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
        store: SqliteStore,
        settings: Settings,
        clock: Clock,
        load: Loader,
        behind: Callable[[Answered], None] = lambda _: None,
    ) -> None:
        self.problem, self.store, self.settings, self.clock = problem, store, settings, clock
        self.reader = Reader(problem)
        salt = store.open_problem(problem.name, settings.rollout.salt or problem.version).salt
        self.chooser = Chooser(self.reader, incumbent, load, salt, settings.rollout.exploration)
        self.behind = behind
        self.counters: Counter[str] = Counter()

    def decide(self, requests: Sequence[DecisionRequest]) -> list[Answer | TenureError]:
        """Answer a group of requests in one commit; a refused one gets its error, the others their answer."""
        started = time.perf_counter_ns()
        readable, rows, refused = [], [], {}
        for index, request in enumerate(requests):
            try:
                rows.append(self._read(request))
                readable.append(request if request.decision_id else _with_id(request))
            except RequestError as error:
                refused[index] = error
        self.counters["refused"] += len(refused)
        answers = iter(self._answer(readable, rows, started) if readable else ())
        return [refused[index] if index in refused else next(answers) for index in range(len(requests))]

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
            signals=self.problem.signal_names,
        )

    def situation(self, requests: Sequence[DecisionRequest], rows: list[list[float]]) -> Situation:
        """Everything a group is decided on; stage and kill epoch are read afresh."""
        observation = self.reader.observation(rows)
        allowed = self.problem.allowed(observation, self.reader.masks([request.mask for request in requests]))
        choices = np.full(len(rows), len(self.reader.labels)) if allowed is None else allowed.sum(axis=1)
        control = self.store.control(self.problem.name)
        return Situation(control, self.clock.now(), observation, allowed, choices)

    def _read(self, request: DecisionRequest) -> list[float]:
        """Feature values of a request, in the problem's order; everything else in it checked."""
        if request.at is not None:
            self._follow(request.at)
        if request.incumbent_action is not None:
            self.reader.action(request.incumbent_action)
        self.reader.masks([request.mask])
        return self.reader.row(request.context)

    def _follow(self, at: str) -> None:
        if not isinstance(self.clock, ManualClock):
            raise RequestError(
                expected="no `at`: this server uses its own clock",
                found=repr(at),
                where="the request's `at`",
                fix="leave it out, or start the server with --simulated-clock",
            )
        self.clock.advance_to(from_text(at))

    def _answer(
        self, requests: Sequence[DecisionRequest], rows: list[list[float]], started: int
    ) -> Sequence[Answer | TenureError]:
        """Choose, write durably under the epoch seen, check again, answer; the shadow comes behind."""
        try:
            situation = self.situation(requests, rows)
            choice = self.chooser.choose(requests, situation)
            decisions = self._decisions(requests, situation, choice, started)
            appended = self.store.append_decisions(decisions)
            if appended.fenced:  # a kill came between: decide again under the new epoch
                return self._answer(requests, rows, started)
            as_written = not appended.existing and not self._killed_since(situation.control)
            answers: Sequence[Answer | TenureError] = (
                [self._to_answer(row) for row in decisions]
                if as_written
                else [self._settled(row, request) for row, request in zip(decisions, requests, strict=True)]
            )
        except StoreError:
            return [self._unlogged(request, row) for request, row in zip(requests, rows, strict=True)]
        self.counters["answered"] += len(answers)
        self.behind((requests, decisions, situation))
        return answers

    def _decisions(
        self, requests: Sequence[DecisionRequest], situation: Situation, choice: Choice, started: int
    ) -> list[Decision]:
        latency_us = (time.perf_counter_ns() - started) // 1000
        control, allowed = situation.control, situation.allowed
        actions, propensities = choice.action.tolist(), choice.propensity.tolist()
        explored, confidences = choice.explored.tolist(), choice.confidence.tolist()
        return [
            Decision(
                decision_id=str(request.decision_id),
                problem=self.problem.name,
                problem_version=self.problem.version,
                unit_id=request.unit_id,
                episode_id=request.episode_id,
                step=request.step,
                decided_at=situation.now,
                context=request.context,
                observation=situation.observation[index].tobytes(),
                mask=None if allowed is None else allowed[index].tobytes(),
                stage=control.stage,
                arm=choice.arm[index],
                version=choice.version[index],
                action=actions[index],
                propensity=propensities[index],
                explored=explored[index],
                confidence=confidences[index],
                kill_epoch=control.kill_epoch,
                reason=choice.reason[index],
                latency_us=latency_us,
                request_hash=request.body_hash(),
            )
            for index, request in enumerate(requests)
        ]

    def _killed_since(self, seen: Control) -> bool:
        return self.store.control(self.problem.name).kill_epoch != seen.kill_epoch

    def _settled(self, row: Decision, request: DecisionRequest) -> Answer | TenureError:
        """The answer as the log has it: a repeat gets the first one, a killed or old one the incumbent's action."""
        stored = self.store.decision(self.problem.name, row.decision_id)
        assert stored is not None
        if stored.request_hash != row.request_hash:
            return ConflictError(
                expected=f"the body first sent under decision_id {row.decision_id!r}",
                found="another body",
                where="a repeated decision request",
                fix="use a new decision_id for a new decision",
            )
        if stored.arm is Arm.CANDIDATE:
            if self.store.control(self.problem.name).kill_epoch != stored.kill_epoch:
                stored = self._corrected(stored, request, "killed")
            elif self.clock.now() - stored.decided_at > VALID_FOR:
                stored = self._corrected(stored, request, "expired")
        return self._to_answer(stored)

    def _corrected(self, stored: Decision, request: DecisionRequest, reason: str) -> Decision:
        self.store.append_correction(
            self.problem.name,
            stored.decision_id,
            action=self._incumbent_action(request, self.reader.row(request.context)),
            arm=Arm.FALLBACK,
            propensity=None,
            reason=reason,
            at=self.clock.now(),
        )
        corrected = self.store.decision(self.problem.name, stored.decision_id)
        assert corrected is not None
        return corrected

    def _incumbent_action(self, request: DecisionRequest, row: list[float]) -> int:
        """What the incumbent would do; needs no log."""
        observation = self.reader.observation([row])
        allowed = self.problem.allowed(observation, self.reader.masks([request.mask]))
        return int(self.chooser.incumbent_proposal([request], observation, allowed).action[0])

    def _unlogged(self, request: DecisionRequest, row: list[float]) -> Answer:
        """The log cannot be read or written: the incumbent answers, and the miss is counted."""
        self.counters["unlogged"] += 1
        action = self._incumbent_action(request, row)
        return Answer(
            decision_id=str(request.decision_id),
            action=action,
            label=self.reader.labels[action],
            arm=Arm.FALLBACK.value,
            stage="unknown",
            version=self.chooser.incumbent.version,
            propensity=None,
            confidence=1.0,
            reason="log_unavailable",
            explored=False,
            valid_until=to_text(self.clock.now() + VALID_FOR),
        )

    def _to_answer(self, row: Decision) -> Answer:
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
            valid_until=to_text(self.clock.now() + VALID_FOR),
        )


def _with_id(request: DecisionRequest) -> DecisionRequest:
    """The request under an id of our making."""
    return msgspec.structs.replace(request, decision_id=uuid.uuid4().hex)


def _outcome(request: OutcomeRequest) -> Outcome:
    observed_at = None if request.observed_at is None else from_text(request.observed_at)
    return Outcome(request.outcome_id, request.decision_id, observed_at, request.signals, request.kind)
