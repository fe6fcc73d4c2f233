"""A server reduced to its fence: replica.py PLACE NAME STOP_FILE; decides as fast as it can until it is ended."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tenure.core.decision import Arm, Decision
from tenure.core.errors import StoreError
from tenure.rollout.stop import StopFile
from tenure.store import Control, Store
from tenure.store.opening import open_store
from tenure.store.replicas import Replica, Replicas

POLL_S = 0.02
SAY_EVERY = 10
"""Polls between two words to the register, when nothing has changed."""


class Watch:
    """The head row as last seen, in a thread of its own; says to the register what it has seen."""

    def __init__(self, store: Store, name: str, stop: StopFile) -> None:
        self._store, self._name, self._stop = store, name, stop
        self.control = store.open_problem("bikes", "salt")
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def learns(self) -> bool:
        return not self.control.killed and not self._stop.engaged()

    def _run(self) -> None:
        started, polls, said = datetime.now(UTC), 0, -1
        while True:
            with suppress(StoreError):
                self.control = self._store.control("bikes")
                if said != self.control.kill_epoch or polls % SAY_EVERY == 0:
                    self._say(started, self.control)
                    said = self.control.kill_epoch
            polls += 1
            self._store.database.hint(POLL_S)

    def _say(self, started: datetime, control: Control) -> None:
        now = datetime.now(UTC)
        Replicas(self._store).seen(Replica("bikes", self._name, started, now, control.kill_epoch, "v1", "test", None))


def _row(name: str, epoch: int) -> Decision:
    where = ("bikes", "p1", "unit", None, None, datetime.now(UTC), {"x": 1.0}, bytes(4), None, "canary")
    return Decision(name, *where, Arm.CANDIDATE, "v1", 1, 0.5, False, 0.5, epoch, "split", 10, "ab")


def main(place: str, name: str, stop: str) -> None:
    """Decide under the epoch last seen; what is fenced is not recorded."""
    with open_store(place) as store:
        watch = Watch(store, name, StopFile(Path(stop)))
        number, pause = 0, threading.Event()
        while True:
            number += 1
            if not watch.learns:
                pause.wait(POLL_S)
                continue
            with suppress(StoreError):
                store.append_decisions([_row(f"{name}-{number}-{part}", watch.control.kill_epoch) for part in range(3)])


if __name__ == "__main__":
    main(*sys.argv[1:])
