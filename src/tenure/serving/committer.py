"""Group commits for many callers: one thread answers whatever has come in while it was committing."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from tenure.core.errors import StoreError
from tenure.serving.deadline import Deadline, OvertakenError, Watchdog
from tenure.serving.wire import Answers, DecisionRequest

LARGEST_GROUP = 256
"""Requests of one group commit, unless a single caller sends more."""

log = logging.getLogger("tenure.serving")

Ticket = TypeVar("Ticket")
"""By what a caller knows its own answers."""


class Waiting(NamedTuple, Generic[Ticket]):
    """Requests of one caller."""

    requests: Sequence[DecisionRequest]
    ticket: Ticket


Delivery = Sequence[tuple[Ticket, Answers | Exception]]
"""What became of each caller of a group."""


class GroupCommitter(Generic[Ticket]):
    """One thread that answers whatever has come in while it was committing, in one commit.

    A policy that overruns its deadline loses the thread it hangs in: a fresh one answers the group without it.

    Args:
        decide: answers requests in order, in one commit.
        deliver: gets the answers of a group, in the committing thread; must return at once.
        deadline: of the policy that `decide` asks.

    Source: group commit after DeWitt et al. (1984).
    """

    def __init__(
        self,
        decide: Callable[[Sequence[DecisionRequest]], Answers],
        deliver: Callable[[Delivery[Ticket]], object],
        deadline: Deadline,
    ) -> None:
        self._decide, self._deliver, self._deadline = decide, deliver, deadline
        self._queue: queue.SimpleQueue[Waiting[Ticket] | None] = queue.SimpleQueue()
        self._closing, self._closed, self._ended = threading.Lock(), False, threading.Event()
        self._group: list[Waiting[Ticket]] = []
        self._start()
        self._watchdog = Watchdog(deadline, self._start)

    def submit(self, requests: Sequence[DecisionRequest], ticket: Ticket) -> None:
        """Have requests answered; they stay together, and `deliver` gets their answers in order.

        Raises:
            StoreError: it was closed.
        """
        with self._closing:
            if self._closed:
                raise StoreError(
                    expected="a running server", found="one that stops", where="the decision server", fix="ask another"
                )
            self._queue.put(Waiting(requests, ticket))

    def close(self) -> None:
        """Answer what is waiting, then stop; closing twice is allowed."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._ended.wait()
        self._watchdog.close()

    def _start(self) -> None:
        """A thread that takes on the group in hand, if there is one, and all that follow."""
        threading.Thread(target=self._run, args=(self._group,), name="tenure-commit", daemon=True).start()

    def _run(self, group: list[Waiting[Ticket]]) -> None:
        self._deadline.guard()
        try:
            while group or (group := self._gathered()):
                self._group = group
                self._answer(group)
                self._group = group = []
        except OvertakenError:  # the policy has come back to a thread that lost its turn
            return
        self._ended.set()

    def _gathered(self) -> list[Waiting[Ticket]]:
        """All that waits, up to the largest group; nothing when the end has come."""
        waiting = self._queue.get()
        group: list[Waiting[Ticket]] = []
        size = 0
        try:
            while waiting is not None:
                group.append(waiting)
                size += len(waiting.requests)
                if size >= LARGEST_GROUP:
                    return group
                waiting = self._queue.get_nowait()
            if group:
                self._queue.put(None)  # the end comes after this group
        except queue.Empty:
            pass
        return group

    def _answer(self, group: list[Waiting[Ticket]]) -> None:
        try:
            answers = self._decide([request for waiting in group for request in waiting.requests])
        except OvertakenError:
            raise
        except Exception as error:  # a defect of ours must reach the callers, not stop the thread
            log.exception("a group of decisions failed")
            self._deliver([(waiting.ticket, error) for waiting in group])
            return
        done, at = [], 0
        for requests, ticket in group:
            done.append((ticket, answers[at : at + len(requests)]))
            at += len(requests)
        self._deliver(done)
