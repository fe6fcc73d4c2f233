"""The controller and the people beside it: they start, promote, pause, kill and restore through the product's verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenure.core.errors import FencedError, MoveError, StoreError
from tenure.rollout import Controller, Move, Services
from tenure.store import Store

from .scheduler import SECOND, Scheduler, SkewedClock
from .toy import PROBLEM, STAGES, settings


class People:
    """One actor for all of them, who mostly goes forward.

    Args:
        scheduler: of time and chance.
        store: their own way to the log.
        clock: theirs.
        salt: of the split.
    """

    def __init__(self, scheduler: Scheduler, store: Store, clock: SkewedClock, salt: str) -> None:
        self.scheduler, self.store, self.clock = scheduler, store, clock
        self.started = 0
        nothing: Any = None
        self.controller = Controller(PROBLEM, settings(salt), store, Services(nothing, nothing, nothing), clock)

    def act(self) -> None:
        """One try of one verb; what the table does not have is refused."""
        chance = self.scheduler.chance
        verbs: dict[str, Callable[[], object]] = {
            "start": self._start,
            "promote": self._promote,
            "pause": lambda: self._record("pause"),
            "resume": lambda: self._record("resume"),
            "rollback": lambda: self.controller.rollback("ann", "looks wrong"),
            "kill": self._kill,
            "restore": lambda: self.store.restore("toy", actor="bob", reason="checked", at=self.clock.now()),
        }
        verb = chance.choices(list(verbs), [8, 12, 1, 2, 1, 1, 6])[0]
        self._try(verb, verbs[verb])
        self.scheduler.at(chance.randrange(2 * SECOND), "people", self.act)

    def hurry(self, span: int) -> None:
        """Somebody stands still for a span: the worst moment for a kill is now."""
        if self.scheduler.chance.random() < 0.06:
            self.scheduler.at(
                self.scheduler.chance.randrange(span + 1), "people", lambda: self._try("kill", self._kill)
            )

    def _try(self, verb: str, act: Callable[[], object]) -> None:
        try:
            act()
        except (MoveError, FencedError, StoreError) as error:
            self.scheduler.note(f"people: {verb} refused ({type(error).__name__})")

    def _kill(self) -> None:
        self.store.kill("toy", actor="ann", reason="drill", at=self.clock.now())

    def _start(self) -> None:
        self._record("start", version=f"v{self.started + 1}")
        self.started += 1

    def _promote(self) -> None:
        share = self.controller.state().share
        self._record("promote", to=next((step for step in STAGES if step > share), 1.0))

    def _record(self, kind: str, **payload: Any) -> None:
        self.controller.record(Move(kind), "ann", "test", payload)
