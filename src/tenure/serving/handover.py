"""Between the event loop and the committing thread: whole groups over, answers back, and no struggle in between.

Both threads need Python's one lock. While a group is computed the loop stands aside, else each would wait for the other
hundreds of times a second; while a group is on its way to the disk, which needs no lock, the loop goes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from tenure.core.errors import StoreError
from tenure.serving.committer import Delivery, GroupCommitter, Waiting
from tenure.serving.deadline import Deadline
from tenure.serving.wire import Answers, DecisionRequest

ASIDE_S = 0.01
"""Longest the loop stands aside: a policy that hangs keeps nobody's connection waiting longer."""

GATHER_S = 0.001
"""Longest a request waits for as many others as there were last time: half a group costs as much as a whole one."""

Ticket = asyncio.Future[Answers]
Decide = Callable[[Sequence[DecisionRequest]], Answers]


class Handover:
    """Gathers what one turn of the event loop brings, and has it answered in one commit.

    Args:
        decide: answers requests in order, in one commit; calls `at_disk` when it has computed them.
        deadline: of the policy that `decide` asks.
        calm: set while no group is being computed, for those who can wait.
    """

    def __init__(self, decide: Decide, deadline: Deadline, calm: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Waiting[Ticket]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._out, self._expected = 0, 1
        self._calm, self._computed = calm, threading.Lock()
        self._computed.acquire()
        self._committer = GroupCommitter[Ticket](decide, self._delivered, deadline)

    async def ask(self, requests: Sequence[DecisionRequest]) -> Answers:
        """The answers to some requests, which stay together.

        Raises:
            StoreError: it was closed.
        """
        ticket: Ticket = self._loop.create_future()
        self._waiting.append(Waiting(requests, ticket))
        if not self._out:
            if len(self._waiting) >= self._expected:
                self._hand_over()
            elif self._timer is None:
                self._timer = self._loop.call_later(GATHER_S, self._hand_over)
        return await ticket

    def at_disk(self) -> None:
        """What is left of the group in hand needs no lock; called by the committing thread."""
        if self._computed.locked():
            self._computed.release()
        self._calm.set()

    def close(self) -> None:
        """Answer what was handed over, then stop."""
        self._committer.close()

    def _hand_over(self) -> None:
        """Give what waits to the committing thread, and stand aside while it computes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        self._computed.acquire(blocking=False)
        self._calm.clear()
        for index, (requests, ticket) in enumerate(waiting):
            try:
                self._committer.submit(requests, ticket)
            except StoreError as error:
                for late in waiting[index:]:
                    late.ticket.set_exception(error)
                return
            self._out += 1
        self._computed.acquire(timeout=ASIDE_S)

    def _delivered(self, delivery: Delivery[Ticket]) -> None:
        self.at_disk()
        # Once for the whole group: each wake-up of the loop costs as much as an answer.
        self._loop.call_soon_threadsafe(self._settle, delivery)

    def _settle(self, delivery: Delivery[Ticket]) -> None:
        for ticket, answers in delivery:
            if ticket.done():
                continue  # the caller has gone
            if isinstance(answers, Exception):
                ticket.set_exception(answers)
            else:
                ticket.set_result(answers)
        self._out -= len(delivery)
        if not self._out:
            self._expected = len(delivery) + len(self._waiting)
            if self._waiting and self._timer is None:
                self._timer = self._loop.call_later(GATHER_S, self._hand_over)
