"""The path of one decision and of one outcome; order is the safety argument, so it is written out.

Only the order is kept here. What its steps do lies beside it: `reading` (a request to row and id), `choose` (what to
do), `rows` (a choice to the log's row, a row to the answer), `settle` (what a repeat gets), `away` (while there is no
log).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tenure.core.clock import Clock, ManualClock, from_text, to_text
from tenure.core.decision import Arm, Decision
from tenure.core.errors import ConflictError, IncumbentError, StoreError, TenureError, UnfitError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.rollout.settings import Settings
from tenure.serving.asking import Asked, Breaking, Exploring, Humans, NoBreakers, Situation, Steady
from tenure.serving.away import Away
from tenure.serving.choice import Choice, Held
from tenure.serving.choose import Chooser, Loader
from tenure.serving.deadline import Deadline
from tenure.serving.lease import Direct, Standing
from tenure.serving.observation import Reader
from tenure.serving.reading import nothing_allowed, outcome_of, read
from tenure.serving.rows import answer_of, rows_of
from tenure.serving.settle import Settler
from tenure.serving.spool import Spool
from tenure.serving.wire import Answer, Answers, DecisionRequest, OutcomeRequest
from tenure.store import Appended, Receipt, Store
from tenure.store.database import Connection

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
        self.exploring = exploring or Steady(settings.rollout.exploration, settings.exploration.scale)
        self.deadline = deadline or Deadline(settings.serving.deadline_ms / 1000)
        self.chooser = Chooser(self.reader, incumbent, load, salt, self.exploring, humans, self.deadline)
        self.valid_for = timedelta(seconds=settings.serving.valid_s)
        self.settler = Settler(problem.name, store, self.valid_for, self.breakers.fold)
        self.queue, self.behind = queue, behind
        self.at_disk: Callable[[], None] = lambda: None
        self.calm = threading.Event()
        self.calm.set()
        self.seen: Callable[[Sequence[Decision]], object] = lambda _: None
        """Told of each written group, behind the answers; metrics count here."""
        self.counters: Counter[str] = Counter()
        self.away = Away(store, self.settler, Spool() if spool is None else spool, clock, self.counters)

    def decide(self, requests: Sequence[DecisionRequest]) -> Answers:
        """Answer a group of requests in one commit; a refused one gets its error, the others their answer."""
        started = time.perf_counter_ns()
        refused, readable, rows = read(requests, self.reader, self.clock)
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
        outcomes = [outcome_of(request) for request in requests]
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

    def _decidable(self, requests: list[DecisionRequest], rows: list[Sequence[float]], started: int) -> Answers:
        """Answers where mask and constraints leave an action, refusals elsewhere."""
        observation = self.reader.observation(rows)
        allowed = self.problem.allowed(observation, self.reader.masks(requests))
        asked = Asked(requests, observation, allowed)
        if allowed is None or allowed.any(axis=1).all():
            return self._answer(asked, started)
        open_rows = np.flatnonzero(allowed.any(axis=1)).tolist()
        answers = dict(zip(open_rows, self._answer(asked.only(open_rows), started) if open_rows else (), strict=True))
        return [answers[row] if row in answers else nothing_allowed(self.problem) for row in range(len(requests))]

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
        self.away.make_way(asked)
        tried_at = self.clock.monotonic()
        situation = self._situation(asked)
        if tried_at < self.away.rests_until:
            return self._unlogged(situation, started)
        try:
            while True:
                choices = self.chooser.choose(situation)
                decisions = rows_of(self.problem, situation, choices, started)
                appended = self.store.append_decisions(decisions, self.breakers.fold, self._beside(choices, decisions))
                if not appended.fenced:
                    break
                self.standing.refresh()  # a kill came between: decide again under the new epoch
                situation = self._situation(asked)
            # An answer is valid from before the check on, so that one sent by a frozen process comes too late.
            checked_at, age_s = self.clock.now(), self.clock.monotonic() - tried_at
            answers = self._checked(situation, decisions, appended, checked_at, age_s)
        except StoreError:
            self.away.rest(tried_at)
            return self._unlogged(situation, started)
        self._show(situation, decisions, appended.written)
        return answers

    def _situation(self, asked: Asked) -> Situation:
        control, doubt = self.standing.control()
        return Situation(asked, control, self.clock.now(), doubt)

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
            word = self.reader.word
            return [answer_of(row, word, valid_until) for row in decisions]
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
        return answer_of(stored, self.reader.word, valid_until)

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
        kept = self.away.keep(rows_of(self.problem, situation, choices, started))
        word, valid_until = self.reader.word, to_text(self.clock.now() + self.valid_for)
        return [row if isinstance(row, ConflictError) else answer_of(row, word, valid_until) for row in kept]
