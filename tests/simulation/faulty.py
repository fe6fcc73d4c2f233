"""A database that fails as databases do: away, lost before the commit, lost after it, slow at either side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tenure.core.errors import StoreError

from .scheduler import MS, SECOND, Scheduler


class Crashed(BaseException):
    """The process ends here; not an Exception, so that nothing of it goes on."""


@dataclass
class Faults:
    """How often what goes wrong at one actor's door to the database; chances in [0, 1].

    Args:
        away: cut off from the database: every access fails.
        before: the transaction fails, nothing is written.
        after: it is committed, and the answer is lost.
        slow: the actor stands still at the door for a while.
    """

    away: bool = False
    before: float = 0.0
    after: float = 0.0
    slow: float = 0.0

    def end(self) -> None:
        """Nothing fails from here on."""
        self.away, self.before, self.after, self.slow = False, 0.0, 0.0, 0.0


class FaultyDatabase:
    """One actor's way to the database.

    Args:
        inner: the product's own database.
        scheduler: of time and chance.
        committed: called after every commit, with the actor's name, before anybody else acts.
        actor: whose way it is.
    """

    def __init__(self, inner: Any, scheduler: Scheduler, actor: str, committed: Callable[[str], None]) -> None:
        self.inner, self.scheduler, self.actor, self.committed = inner, scheduler, actor, committed
        self.faults = Faults()
        self.seen: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[int], None] = lambda _: None
        self.dead, self.failed = False, 0

    @contextmanager
    def reading(self) -> Iterator[Any]:
        self._door()
        with self.inner.reading() as connection:
            self.seen()
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        self._door()
        with self.inner.snapshot() as connection:
            self.seen()
            yield connection

    @contextmanager
    def writing(self, *, synced: bool = True) -> Iterator[Any]:
        self._door()
        with self.inner.writing(synced=synced) as connection:
            yield connection
            if self._happens(self.faults.before):
                raise self._failure("the disk is full")
        self.committed(self.actor)
        if self._happens(self.faults.after):
            raise self._failure("the connection broke after the commit")
        self._stand_still()

    def scrub(self) -> bool:
        """Nothing is erased here."""
        return True

    def unblock(self) -> None:
        """Nobody holds a lock here."""

    def hint(self, timeout_s: float) -> bool:
        """Nobody waits here."""
        return False

    def close(self) -> None:
        """The process has ended: whoever still stands at the door dies there."""
        self.dead = True
        self.inner.close()

    def stall(self, span: int) -> None:
        """Stand still for a span; what died meanwhile does not go on.

        Raises:
            Crashed: it did.
        """
        self.scheduler.stall(self.actor, span)
        if self.dead:
            raise Crashed

    def _door(self) -> None:
        self._stand_still()
        if self.faults.away:
            raise self._failure("nobody answers")

    def _stand_still(self) -> None:
        if self._happens(self.faults.slow):
            chance = self.scheduler.chance
            span = chance.choice([20 * MS] * 4 + [2 * SECOND] * 3 + [15 * SECOND])
            span = chance.randrange(span)
            self.scheduler.note(f"{self.actor} stands still for {span / SECOND:.3f} s")
            self.meanwhile(span)
            self.stall(span)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.scheduler.chance.random() < chance

    def _failure(self, found: str) -> StoreError:
        self.failed += 1
        self.scheduler.note(f"{self.actor}: {found}")
        return StoreError(expected="a log", found=found, where="the simulation", fix="wait")
