"""A log, whoever wrote it, as trajectories of a problem: features, actions and signals, step after step."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories
from tenure.store.records import FLAGS, LogRow
from tenure.store.tables.chunks import Rejection
from tenure.store.tables.logfile import LogFile, open_log
from tenure.store.tables.roles import NUMBERS
from tenure.store.tables.scanning import counts
from tenure.store.tables.sieve import Sieve
from tenure.store.tables.stored import Stored
from tenure.store.tables.understanding import Understood, select

PAGE = 5_000
"""Decisions of a stored log read at a time."""
ALONE = "log"
"""Name of the one episode of a log that tells none."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decisions in the order of the log; [n] each.

    Args:
        columns: features and what else the log tells beforehand, by name.
        signals: by name, NaN where not measured.
        action: indices, or vectors [n, numbers].
        propensity: or density; NaN where unknown.
        unit, episode: names, empty where there are none.
        step: -1 where there is none.
        at: datetime64[us], NaT where unknown.
    """

    columns: Mapping[str, Floats]
    signals: Mapping[str, Floats]
    action: Any
    propensity: Floats
    unit: Any
    episode: Any
    step: Any
    at: Any


@dataclass(frozen=True, eq=False)
class Opened:
    """Trajectories, and how much of the log they are.

    Args:
        trajectories: all of it, or whole episodes.
        read: decisions in the log.
        share: of its episodes that were kept, chosen by their names; 1 for all.
        rejected: rows that are no decision of the problem, each with its line and reason; in no figure.
    """

    trajectories: Trajectories
    read: int
    share: float
    rejected: Sequence[Rejection] = ()


def open_trajectories(place: str, problem: Problem, most: int | None = None, mapping: str | None = None) -> Opened:
    """The decisions of a log with their signals, every further column of numbers beside the problem's features.

    Episodes are those of `episode_id`, else of `unit_id`; steps come from `step`, else from the times, else from the
    order of the rows.

    Args:
        place: Tenure's own log (.sqlite), what `tenure log export` wrote, or a table with a column per feature and
            signal (CSV, JSON lines, Parquet).
        problem: whose features, actions and signals are looked for.
        most: decisions from which on whole episodes are left out (`sieve`); None reads all.
        mapping: of a table, a TOML file saying which column is what; None guesses by their names.

    Raises:
        DataError: no such file, no decision, a feature or signal that the log does not have, or a step that is there
            twice.
    """
    log = None if Path(place).suffix == ".sqlite" else _log_file(place, problem, mapping)
    sieve = Sieve[_Rows](most, _episode_names, _chosen)
    sieve.take(_stored(place, problem) if log is None else _table(log, place, problem))
    if not sieve.read:
        raise _wrong("decisions with their signals", "none", place, "check the export that wrote it")
    rows = _joined(sieve.parts)
    _check_columns(rows, problem, place)
    return Opened(_sorted(rows, problem, place), sieve.read, sieve.share, () if log is None else log.rejected)


def _stored(place: str, problem: Problem) -> Iterator[_Rows]:
    rows = (row for row in Stored(place, problem, PAGE).rows() if row.decision.reason not in FLAGS)
    while page := list(islice(rows, PAGE)):
        yield _page(page, problem)


def _page(kept: Sequence[LogRow], problem: Problem) -> _Rows:
    seen = [_seen(row, problem) for row in kept]
    names = list(dict.fromkeys(name for row in seen for name in row))
    signals = [row.signals if row.signals and row.counted else {} for row in kept]
    decisions = [row.decision for row in kept]
    return _Rows(
        columns={name: np.array([_number(row.get(name)) for row in seen]) for name in names},
        signals={name: np.array([_number(row.get(name)) for row in signals]) for name in sorted(problem.signal_names)},
        action=np.array([each.action for each in decisions]),
        propensity=np.array(
            [_number(each.density if each.propensity is None else each.propensity) for each in decisions]
        ),
        unit=np.array([each.unit_id for each in decisions], dtype=object),
        episode=np.array([each.episode_id or "" for each in decisions], dtype=object),
        step=np.array([-1 if each.step is None else each.step for each in decisions], dtype=np.int64),
        at=np.array([each.decided_at.replace(tzinfo=None) for each in decisions], dtype="datetime64[us]"),
    )


def _seen(row: LogRow, problem: Problem) -> Mapping[str, Any]:
    """The context's numbers, and over them the observation it was decided by."""
    told = {name: value for name, value in row.decision.context.items() if isinstance(value, int | float)}
    observed = np.frombuffer(row.decision.observation, dtype="<f4").astype(float).tolist()
    return {**told, **dict(zip(problem.feature_names, observed, strict=False))}


