"""Logged decisions with the signals that followed, so that any reward can score them again."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.store.tables.chunks import Chunk
from tenure.store.tables.logfile import LogFile, open_log
from tenure.store.tables.roles import key_of, read_mapping
from tenure.store.tables.stored import Stored
from tenure.store.tables.values import to_numbers

PAGE = 5_000
"""Decisions of a stored log read at a time."""

Rows = tuple[Sequence[str], Mapping[str, Floats]]
"""Labels of the actions taken, and each signal; [n] each."""


@dataclass(frozen=True, eq=False)
class SignalLog:
    """Logged decisions whose signals are known.

    Args:
        action: label of the action taken; [n].
        signals: each signal by name, in the problem's units; [n].
        left_out: decisions of the log without all of these signals.
        taken: what was read as what, a line each.
    """

    action: npt.NDArray[Any]
    signals: Mapping[str, Floats]
    left_out: int
    taken: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.action)


def open_signals(
    place: str, problem: Problem, needed: Collection[str], mapping: Path | Mapping[str, Any] | None = None
) -> SignalLog:
    """The decisions of a log, whoever wrote it.

    Args:
        place: Tenure's own log (.sqlite), what `tenure log export` wrote, or a table with a column per signal.
        problem: whose decisions they are.
        needed: signals that must be known of a decision for it to count.
        mapping: which column of a table is what; [signals] names the column of a signal where its name does not.

    Raises:
        DataError: there is no such file, a cell of a signal is no number, or no decision has these signals.
    """
    names, told = sorted(needed), read_mapping(mapping)
    taken: tuple[str, ...]
    if Path(place).suffix == ".sqlite":
        pages, taken = _stored(place, problem, names), ()
    else:
        log = open_log(place, told)
        headers = _headers(log, names, told)
        pages, taken = _file(log, problem, headers), _taken(log, headers)
    actions: list[str] = []
    columns: dict[str, list[Floats]] = {name: [] for name in names}
    for labels, signals in pages:
        actions += labels
        for name in names:
            columns[name].append(signals[name])
    known = {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in columns.items()}
    whole = np.isfinite(np.stack(list(known.values()))).all(axis=0)
    if not whole.any():
        raise _without(place, f"none of {len(actions)} has all of {names}")
    kept = {name: values[whole] for name, values in known.items()}
    return SignalLog(np.array(actions, dtype=object)[whole], kept, int((~whole).sum()), taken)


def _stored(place: str, problem: Problem, names: Sequence[str]) -> Iterator[Rows]:
    log = Stored(place, problem, PAGE)
    labels, found = [], []
    for row in log.rows():
        labels.append(log.label(row.decision.action))
        found.append(row.signals if row.signals and row.counted else {})
    yield labels, _columns(found, names)


def _headers(log: LogFile, names: Sequence[str], told: Mapping[str, Any]) -> dict[str, str]:
    """The column of each signal: as a mapping says, by its whole name, or by its name but for case and punctuation.

    Empty where the log has a column of all signals together.
    """
    if log.mapping.column("signals") is not None:
        return {}
    columns = [name for taken in log.mapping.roles.values() for name in taken.columns] + list(log.mapping.features)
    by_key = {key_of(name): name for name in reversed(columns)} | {name: name for name in columns}
    found = {name: told.get("signals", {}).get(name) or by_key.get(name) or by_key.get(key_of(name)) for name in names}
    for name, column in found.items():
        if column not in columns:
            why = log.mapping.left_out.get(str(column or name), "")
            found_instead = f"no column {column or name!r} among {sorted(columns)}; {why}"
            raise _without(log.source.name, found_instead, name)
    return {name: str(column) for name, column in found.items()}


def _taken(log: LogFile, columns: Mapping[str, str]) -> tuple[str, ...]:
    """What people should see before they trust the figures."""
    action = next(line for line in log.mapping.lines if line.startswith("action: "))
    notes: tuple[str, ...] = getattr(log.source, "notes", ())
    lost = [f"rejected: {len(log.rejected)} rows; the first, line {r.line}: {r.reason}" for r in log.rejected[:1]]
    return (action, *(f"signal {name}: {column}" for name, column in columns.items()), *notes, *lost)


def _file(log: LogFile, problem: Problem, columns: Mapping[str, str]) -> Iterator[Rows]:
    own, action = log.mapping.column("signals"), log.mapping.column("action")
    assert action is not None  # a log without one is refused when it is opened
    for chunk, rows in log.understood():
        labels = [str(chunk.columns[action][i].as_py()) for i in rows.place.tolist()]
        if own is not None:
            cells = [chunk.columns[own][i].as_py() for i in rows.place.tolist()]
            yield labels, _columns([_counted(cell, problem) for cell in cells], sorted(problem.signal_names))
        else:
            yield labels, {name: _numbers(log, chunk, rows.place, column) for name, column in columns.items()}


def _numbers(log: LogFile, chunk: Chunk, rows: Ints, column: str) -> Floats:
    numbers, bad = to_numbers(chunk.columns[column])
    wrong = rows[bad[rows]]
    if len(wrong):
        raise DataError(
            expected=f"numbers in column {column!r}, which holds a signal",
            found=repr(chunk.columns[column][int(wrong[0])].as_py()),
            where=f"{log.source.name}:{int(chunk.line[wrong[0]])}",
            fix="mend the cell, or leave it empty where nothing was measured",
        )
    return numbers[rows]


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Floats]:
    return {name: np.array([_number(row.get(name)) for row in rows]) for name in names}


def _counted(cell: Any, problem: Problem) -> Mapping[str, float]:
    """The signals of an exported decision; none where the log had them in quarantine: one unknown, or no number."""
    told: Mapping[str, Any] = {} if not cell else json.loads(cell) if isinstance(cell, str) else cell
    found = {name: _number(value) for name, value in told.items()}
    sound = found.keys() <= problem.signal_names and all(map(math.isfinite, found.values()))
    return found if sound else {}


def _number(cell: Any) -> float:
    """NaN for what is not there."""
    return float("nan") if cell is None or cell == "" else float(cell)


def _without(place: str, found: str, signal: str = "SIGNAL") -> DataError:
    return DataError(
        expected="logged decisions with the signals that the reward reads",
        found=found.rstrip("; "),
        where=place,
        fix="name a Tenure log (.sqlite), an export of `tenure log export`, or a table with a column per signal; where "
        "the column has another name, say so in a file and give it with --mapping FILE; its two lines:\n[signals]\n"
        f'{signal} = "COLUMN"',
    )
