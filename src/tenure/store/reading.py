"""Reading the log as columns, and counting it; corrections are applied, only counted outcomes are joined."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.clock import ALWAYS, to_text
from tenure.core.decision import Arm, Place
from tenure.core.errors import EvidenceError
from tenure.store.database import Connection
from tenure.store.records import LogFrame, LogRow
from tenure.store.rows import actions_from, decision_from, from_json

# Times are stored in fixed width; without the final Z NumPy takes them as they are.
_LOG = """SELECT d.decision_id, d.sequence, d.unit_id, d.episode_id, d.step, substr(d.decided_at, 1, 26), d.stage,
    d.arm, d.version, d.action, d.propensity, d.explored, d.confidence, d.observation, o.signals, p.action, p.version,
    d.vector, p.vector
FROM kept d
LEFT JOIN outcome o ON o.problem = d.problem AND o.decision_id = d.decision_id AND o.counted = 1
LEFT JOIN proposal p ON p.id = (
    SELECT max(id) FROM proposal WHERE problem = d.problem AND decision_id = d.decision_id
)
WHERE d.problem = ? AND d.sequence > ? AND d.decided_at <= ? AND d.reason NOT IN ('deferred', 'skipped')
ORDER BY d.sequence LIMIT ?"""
_COLUMNS = 19
_UNLIMITED = 1 << 62

_ROWS = """SELECT d.*, o.signals, coalesce(o.signals, (
    SELECT signals FROM outcome
    WHERE problem = d.problem AND decision_id = d.decision_id AND place = 'quarantine' ORDER BY id LIMIT 1
))
FROM kept d
LEFT JOIN outcome o ON o.problem = d.problem AND o.decision_id = d.decision_id AND o.counted = 1
WHERE d.problem = ? AND d.sequence > ? ORDER BY d.sequence LIMIT ?"""

_LEARNED = "SELECT count(*) FROM answered WHERE problem = ? AND sequence > ? AND arm = ?"

_COUNTS = """SELECT 'decisions', count(*) FROM decision WHERE problem = ?
UNION ALL SELECT 'proposals', count(*) FROM proposal WHERE problem = ?
UNION ALL SELECT 'corrections', count(*) FROM correction WHERE problem = ?
UNION ALL SELECT place, count(*) FROM outcome WHERE problem = ? GROUP BY place"""

_signals = msgspec.json.Decoder(dict[str, float])


def read_log(
    connection: Connection, problem: str, after_sequence: int, upto: datetime | None, limit: int | None
) -> LogFrame:
    """Decisions after a number, decided no later than a moment, the first so many of them.

    Raises:
        EvidenceError: the rows' observations differ in width.
    """
    until = ALWAYS if upto is None else to_text(upto)
    found = connection.execute(_LOG, (problem, after_sequence, until, _UNLIMITED if limit is None else limit))
    columns = [list(column) for column in zip(*found, strict=True)] or [[] for _ in range(_COLUMNS)]
    return _frame(problem, columns)


def read_rows(connection: Connection, problem: str, after_sequence: int, limit: int) -> list[LogRow]:
    """Decisions after a number, whole, the first so many of them."""
    found = connection.execute(_ROWS, (problem, after_sequence, limit))
    return [
        LogRow(decision_from(tuple(values)), None if text is None else from_json(text), counted is not None)
        for *values, counted, text in found
    ]


def problems(connection: Connection) -> list[str]:
    """Names of the problems the file holds, in order."""
    return [name for (name,) in connection.execute("SELECT problem FROM head ORDER BY problem")]


def learned_after(connection: Connection, problem: str, sequence: int) -> int:
    """Decisions of the candidate after a number."""
    count: int = connection.execute(_LEARNED, (problem, sequence, Arm.CANDIDATE.value)).get
    return count


def counts(connection: Connection, problem: str) -> dict[str, int]:
    """How many decisions, learned ones, proposals and corrections there are, and outcomes in each place."""
    found: list[Any] = connection.execute(_COUNTS, (problem,) * 4).fetchall()
    places = {place.value: 0 for place in Place}
    return {"learned": learned_after(connection, problem, 0), **places, **dict(found)}


def _frame(problem: str, columns: list[list[Any]]) -> LogFrame:
    (ids, sequence, units, episodes, step, decided_at, stage, arm, version, action, propensity, explored) = columns[:12]
    confidence, observation, signals, shadow_action, shadow_version, vector, shadow_vector = columns[12:]
    width = _width(problem, vector)
    return LogFrame(
        decision_id=ids,
        sequence=_integers(sequence),
        unit_id=units,
        episode_id=episodes,
        step=_integers(step),
        decided_at=np.array(decided_at, dtype="datetime64[us]"),
        stage=stage,
        arm=arm,
        version=version,
        action=actions_from(action, vector, width),
        propensity=np.array(propensity, dtype=np.float64),
        explored=np.array(explored, dtype=bool),
        confidence=np.array(confidence, dtype=np.float64),
        observation=_matrix(problem, observation),
        joined=np.array([text is not None for text in signals], dtype=bool),
        signals=_signal_columns(signals),
        shadow_action=actions_from(shadow_action, shadow_vector, width),
        shadow_version=shadow_version,
    )


def _integers(values: Sequence[int | None]) -> Ints:
    """int64 [n], -1 where there is none."""
    return np.array([-1 if value is None else value for value in values], dtype=np.int64)


def _width(problem: str, vectors: Sequence[str | None]) -> int:
    """Numbers in an action that is a vector; 0 where actions are indices."""
    widths = {text.count(",") + 1 for text in vectors if text is not None}
    if len(widths) > 1:
        raise EvidenceError(
            expected="actions of one width",
            found=f"vectors of {sorted(widths)} numbers",
            where=f"the log of {problem!r}",
            fix="read the log in parts, after the decision with which the problem's actions changed",
        )
    return widths.pop() if widths else 0


def _matrix(problem: str, rows: Sequence[bytes]) -> Floats:
    """float32 [n, features]."""
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise EvidenceError(
            expected="observations of one width",
            found=f"widths of {sorted(width // 4 for width in widths)} features",
            where=f"the log of {problem!r}",
            fix="read the log in parts, after the decision with which the problem's features changed",
        )
    return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), widths.pop() // 4 if widths else 0)


def _signal_columns(texts: Sequence[str | None]) -> dict[str, Floats]:
    """float64 [n] for each signal any outcome names, NaN where it was not measured."""
    nothing: dict[str, float] = {}
    rows = [nothing if text is None else _signals.decode(text) for text in texts]
    names = sorted(set().union(*rows))
    return {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in names}