def _log_file(place: str, problem: Problem, mapping: str | None) -> LogFile:
    return open_log(place, mapping, actions=problem.action.labels if isinstance(problem.action, Discrete) else None)


def _table(log: LogFile, place: str, problem: Problem) -> Iterator[_Rows]:
    empty = True
    for chunk, rows in log.understood():
        part = _part(log, chunk, rows, problem)
        if len(part.step):
            empty = False
            yield part
    if empty:
        raise _wrong("decisions that can be read", f"none; {_rejected(log)}", place, "mend the rows, or the export")


def _joined(parts: Sequence[_Rows]) -> _Rows:
    """All parts after each other; a column that a part does not have is missing there."""
    return _Rows(
        columns=_columns([part.columns for part in parts], [len(part.step) for part in parts]),
        signals=_columns([part.signals for part in parts], [len(part.step) for part in parts]),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _PLAIN},
    )


def _columns(parts: Sequence[Mapping[str, Floats]], lengths: Sequence[int]) -> dict[str, Floats]:
    names = dict.fromkeys(name for part in parts for name in part)
    pairs = list(zip(parts, lengths, strict=True))
    return {name: np.concatenate([part.get(name, np.full(n, np.nan)) for part, n in pairs]) for name in names}


def _chosen(rows: _Rows, flags: Bools) -> _Rows:
    return _Rows(
        columns={name: values[flags] for name, values in rows.columns.items()},
        signals={name: values[flags] for name, values in rows.signals.items()},
        **{name: getattr(rows, name)[flags] for name in _PLAIN},
    )


def _episode_names(rows: _Rows) -> Any:
    """The episode of each decision, else its unit, else one name for all; [n]."""
    return np.where(rows.episode != "", rows.episode, np.where(rows.unit != "", rows.unit, ALONE))


_PLAIN = ("action", "propensity", "unit", "episode", "step", "at")


def _part(log: LogFile, chunk: Any, understood: Understood, problem: Problem) -> _Rows:
    rows = select(understood, counts(understood))
    n, values = len(rows), rows.values
    columns = {
        name: rows.features[feature.column][:, k]
        for feature in log.found.plan.features
        for k, name in enumerate(feature.names)
        if feature.column in rows.features
    }
    columns |= _guessed(log, rows, problem)
    signals = _exported(log, chunk, rows, problem)
    signals |= {name: columns.pop(name) for name in sorted(problem.signal_names - signals.keys()) if name in columns}
    return _Rows(
        columns=columns,
        signals=signals,
        action=_actions(values["action"], log.labels),
        propensity=values.get("propensity", np.full(n, np.nan)),
        unit=_names(values.get("unit_id"), n),
        episode=_names(values.get("episode_id"), n),
        step=values.get("step", np.full(n, -1, dtype=np.int64)),
        at=values.get("decided_at", np.full(n, np.datetime64("NaT", "us"))),
    )


def _guessed(log: LogFile, rows: Understood, problem: Problem) -> dict[str, Floats]:
    """Columns of the problem's own names that were taken for something else, such as costs for the reward."""
    own = {*problem.feature_names, *problem.signal_names}
    return {
        taken.columns[0]: taken.sign * np.asarray(rows.values[role], dtype=np.float64)
        for role, taken in log.mapping.roles.items()
        if role in NUMBERS and role in rows.values and taken.columns[0] in own
    }


