"""A log with events people are told of, and a sender that can be told to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tenure.core.clock import ManualClock
from tenure.monitoring import Channels, Courier, SendError
from tenure.monitoring.alerts import Urgency
from tenure.store import Event, SqliteStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(kind: str, *, actor: str = "ann", reason: str = "because", at: datetime = NOON, **payload: Any) -> Event:
    return Event("toy", kind, actor, reason, at, payload, sequence=7)


@dataclass
class Sent:
    """Remembers what was sent where; fails while `broken`."""

    broken: bool = False
    calls: list[tuple[str, str]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def __call__(self, address: str, urgency: Urgency, title: str, body: str, private: bool) -> None:
        self.before()
        if self.broken:
            raise SendError(expected="a channel", found="none", where="a test", fix="mend it")
        self.calls.append((address, title))


class World:
    """A courier over a fresh log."""

    def __init__(self, folder: Path, channels: Mapping[str, str] | None = None) -> None:
        self.store = SqliteStore(folder / "log.db", synchronous="OFF")
        self.store.open_problem("toy", "salt")
        self.clock, self.sent = ManualClock(NOON), Sent()
        self.channels = Channels(channels or {"ops": "file:///x"}, {})
        self.courier = self.another()

    def another(self, channels: Mapping[str, str] | None = None) -> Courier:
        """Another process's courier over the same log."""
        told = self.channels if channels is None else Channels(channels, {})
        return Courier("toy", self.store, told, self.clock, timedelta(days=1), self.sent)

    def happens(self, kind: str, **fields: Any) -> Event:
        return self.store.append_event(event(kind, **{"at": self.clock.now(), **fields}))

    def wait(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))

    def statuses(self) -> list[tuple[str, str, int]]:
        return [(row.channel, row.status, row.attempts) for row in self.courier.outbox.all("toy")]
