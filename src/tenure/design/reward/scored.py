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

from tenure.core.arrays import Floats
from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.store.tables.logfile import LogFile, open_log
from tenure.store.tables.stored import Stored

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
    """

    action: npt.NDArray[Any]
    signals: Mapping[str, Floats]
    left_out: int

    def __len__(self) -> int:
        return len(self.action)


def open_signals(place: str, problem: Problem, needed: Collection[str]) -> SignalLog:
    """The decisions of a log, whoever wrote it.

    Args:
        place: Tenure's own log (.sqlite), what `tenure log export` wrote, or a table with a column per signal.
        problem: whose decisions they are.
        needed: signals that must be known of a decision for it to count.

    Raises:
        DataError: there is no such file, or no decision with these signals.
    """
    names = sorted(needed)
    pages = _stored(place, problem, names) if Path(place).suffix == ".sqlite" else _file(place, problem, names)
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
    return SignalLog(np.array(actions, dtype=object)[whole], kept, int((~whole).sum()))


def _stored(place: str, problem: Problem, names: Sequence[str]) -> Iterator[Rows]:
    log = Stored(place, problem, PAGE)
    labels, found = [], []
    for row in log.rows():
        labels.append(log.label(row.decision.action))
        found.append(row.signals if row.signals and row.counted else {})
    yield labels, _columns(found, names)


def _file(place: str, problem: Problem, names: Sequence[str]) -> Iterator[Rows]:
    log = open_log(place)
    own, action = log.mapping.column("signals"), log.mapping.column("action")
    assert action is not None  # a log without one is refused when it is opened
    for chunk, rows in log.understood():
        labels = [str(chunk.columns[action][i].as_py()) for i in rows.place.tolist()]
        if own is not None:
            cells = [chunk.columns[own][i].as_py() for i in rows.place.tolist()]
            yield labels, _columns([_counted(cell, problem) for cell in cells], names)
        else:
            yield labels, {name: _numbers(log, place, chunk.columns, rows.place.tolist(), name) for name in names}


def _numbers(log: LogFile, place: str, columns: Mapping[str, Any], rows: Sequence[int], name: str) -> Floats:
    if name not in columns:
        raise _without(place, f"no column {name!r} among {sorted(columns)}; {log.mapping.left_out.get(name, '')}")
    return np.array([_number(columns[name][i].as_py()) for i in rows])


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


def _without(place: str, found: str) -> DataError:
    return DataError(
        expected="logged decisions with the signals that the reward reads",
        found=found.rstrip("; "),
        where=place,
        fix="name a Tenure log (.sqlite), an export of `tenure log export`, or a table with a column per signal",
    )
