"""A policy's time to propose: one that takes longer loses its group to another thread, and rests for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

FIRST_REST_S, LONGEST_REST_S = 1.0, 60.0
"""How long a policy that was late is not asked; doubled each time it is late again."""

MOST_HUNG = 3
"""Calls that may hang at once; while so many do, the policy is not asked at all."""

T = TypeVar("T")


class LateError(Exception):
    """The policy took too long, or rests because it did."""


class OvertakenError(Exception):
    """Another thread answers this group: leave it, write nothing."""


@dataclass
class _Call:
    started: float
    overtaken: bool = False


class Deadline:
    """Lets a policy propose in the thread that asks, without a hop; `Watchdog` sees when it does not come back.

    Args:
        seconds: how long a proposal may take.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self._monotonic = seconds, monotonic
        self.hung = 0
        self._lock = threading.Lock()
        self._guarded: int | None = None
        self._call: _Call | None = None
        self._rest_s, self._rests_until = FIRST_REST_S, float("-inf")

    def guard(self) -> None:
        """From now on calls of this thread are watched; it is the only one."""
        self._guarded = threading.get_ident()

    def ask(self, propose: Callable[[], T]) -> T:
        """What a policy proposes, if it does so in time.

        Raises:
            LateError: it took too long, or rests.
            OvertakenError: it took too long, and another thread has the group.
        """
        started = self._monotonic()
        if started < self._rests_until or self.hung >= MOST_HUNG:
            raise LateError
        call = _Call(started)
        watched = threading.get_ident() == self._guarded
        if watched:
            self._call = call
        try:
            proposal = propose()
        finally:
            if watched:
                self._end(call)
        if self._monotonic() - started > self.seconds:
            with self._lock:
                self._rest()
            raise LateError
        self._rest_s = FIRST_REST_S
        return proposal

    def overrun(self) -> bool:
        """Whether the watched call has just been taken from its thread, since its time is over."""
        with self._lock:
            call = self._call
            if call is None or self._monotonic() - call.started <= self.seconds:
                return False
            call.overtaken, self._call = True, None
            self.hung += 1
            self._rest()
            return True

    def looks_again_s(self) -> float:
        """Seconds after which the next call could be over its time: no call can be so before."""
        call = self._call
        left = self.seconds if call is None else call.started + self.seconds - self._monotonic()
        return max(left, 0.0005)

    def _end(self, call: _Call) -> None:
        with self._lock:
            if call.overtaken:
                self.hung -= 1
                raise OvertakenError
            self._call = None

    def _rest(self) -> None:
        self._rests_until = self._monotonic() + self._rest_s
        self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)


class Watchdog:
    """One thread that sleeps until a watched call could be over its time.

    Args:
        deadline: what it watches.
        overtake: has the group answered by another thread; called each time a call is over its time.
    """

    def __init__(self, deadline: Deadline, overtake: Callable[[], None]) -> None:
        self._deadline, self._overtake = deadline, overtake
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; closing twice is allowed."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._deadline.looks_again_s()):
            if self._deadline.overrun():
                self._overtake()