def _exported(log: LogFile, chunk: Any, rows: Understood, problem: Problem) -> dict[str, Floats]:
    """Signals of a column of JSON objects, as an export has it; nothing without one."""
    column = log.mapping.column("signals")
    if column is None:
        return {}
    cells = [chunk.columns[column][i].as_py() for i in rows.place.tolist()]
    told = [{} if not cell else json.loads(cell) if isinstance(cell, str) else cell for cell in cells]
    return {name: np.array([_number(each.get(name)) for each in told]) for name in sorted(problem.signal_names)}


def _actions(actions: Any, labels: Sequence[str]) -> Any:
    if isinstance(actions, np.ndarray):
        return actions
    index = {label: k for k, label in enumerate(labels)}
    return np.array([index[label] for label in actions.to_pylist()], dtype=np.int64)


def _names(column: Any, n: int) -> Any:
    if column is None:
        return np.full(n, "", dtype=object)
    return np.array([name or "" for name in column.to_pylist()], dtype=object)


def _number(cell: Any) -> float:
    """NaN for what is not there."""
    return math.nan if cell is None or cell == "" else float(cell)


def _check_columns(rows: _Rows, problem: Problem, place: str) -> None:
    needed = {feature.name for feature in problem.observation if feature.default is None}
    lacking = [*sorted(needed - rows.columns.keys()), *sorted(problem.signal_names - rows.signals.keys())]
    if lacking:
        there = sorted({*rows.columns, *rows.signals})
        fix = "add these columns, named as in problem.py; a feature may have a `default` instead"
        raise _wrong(f"columns {lacking}", f"columns {there}", place, fix)


def _sorted(rows: _Rows, problem: Problem, place: str) -> Trajectories:
    """Rows by episode and step; episodes of one world follow each other in time."""
    names = _episode_names(rows)
    known, key = np.unique(names.astype(str), return_inverse=True)
    timed, stepped = not np.isnat(rows.at).any(), bool((rows.step >= 0).all())
    moment = rows.at.astype("datetime64[us]").astype(np.int64) if timed else np.arange(len(key))
    begin = np.full(len(known), np.iinfo(np.int64).max)
    np.minimum.at(begin, key, moment)
    worlds = _worlds(rows, key, known)
    rank = np.argsort(np.lexsort((begin, worlds)))
    order = np.lexsort((rows.step if stepped else moment, rank[key]))
    episode = rank[key][order]
    first = np.searchsorted(episode, np.arange(len(known)))
    step = rows.step[order] if stepped else np.arange(len(order)) - first[episode]
    _check_steps(episode, step, place, names[order])
    extra = [name for name in rows.columns if name not in problem.feature_names]
    empty = np.full(len(key), np.nan)
    columns = [rows.columns.get(name, empty)[order] for name in (*problem.feature_names, *extra)]
    return Trajectories(
        observation=np.column_stack(columns),
        names=(*problem.feature_names, *extra),
        action=rows.action[order],
        signals={name: values[order] for name, values in rows.signals.items()},
        episode=episode,
        step=step,
        propensity=rows.propensity[order],
        world=tuple(worlds[np.argsort(rank)].tolist()),
        at=rows.at[order] if timed else None,
    )


def _worlds(rows: _Rows, key: Any, known: Any) -> Any:
    """The unit of each episode; where it changes within one, or is not told, the episode's own name."""
    units = rows.unit.astype(str)
    first = np.full(len(known), -1)
    first[key[::-1]] = np.arange(len(key))[::-1]
    own = units[first]
    constant = np.ones(len(known), dtype=bool)
    constant[key[units != own[key]]] = False
    return np.where(constant & (own != ""), own, known)


def _check_steps(episode: Any, step: Any, place: str, names: Any) -> None:
    twice = np.flatnonzero((np.diff(episode) == 0) & (np.diff(step) <= 0))
    if len(twice):
        found = f"step {int(step[twice[0]])} of episode {names[twice[0]]!r} twice ({len(twice)} such steps)"
        raise _wrong("every step of an episode once", found, place, "log each decision once, or give episodes names")


def _rejected(log: LogFile) -> str:
    return "; ".join(f"line {row.line}: {row.reason}" for row in log.rejected[:3]) or "no row counts"


def _wrong(expected: str, found: str, where: str, fix: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix=fix)
