"""What runs behind the answers: group commits for many callers, and the shadow; neither is in an answer's way."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from tenure.core.decision import Arm, Decision, ShadowProposal
from tenure.core.errors import TenureError
from tenure.core.policy import Proposal
from tenure.serving.choose import Situation
from tenure.serving.service import Answered, DecisionService
from tenure.serving.wire import Answer, DecisionRequest

LARGEST_GROUP = 256
"""Requests of one group commit."""

Answers = list[Answer | TenureError]
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
        self._thread = threading.Thread(target=self._run, name="tenure-commit", daemon=True)
        self._thread.start()

    def submit(self, requests: Sequence[DecisionRequest]) -> Future[Answers]:
        """Answers to come, in order; the callers' requests stay together."""
        future: Future[Answers] = Future()
        self._queue.put(_Waiting(requests, future))
        return future

    def close(self) -> None:
        """Answer what is waiting, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, more = [first], True
            while more and sum(len(waiting.requests) for waiting in group) < LARGEST_GROUP:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._queue.put(None)
                    more = False
                else:
                    group.append(following)
            self._answer(group)

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
    """One thread that asks the arm that did not answer what it would have done, and logs it."""

    def __init__(self, service: DecisionService) -> None:
        self._service = service
        self._queue: queue.SimpleQueue[Answered | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tenure-shadow", daemon=True)
        service.behind = self._queue.put
        self._thread.start()

    def close(self) -> None:
        """Log what is waiting, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (answered := self._queue.get()) is not None:
            requests, decisions, situation = answered
            try:
                self._service.store.append_proposals(
                    self._service.problem.name, self._proposals(requests, decisions, situation)
                )
            except TenureError:
                self._service.counters["shadow_lost"] += len(decisions)
                log.exception("the shadow could not be logged")

    def _proposals(
        self, requests: Sequence[DecisionRequest], decisions: Sequence[Decision], situation: Situation
    ) -> list[ShadowProposal]:
        chooser, control = self._service.chooser, situation.control
        if control.version is None or control.stage == "rolled_back":
            return []
        learned = np.array([row.arm is Arm.CANDIDATE for row in decisions])
        candidate = None if learned.all() else chooser.candidate_proposal(requests, situation)[0]
        incumbent = chooser.incumbent_proposal(requests, *situation.seen) if learned.any() else None
        return [
            *_rows(decisions, ~learned, candidate, Arm.CANDIDATE, control.version, situation),
            *_rows(decisions, learned, incumbent, Arm.INCUMBENT, chooser.incumbent.version, situation),
        ]


def _rows(
    decisions: Sequence[Decision],
    which: np.ndarray[tuple[int], np.dtype[np.bool_]],
    proposal: Proposal | None,
    arm: Arm,
    version: str,
    situation: Situation,
) -> list[ShadowProposal]:
    if proposal is None:
        return []
    probability = proposal.probability_of(proposal.action)
    return [
        ShadowProposal(
            decision_id=decisions[index].decision_id,
            arm=arm,
            version=version,
            action=int(proposal.action[index]),
            propensity=float(probability[index]),
            confidence=float(proposal.confidence[index]),
            computed_at=situation.now,
        )
        for index in np.flatnonzero(which).tolist()
    ]
