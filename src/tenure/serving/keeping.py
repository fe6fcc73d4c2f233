"""What a server does each second beside answering: small duties, and a line for what is notable."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from tenure.serving.service import DecisionService
from tenure.store import Control

EVERY_S = 1.0

log = logging.getLogger("tenure.serving")

Duty = Callable[[], object]


class Sight(NamedTuple):
    """What is compared from one second to the next."""

    control: Control
    doubt: str
    counters: Mapping[str, int]
    failures: Mapping[str, int]


class Line(NamedTuple):
    """One notable thing."""

    level: int
    message: str
    fields: Mapping[str, object]


def sight(service: DecisionService) -> Sight:
    """What there is to see now."""
    return Sight(*service.standing.control(), dict(service.counters), dict(service.chooser.failures))


def notable(before: Sight, after: Sight) -> list[Line]:
    """What changed in a way somebody should be able to read later."""
    lines: list[Line] = []
    if after.control.kill_epoch != before.control.kill_epoch:
        killed = after.control.killed
        word = "a kill is seen" if killed else "the kill epoch has moved"
        fields = {"epoch": after.control.kill_epoch, "killed": killed, "cap": after.control.cap}
        lines.append(Line(logging.WARNING if killed else logging.INFO, word, fields))
    if after.doubt != before.doubt:
        word = "only the incumbent answers" if after.doubt else "the log is trusted again"
        lines.append(Line(logging.WARNING, word, {"why": after.doubt or before.doubt}))
    if fallbacks := _grown(before.failures, after.failures):
        lines.append(Line(logging.WARNING, "the incumbent stood in for the candidate", fallbacks))
    grown = _grown(before.counters, after.counters)
    if refused := grown.get("refused"):
        lines.append(Line(logging.INFO, "requests were refused", {"refused": refused}))
    if lost := {name: count for name, count in grown.items() if name in ("unlogged", "spooled", "shadow_lost")}:
        lines.append(Line(logging.WARNING, "rows did not go to the log", lost))
    return lines


class Keeper:
    """A thread that does its duties each second; one that fails is logged, and done again in the next.

    Args:
        service: whose notable things are logged.
        duties: done each second, in order; none may take long.
        every_s: seconds between two rounds.
    """

    def __init__(self, service: DecisionService, duties: Sequence[Duty], every_s: float = EVERY_S) -> None:
        self._service, self._duties, self._every_s = service, duties, every_s
        self._seen = sight(service)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()

    def round(self) -> None:
        """Every duty once, then the lines."""
        for duty in self._duties:
            try:
                duty()
            except Exception as error:  # a database that is away must not end the other duties
                log.warning("a duty failed: %s", error)
        now = sight(self._service)
        for line in notable(self._seen, now):
            log.log(line.level, line.message, extra={"fields": line.fields})
        self._seen = now

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            self.round()


def _grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
