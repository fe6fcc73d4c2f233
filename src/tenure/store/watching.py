"""What monitors see of the log beside its columns: why an arm answered, how long it took, when the outcome came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.store.log import Store
from tenure.store.reading import read_log
from tenure.store.records import LogFrame

_BESIDE = """SELECT d.reason, d.latency_us / 1000.0, substr(d.decided_at, 1, 26), substr(o.received_at, 1, 26)
FROM kept d LEFT JOIN outcome o ON o.problem = d.problem AND o.decision_id = d.decision_id AND o.counted = 1
WHERE d.problem = ? AND d.sequence >= ? AND d.sequence <= ? AND d.reason NOT IN ('deferred', 'skipped')
ORDER BY d.sequence"""


@dataclass(frozen=True, eq=False)
class Watched:
    """Decisions as monitors see them.

    Args:
        frame: the columns of the log, n rows.
        reason: one word why this arm answered; [n].
        latency_ms: from request to answer, milliseconds; [n].
        delay_s: from the decision to the arrival of the outcome that counts, seconds, NaN where none does; [n].
    """

    frame: LogFrame
    reason: list[str]
    latency_ms: Floats
    delay_s: Floats


def read_watched(store: Store, problem: str, after_sequence: int, limit: int) -> Watched:
    """The first so many decisions after a number, all columns of one state of the log.

    Raises:
        EvidenceError: the rows' observations differ in width.
    """
    with store.database.snapshot() as connection:
        frame = read_log(connection, problem, after_sequence, None, limit)
        if not len(frame):
            return Watched(frame, [], np.zeros(0), np.zeros(0))
        ends = int(frame.sequence[0]), int(frame.sequence[-1])
        rows = connection.execute(_BESIDE, (problem, *ends)).fetchall()
    reason, latency, decided, received = (list(column) for column in zip(*rows, strict=True))
    delay = (_moments(received) - _moments(decided)) / np.timedelta64(1, "s")
    return Watched(frame, reason, np.array(latency, dtype=np.float64), np.asarray(delay, dtype=np.float64))


def _moments(texts: list[str | None]) -> Any:
    """datetime64[us], not a time where there is none; [n]."""
    return np.array(["NaT" if text is None else text for text in texts], dtype="datetime64[us]")
