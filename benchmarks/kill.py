"""How long a kill takes until the last of four servers says it has stopped: python -m benchmarks.kill [KILLS].

Four processes decide as fast as they can on each database; kills and restores take turns. Printed: milliseconds from
the command to the last confirmation, and to the durable row; p50, p99 and the worst.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.postgres import server
from tests.rollout.test_replicas_kill import NAMES, all_decide, replicas, seen, until

from tenure.core.clock import SystemClock
from tenure.rollout.kill import kill, restore
from tenure.rollout.stop import StopFile
from tenure.store import Store
from tenure.store.opening import open_store

CLOCK = SystemClock()


def measure(place: str, stop: StopFile, kills: int) -> None:
    """Kill and restore so often, under load, and print how long it took."""
    with open_store(place) as store:
        store.open_problem("bikes", "salt")
        with replicas(place, stop):
            until(lambda: set(seen(store)) == set(NAMES))
            took = np.array([one_kill(store, stop) for _ in range(kills)])
        learned = sum(
            store.learned_after("bikes", event.sequence) - store.learned_after("bikes", after.sequence)
            for event, after in zip(store.events("bikes"), store.events("bikes")[1:], strict=False)
            if event.kind == "kill"
        )
    for name, column in zip(("last confirmation", "durable row"), took.T, strict=True):
        p50, p99 = np.quantile(column, [0.5, 0.99])
        print(f"  {name:<18} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   worst {column.max():6.1f} ms")
    print(f"  learned decisions recorded between a kill and its restore: {learned}")


def one_kill(store: Store, stop: StopFile) -> tuple[float, float]:
    """Milliseconds to the last server's confirmation, and to the row."""
    until(lambda: all_decide(store))
    done = kill(store, "bikes", actor="ann", reason="benchmark", clock=CLOCK, stop=stop)
    took = {one.id: one.confirmed_ms for one in done.replicas}
    assert done.confirmed, took
    assert set(took) >= {*NAMES, "log"}
    restore(store, "bikes", actor="ann", reason="benchmark", clock=CLOCK, stop=stop)
    until(lambda: not stop.exists())
    return max(took[name] or 0.0 for name in NAMES), took["log"] or 0.0


def main(kills: int = 100) -> None:
    """Both databases, one after the other."""
    with tempfile.TemporaryDirectory() as folder, server() as postgres:
        for name, place in (("sqlite", f"{folder}/log.sqlite"), ("postgres", postgres.fresh())):
            began = time.monotonic()
            print(f"{name}: {kills} kills, {len(NAMES)} servers under load")
            measure(place, StopFile(Path(folder) / name / "STOP"), kills)
            print(f"  ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
