"""Four servers, one of them frozen around the kill: nothing learned is recorded after the kill row."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenure.core.clock import SystemClock
from tenure.rollout.kill import Killed, kill, restore
from tenure.rollout.stop import StopFile
from tenure.store import Store
from tenure.store.opening import open_store
from tenure.store.replicas import Replicas

REPLICA = Path(__file__).with_name("replica.py")
FROZEN_S = 10.0 if os.environ.get("TENURE_FAULTS") == "long" else 2.0
NAMES = ("a", "b", "c", "frozen")
CLOCK = SystemClock()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "log.sqlite")
    return str(request.getfixturevalue("postgres").fresh())


@contextmanager
def replicas(place: str, stop: StopFile) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    commands = {name: [sys.executable, str(REPLICA), place, name, str(stop.path)] for name in NAMES}
    running = {name: subprocess.Popen(command) for name, command in commands.items()}
    try:
        yield running
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def seen(store: Store) -> dict[str, int]:
    return {one.replica: one.epoch for one in Replicas(store).live("bikes", CLOCK.now())}


def killed(store: Store, stop: StopFile) -> Killed:
    return kill(store, "bikes", actor="ann", reason="costs rise", clock=CLOCK, stop=stop, wait_s=FROZEN_S / 4)


def all_decide(store: Store) -> bool:
    """Everyone has recorded something under the epoch in force."""
    after = max((event.sequence for event in store.events("bikes")), default=0)
    who = {row_id.split("-")[0] for row_id in store.read_log("bikes", after_sequence=after).decision_id}
    return who == set(NAMES)


@pytest.mark.parametrize("freeze_after_s", [0.0, random.Random(7).random() / 10])
def test_no_learned_decision_is_recorded_after_the_kill_row_by_four_servers_of_which_one_is_frozen(
    place: str, tmp_path: Path, freeze_after_s: float
) -> None:
    stop = StopFile(tmp_path / "STOP")
    with open_store(place) as store:
        store.open_problem("bikes", "salt")
        with replicas(place, stop) as running:
            until(lambda: set(seen(store)) == set(NAMES) and all_decide(store))
            time.sleep(freeze_after_s)  # freezes at another point of its loop
            running["frozen"].send_signal(signal.SIGSTOP)
            time.sleep(FROZEN_S / 2)
            done = killed(store, stop)
            took = {one.id: one.confirmed_ms for one in done.replicas}
            time.sleep(FROZEN_S / 4)
            running["frozen"].send_signal(signal.SIGCONT)
            if done.control is None:  # it froze with SQLite's lock in its hand
                assert stop.engaged()
                done = killed(store, stop)
            else:
                assert took["frozen"] is None
                assert all(took[name] is not None for name in ("log", "a", "b", "c"))
            until(lambda: seen(store) == dict.fromkeys(NAMES, store.kill_epoch("bikes")))
        assert done.sequence is not None
        assert store.learned_after("bikes", done.sequence) == 0
        assert store.verify("bikes").intact
        restore(store, "bikes", actor="bob", reason="mended", clock=CLOCK, stop=stop)
        assert not stop.engaged()
