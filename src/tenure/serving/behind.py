"""What runs behind the answers: group commits for many callers, and the shadow; neither is in an answer's way."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from tenure.core.decision import Arm, Decision, ShadowProposal
from tenure.core.errors import StoreError
from tenure.serving.choose import Asked, Offer
from tenure.serving.service import Answered, Answers, DecisionService
from tenure.serving.wire import DecisionRequest

LARGEST_GROUP = 256
"""Requests of one group commit, unless a single caller sends more."""

LARGEST_BACKLOG = 10_000
"""Answered groups the shadow may lag behind; further ones are lost to it, and counted."""

log = logging.getLogger("tenure.serving")


@dataclass(frozen=True)
class _Waiting:
    requests: Sequence[DecisionRequest]
    answers: Future[Answers]


class GroupCommitter:
    """One thread that answers whatever has come in while it was committing, in one commit.

    Source: group commit after DeWitt et al. (1984).
    """

    def __init__(self, decide: Callable[[Sequence[DecisionRequest]], Answers]) -> None:
        self._decide = decide
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="tenure-commit", daemon=True)
        self._thread.start()

    def submit(self, requests: Sequence[DecisionRequest]) -> Future[Answers]:
        """Answers to come, in order; the callers' requests stay together.

        Raises:
            StoreError: it was closed.
        """
        future: Future[Answers] = Future()
        with self._closing:
            if self._closed:
                raise StoreError(
                    expected="a running server", found="one that stops", where="the decision server", fix="ask another"
                )
            self._queue.put(_Waiting(requests, future))
        return future

    def close(self) -> None:
        """Answer what is waiting, then stop; closing twice is allowed."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, size = [first], len(first.requests)
            while size < LARGEST_GROUP and (following := self._next()) is not None:
                group.append(following)
                size += len(following.requests)
            # A caller who has gone is left out; the others can no longer go.
            self._answer([waiting for waiting in group if waiting.answers.set_running_or_notify_cancel()])

    def _next(self) -> _Waiting | None:
        """What else is waiting; None when nothing is, or the end has come."""
        try:
            following = self._queue.get_nowait()
        except queue.Empty:
            return None
        if following is None:
            self._queue.put(None)
        return following

    def _answer(self, group: list[_Waiting]) -> None:
        try:
            answers = iter(self._decide([request for waiting in group for request in waiting.requests]))
        except Exception as error:  # a defect of ours must reach the callers, not stop the thread
            log.exception("a group of decisions failed")
            for waiting in group:
                waiting.answers.set_exception(error)
            return
        for waiting in group:
            waiting.answers.set_result([next(answers) for _ in waiting.requests])


class Shadow:
    """One thread that asks the arm that did not answer what it would have done, and logs it.

    A killed or rolled-back candidate is not asked any more.
    """

    def __init__(self, service: DecisionService) -> None:
        self._service = service
        self._queue: queue.Queue[Answered | None] = queue.Queue(LARGEST_BACKLOG)
        self._thread = threading.Thread(target=self._run, name="tenure-shadow", daemon=True)
        service.behind = self._take
        self._thread.start()

    def close(self) -> None:
        """Log what is waiting, then stop."""
        self._service.behind = lambda _: None
        self._queue.put(None)
        self._thread.join()

    def _take(self, answered: Answered) -> None:
        try:
            self._queue.put_nowait(answered)
        except queue.Full:
            self._lost(answered)

    def _lost(self, answered: Answered) -> None:
        self._service.counters["shadow_lost"] += len(answered.decisions)

    def _run(self) -> None:
        while (answered := self._queue.get()) is not None:
            try:
                proposals = self._proposals(answered)
                if proposals:
                    self._service.store.append_proposals(self._service.problem.name, proposals)
            except Exception:  # a policy, the incumbent or the log: the next group gets its chance
                self._lost(answered)
                log.exception("the shadow of a group was lost")

    def _proposals(self, answered: Answered) -> list[ShadowProposal]:
        chooser, (_, control, now) = self._service.chooser, answered.situation
        if control.version is None or control.killed or control.stage == "rolled_back":
            return []
        proposals: list[ShadowProposal] = []
        rows, asked = _answered_by(answered, Arm.INCUMBENT)
        if rows:
            offer, _ = chooser.candidate_offer(answered.situation._replace(asked=asked))
            proposals += [] if offer is None else _rows(rows, offer, Arm.CANDIDATE, control.version, now)
        rows, asked = _answered_by(answered, Arm.CANDIDATE)
        if rows:
            offer = chooser.incumbent_offer(asked)
            proposals += _rows(rows, offer, Arm.INCUMBENT, chooser.incumbent.version, now)
        return proposals


def _answered_by(answered: Answered, arm: Arm) -> tuple[list[Decision], Asked]:
    """The decisions one arm has answered, and what was asked."""
    seen = [(index, row) for index, row in answered.decisions if row.arm is arm]
    return [row for _, row in seen], answered.situation.asked.only([index for index, _ in seen])


def _rows(rows: list[Decision], offer: Offer, arm: Arm, version: str, at: datetime) -> list[ShadowProposal]:
    return [
        ShadowProposal(
            decision_id=row.decision_id,
            arm=arm,
            version=version,
            action=offer.action[index],
            propensity=offer.probability(index, offer.action[index]),
            confidence=offer.confidence[index],
            computed_at=at,
        )
        for index, row in enumerate(rows)
    ]
