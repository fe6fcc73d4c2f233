"""One run: a world from a seed, a minute of misfortune, a while of peace, and what was seen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tenure.core.errors import TenureError
from tenure.store import SqliteStore, Store
from tenure.store.connection import Connections

from .answers import Answers
from .chaos import Chaos
from .client import Client
from .faulty import FaultyDatabase
from .network import Network
from .people import People
from .replica import Replica
from .scheduler import SECOND, Scheduler, SkewedClock
from .watch import Violated, Watch

STORM, PEACE = 30 * SECOND, 12 * SECOND


@dataclass(frozen=True)
class Seen:
    """What one run gave.

    Args:
        seed: it came from.
        digest: of its trace.
        trace: every line of it.
        violated: the invariant that broke; None when all held.
        kinds: how often each arm, event and place occurred.
        split: by share, whether each unit that was met was the candidate's.
    """

    seed: int
    digest: str
    trace: list[str]
    violated: str | None
    kinds: Mapping[str, int]
    split: Mapping[float, Mapping[str, bool]]


class World:
    """Everything of one run.

    Args:
        seed: fixes all of it.
        folder: of the log.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.path, self.salt = folder / "log.db", f"s{seed}"
        shutil.copy(empty_log(), self.path)
        self.scheduler = Scheduler(seed)
        self.network = Network(self.scheduler)
        with SqliteStore(self.path, synchronous="OFF") as store:
            store.open_problem("toy", self.salt)
        self.watch = Watch(self.path, self.scheduler, self.salt)
        self.answers = Answers(self.watch)
        self.client_clock = SkewedClock(self.scheduler)
        database = FaultyDatabase(self.open(), self.scheduler, "people", self._by_people)
        self.people = People(self.scheduler, Store(database), SkewedClock(self.scheduler), self.salt)
        self.replicas = [Replica(self, f"replica-{number}") for number in (1, 2, 3)]
        self.client, self.chaos = Client(self), Chaos(self)

    def open(self) -> Connections:
        """New connections to the log."""
        return Connections(self.path, "OFF", 0.0, 100)

    def run(self) -> None:
        """A storm, then peace; raises Violated."""
        for replica in self.replicas:
            self.chaos.weather(replica)
        for actor, act in (("client", self.client.ask), ("people", self.people.act), ("chaos", self.chaos.strike)):
            self.scheduler.at(0, actor, act)
        self.scheduler.run(STORM)
        self.scheduler.note("peace")
        self.chaos.heal()
        self.scheduler.run(self.scheduler.now + PEACE)
        self.watch.everything()
        self.answers.settled()

    def close(self) -> None:
        """Close every connection."""
        for replica in self.replicas:
            replica.crash()
        self.people.store.close()
        self.watch.close()

    def _by_people(self, actor: str) -> None:
        self.watch.committed(actor, self.scheduler.now)


def run(seed: int) -> Seen:
    """One run from its seed; never raises for what the product does."""
    with _folder() as folder:
        world = World(seed, folder)
        violated: str | None = None
        try:
            world.run()
        except Violated as broken:
            violated = str(broken)
        except TenureError as error:
            violated = f"nobody caught {type(error).__name__}: {error}"
        finally:
            world.close()
        kinds: dict[str, Any] = dict(world.watch.kinds)
        trace = world.scheduler.trace
        return Seen(seed, world.scheduler.digest(), trace, violated, kinds, world.watch.split)


@cache
def empty_log() -> Path:
    """A log with its tables and no row; made once, since making it costs more than a run may."""
    path = Path(tempfile.mkdtemp()) / "empty.db"
    SqliteStore(path).close()
    return path


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)
