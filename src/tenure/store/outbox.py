"""The outbox: one row per alert and channel, each delivered by one process at a time until it is through or expired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tenure.core.clock import from_text, to_text
from tenure.store.database import Connection
from tenure.store.log import Store

WAITING, DELIVERED, EXPIRED = "waiting", "delivered", "expired"

_COLUMNS = "id, problem, sequence, channel, at, kind, title, body, status, attempts, next_at, delivered_at, error"


class Told(Protocol):
    """What the outbox needs of an alert."""

    @property
    def problem(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def title(self) -> str: ...
    @property
    def body(self) -> str: ...


@dataclass(frozen=True)
class Delivery:
    """One alert on its way to one channel.

    Args:
        id: of the row.
        problem, sequence: the event it tells of.
        channel: name of the channel.
        at: when the event happened, UTC.
        kind, title, body: what is said.
        status: waiting, delivered or expired.
        attempts: times it was sent.
        next_at: not before then it is sent (again).
        delivered_at: when it was through.
        error: of the last attempt that failed, without secrets.
    """

    id: int
    problem: str
    sequence: int
    channel: str
    at: datetime
    kind: str
    title: str
    body: str
    status: str
    attempts: int
    next_at: datetime
    delivered_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class Health:
    """How a channel does: its last success, what failed in a row since, and the last error."""

    channel: str
    last_success: datetime | None
    failures: int
    error: str | None


class Outbox:
    """Alerts and where they stand; UNIQUE (problem, sequence, channel) lets none in twice.

    Args:
        store: the log they tell of.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def fill(self, alerts: Iterable[Told], channels: Sequence[str]) -> None:
        """Put every alert in once per channel; those that are there stay as they are."""
        rows = [
            (a.problem, a.sequence, channel, to_text(a.at), a.kind, a.title, a.body, WAITING, 0, to_text(a.at))
            for a in alerts
            for channel in channels
        ]
        if not rows:
            return
        with self._store.database.writing() as connection:
            connection.executemany(
                """INSERT INTO alert (problem, sequence, channel, at, kind, title, body, status, attempts, next_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (problem, sequence, channel) DO NOTHING""",
                rows,
            )

    def claim(self, problem: str, now: datetime, until: datetime, limit: int = 5) -> list[Delivery]:
        """What is due, leased until a moment: another process that looks meanwhile does not get it."""
        with self._store.database.writing() as connection:
            due = self._read(
                connection, "status = ? AND next_at <= ? ORDER BY id LIMIT ?", problem, WAITING, now, limit
            )
            return [row for row in due if _lease(connection, row, until)]

    def delivered(self, row: Delivery, at: datetime) -> None:
        """It is through."""
        self._set(row, DELIVERED, at, at, None)

    def failed(self, row: Delivery, error: str, next_at: datetime) -> None:
        """It was not; another attempt comes at `next_at`."""
        self._set(row, WAITING, next_at, None, error)

    def expire(self, problem: str, before: datetime, now: datetime) -> int:
        """Give up what happened before a moment and is still not through; returns how many."""
        with self._store.database.writing() as connection:
            return len(
                connection.execute(
                    """UPDATE alert SET status = ?, next_at = ? WHERE problem = ? AND status = ? AND at < ?
                    RETURNING id""",
                    (EXPIRED, to_text(now), problem, WAITING, to_text(before)),
                ).fetchall()
            )

    def all(self, problem: str) -> list[Delivery]:
        """Every row, in the order of the events."""
        with self._store.database.reading() as connection:
            return self._read(connection, "1 = 1 ORDER BY sequence, id", problem)

    def oldest_waiting(self, problem: str) -> datetime | None:
        """When the oldest alert happened that is not through yet."""
        with self._store.database.reading() as connection:
            found = connection.execute(
                "SELECT min(at) FROM alert WHERE problem = ? AND status = ?", (problem, WAITING)
            ).get
        return None if found is None else from_text(found)

    def health(self, problem: str, channel: str) -> Health:
        """How a channel does; a channel nothing was sent to has neither success nor failure."""
        rows = [row for row in self.all(problem) if row.channel == channel]
        successes = [row.delivered_at for row in rows if row.delivered_at is not None]
        last = max(successes, default=None)
        bad = [row for row in rows if row.delivered_at is None and (last is None or row.next_at > last)]
        errors = [row.error for row in bad if row.error is not None]
        return Health(channel, last, sum(row.attempts for row in bad if row.error), errors[-1] if errors else None)

    def _set(
        self, row: Delivery, status: str, next_at: datetime, delivered_at: datetime | None, error: str | None
    ) -> None:
        moment = None if delivered_at is None else to_text(delivered_at)
        with self._store.database.writing() as connection:
            connection.execute(
                "UPDATE alert SET status = ?, next_at = ?, delivered_at = ?, error = ? WHERE id = ? AND status = ?",
                (status, to_text(next_at), moment, error, row.id, WAITING),
            )

    @staticmethod
    def _read(connection: Connection, where: str, problem: str, *values: str | datetime | int) -> list[Delivery]:
        parameters = [to_text(value) if isinstance(value, datetime) else value for value in values]
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM alert WHERE problem = ? AND {where}",  # noqa: S608
            (problem, *parameters),
        )
        return [_delivery(values) for values in rows.fetchall()]


def _lease(connection: Connection, row: Delivery, until: datetime) -> bool:
    """Take a row, unless another process took it first; counts the attempt."""
    taken = connection.execute(
        """UPDATE alert SET next_at = ?, attempts = attempts + 1 WHERE id = ? AND status = ? AND next_at = ?
        RETURNING id""",
        (to_text(until), row.id, WAITING, to_text(row.next_at)),
    ).fetchall()
    return bool(taken)


def _delivery(values: Sequence[object]) -> Delivery:
    fields = list(values)
    for position in (4, 10, 11):
        moment = fields[position]
        fields[position] = None if moment is None else from_text(str(moment))
    return Delivery(*fields)  # type: ignore[arg-type]
