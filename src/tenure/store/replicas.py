"""The register of servers: who answers for a problem, when it was last heard of, and which kill epoch it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenure.core.clock import from_text, to_text
from tenure.store.log import Store
from tenure.store.rows import Values

_SEEN = """INSERT INTO replica (problem, replica, started_at, seen_at, epoch, version, software, url, stopped)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (problem, replica) DO UPDATE SET started_at = excluded.started_at,
    seen_at = excluded.seen_at, epoch = excluded.epoch, version = excluded.version, software = excluded.software,
    url = excluded.url, stopped = excluded.stopped"""

_LIVE = """SELECT problem, replica, started_at, seen_at, epoch, version, software, url, stopped FROM replica
WHERE problem = ? AND stopped = 0 AND seen_at >= ? ORDER BY replica"""

LIVE_WITHIN = timedelta(seconds=3)
"""Longer than the lease: a server not heard of for so long answers with nothing learned."""


@dataclass(frozen=True)
class Replica:
    """One server of one problem.

    Args:
        problem: name of the problem.
        replica: its own id, unique among the problem's servers.
        started_at: when it started, UTC.
        seen_at: when it last said so itself, by its own clock, UTC.
        epoch: the kill epoch it answers under.
        version: the candidate it has loaded; None without one.
        software: version of Tenure.
        url: where it listens; None where nobody can reach it.
        stopped: it has signed off.
    """

    problem: str
    replica: str
    started_at: datetime
    seen_at: datetime
    epoch: int
    version: str | None
    software: str
    url: str | None
    stopped: bool = False


class Replicas:
    """The register; every method raises StoreError when the database cannot be read or written.

    Args:
        store: the log beside which it is kept.
    """

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def seen(self, replica: Replica) -> None:
        """Write down what a server says of itself; the latest word holds."""
        with self._database.writing() as connection:
            connection.execute(_SEEN, _values(replica))

    def live(self, problem: str, now: datetime, within: timedelta = LIVE_WITHIN) -> list[Replica]:
        """Servers that have not signed off and were heard of lately, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(_LIVE, (problem, to_text(now - within))).fetchall()
        return [_replica(values) for values in rows]


def _values(replica: Replica) -> Values:
    moments = to_text(replica.started_at), to_text(replica.seen_at)
    about = replica.epoch, replica.version, replica.software, replica.url, int(replica.stopped)
    return replica.problem, replica.replica, *moments, *about


def _replica(values: Values) -> Replica:
    problem, replica, started_at, seen_at, epoch, version, software, url, stopped = values
    moments = from_text(started_at), from_text(seen_at)
    return Replica(problem, replica, *moments, epoch, version, software, url, bool(stopped))
