"""A process that appends decisions and keeps a fsynced ledger of them: worker.py DATABASE LEDGER NAME COUNT."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tenure.core.decision import Arm, Decision
from tenure.store import Event
from tenure.store.opening import open_store

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)


def _row(name: str) -> Decision:
    where = ("bikes", "p1", "unit", None, None, NOON, {"x": 1.0}, bytes(4), None, "canary")
    return Decision(name, *where, Arm.CANDIDATE, "v1", 1, 0.5, False, 0.5, 0, "split", 10, "ab")


def main(database: str, ledger: str, name: str, count: str) -> None:
    """Append until done or killed; every seventh commit is an event."""
    with open_store(database) as store, Path(ledger).open("a") as acknowledged:
        store.open_problem("bikes", "salt")
        for number in range(int(count)):
            ids = [f"{name}-{number}-{part}" for part in range(3)]
            if number % 7 == 0:
                store.append_event(Event("bikes", "hold", name, "too few", NOON, {}))
            store.append_decisions([_row(row_id) for row_id in ids])
            acknowledged.write("".join(f"{row_id}\n" for row_id in ids))
            acknowledged.flush()
            os.fsync(acknowledged.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
