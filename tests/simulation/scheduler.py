"""Virtual time: events in one order, and stalls, in which the others go on while one stands still."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
MS, SECOND = 1_000, 1_000_000
"""Microseconds of virtual time."""

Act = Callable[[], None]


class Scheduler:
    """Runs events by time; an actor in the middle of its own event gets no second one before it has ended.

    Args:
        seed: fixes all that happens.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0
        self.trace: list[str] = []
        self.after_step: Act = lambda: None
        self._events: list[tuple[int, int, str, Act]] = []
        self._waiting: dict[str, list[Act]] = {}
        self._busy: dict[str, None] = {}
        self._held: dict[str, int] = {}
        self._number = 0

    def at(self, delay: int, actor: str, act: Act) -> None:
        """Let an actor do something after a delay in microseconds."""
        self._number += 1
        heapq.heappush(self._events, (self.now + delay, self._number, actor, act))

    def note(self, text: str) -> None:
        """Write a line of the trace."""
        self.trace.append(f"{self.now / SECOND:10.6f} {text}")

    def run(self, until: int) -> None:
        """Everything that is due up to a moment."""
        while self._events and self._events[0][0] <= until:
            due, _, actor, act = heapq.heappop(self._events)
            self.now = max(self.now, due)
            if self._held.get(actor, 0) > self.now:
                self.at(self._held[actor] - self.now, actor, act)
            elif actor in self._busy:
                self._waiting.setdefault(actor, []).append(act)
            else:
                self._do(actor, act)
        self.now = max(self.now, until)

    def hold(self, actor: str, span: int) -> None:
        """Freeze an actor for a span, in the middle of what it does, too."""
        self._held[actor] = self.now + span

    def stall(self, actor: str, span: int) -> None:
        """Whoever acts now stands still for a span, or for as long as it is frozen; the others go on."""
        self.run(self.now + span)
        while self._held.get(actor, 0) > self.now:
            self.run(self._held[actor])

    def digest(self) -> str:
        """SHA-256 of the trace."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def _do(self, actor: str, act: Act) -> None:
        with self._acting(actor):
            act()
        self.after_step()
        for late in self._waiting.pop(actor, []):
            self.at(0, actor, late)

    @contextmanager
    def _acting(self, actor: str) -> Iterator[None]:
        self._busy[actor] = None
        try:
            yield
        finally:
            del self._busy[actor]


class SkewedClock:
    """A replica's clock: the wall may jump, the monotonic one never does.

    Args:
        scheduler: whose time it shows.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.skew = timedelta(0)

    def now(self) -> datetime:
        return BEGIN + timedelta(microseconds=self._scheduler.now) + self.skew

    def monotonic(self) -> float:
        return self._scheduler.now / SECOND
