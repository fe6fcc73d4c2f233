"""Logged decisions as arrays, for the replay world of a project that was started from a log: what its data.py calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError
from tenure.design.starting.table import Table, is_known, read_table
from tenure.store.tables.values import to_matrix

PARTS = ("train", "selection", "held_out")
CUTS = (0.6, 0.8)
"""Where the parts end, as shares of the log in its order of time: 60 % to learn from, 20 % to select, 20 % held out."""
FEWEST_GROUPS = 10
"""Units or episodes from which parts hold whole ones; of fewer, rows are cut."""
WORLD_ROWS = 12_000
"""Decisions a replay world is made of; of a longer log whole groups are taken, evenly over its time."""


@dataclass(frozen=True)
class Column:
    """One feature, and where the log has it.

    Args:
        name: the feature's name in the problem.
        column: the column's header, exactly.
        kind: how its cells become numbers: `number`; `is`, 1 where the text is `value`; `hour` and `weekday` (0 is
            Monday) of a moment in UTC; `item`, the entry of a list at place `value`.
        value: for `is` and `item`.
        missing: what stands for a cell without a number.
    """

    name: str
    column: str
    kind: Literal["number", "is", "hour", "weekday", "item"] = "number"
    value: str = ""
    missing: float = 0.0

    def numbers(self, table: Table) -> Floats:
        """The feature of each row, NaN where there is none; [n]."""
        if self.kind == "number":
            return table.numbers(self.column)
        if self.kind == "is":
            return np.asarray(pc.fill_null(pc.equal(table.labels(self.column), self.value), False)).astype(float)
        if self.kind == "item":
            place = int(self.value)
            return to_matrix(pc.list_slice(table.columns[self.column], place, place + 1), 1)[0][:, 0]
        return _of_moments(table.moments(self.column), self.kind)


@dataclass(frozen=True)
class Order:
    """Which columns say what came after what.

    Args:
        time: moment of the decision.
        group: unit or episode, whose decisions follow each other.
        step: place in the group.
        ends: groups have an end of their own, after which nothing is worth anything.
    """

    time: str | None = None
    group: str | None = None
    step: str | None = None
    ends: bool = False


@dataclass(frozen=True, eq=False)
class Decisions:
    """n logged decisions in the order of time, those of one group together.

    Args:
        observation: what was known; float32 [n, features].
        action: index of what was done; [n].
        signals: what came of it; [n] each.
        part: index into `PARTS`; [n].
        first: it is the first of its group; [n].
        following: row of the group's next decision, -1 where there is none; [n].
        ends: nothing comes after the last decision of a group.
    """

    observation: Floats
    action: Ints
    signals: Mapping[str, Floats]
    part: Ints
    first: Bools
    following: Ints
    ends: bool

    def __len__(self) -> int:
        return len(self.action)


def read_decisions(
    path: Path,
    features: Sequence[Column],
    action: str,
    labels: Sequence[str],
    signals: Mapping[str, tuple[str, float]],
    order: Order,
    most: int = WORLD_ROWS,
) -> Decisions:
    """A log as arrays; rows without a known action or with a signal missing are left out.

    Args:
        path: the log.
        features: in the order of the problem's observation.
        action: header of what was done.
        labels: of the problem's actions, in order.
        signals: header of each signal by its name, and what stands for a missing cell, NaN leaves the row out.
        order: of the rows.
        most: rows at most.

    Raises:
        DataError: the file lacks a column, or no row is left.
    """
    table = read_table(path, _headers(features, action, signals, order))
    taken = _places(table, action, labels)
    measured = {name: _filled(table.numbers(header), missing) for name, (header, missing) in signals.items()}
    rows, group = _thinned(*_sorted(table, order, _good(path, taken, measured)), most)
    seen = np.stack([_filled(feature.numbers(table), feature.missing) for feature in features], axis=1)
    part = _parts(group)
    return Decisions(
        observation=seen[rows].astype(np.float32),
        action=taken[rows],
        signals={name: values[rows] for name, values in measured.items()},
        part=part,
        first=np.diff(group, prepend=-1) != 0,
        following=_following(group, part) if order.group is not None else np.full(len(rows), -1),
        ends=order.ends,
    )


def _headers(
    features: Sequence[Column], action: str, signals: Mapping[str, tuple[str, float]], order: Order
) -> frozenset[str]:
    """Every column that is read."""
    measured = {header for header, _ in signals.values()}
    placed = {name for name in (order.time, order.group, order.step) if name is not None}
    return frozenset({feature.column for feature in features} | {action} | measured | placed)


def _places(table: Table, action: str, labels: Sequence[str]) -> Ints:
    """Index of each row's action among the labels, -1 where it is none of them; [n]."""
    index = pc.index_in(table.labels(action), value_set=pa.array(labels, pa.string()))
    return np.asarray(pc.fill_null(index, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _good(path: Path, taken: Ints, measured: Mapping[str, Floats]) -> Bools:
    """Rows with an action and every signal; one at least."""
    good: Bools = (taken >= 0) & np.all([is_known(values) for values in measured.values()], axis=0)
    if not good.any():
        fix = "restore the file, or correct data.py"
        raise DataError(expected="rows with action and signals", found="none", where=str(path), fix=fix)
    return good


def _following(group: Ints, part: Ints) -> Ints:
    """Row of the group's next decision in the same part, -1 where there is none; [n]."""
    goes_on = (np.diff(group, append=-1) == 0) & (np.diff(part, append=-1) == 0)
    return np.where(goes_on, np.arange(1, len(group) + 1), -1)


def _of_moments(moments: Any, kind: str) -> Floats:
    hours = moments.astype("datetime64[h]").astype(np.int64)
    # 1970 began on a Thursday.
    found = hours % 24 if kind == "hour" else (hours // 24 + 3) % 7
    return np.where(np.isnat(moments), np.nan, found.astype(float))


def _filled(values: Floats, missing: float) -> Floats:
    return np.where(is_known(values), values, missing)


def in_order(table: Table, order: Order) -> tuple[Ints, Ints]:
    """Every row of a table in order, those of one group together, and the number of each one's group."""
    return _sorted(table, order, np.ones(len(table), dtype=bool))


def _sorted(table: Table, order: Order, good: Bools) -> tuple[Ints, Ints]:
    """Good rows in order, and the number of each one's group, rising from 0."""
    rows = np.flatnonzero(good)
    place = rows.astype(float)
    time = place if order.time is None else _times(table, order.time)[rows]
    within = time if order.step is None else np.nan_to_num(table.numbers(order.step)[rows])
    if order.group is None:
        sorted_rows = rows[np.lexsort((place, time))]
        return sorted_rows, np.arange(len(rows))
    keys = pc.fill_null(table.texts(order.group), "").dictionary_encode().indices.to_numpy(zero_copy_only=False)[rows]
    # Groups in the order in which they begin.
    began = np.full(int(keys.max()) + 1, np.inf)
    np.minimum.at(began, keys, time)
    rank = np.empty(len(began), dtype=np.int64)
    rank[np.lexsort((np.arange(len(began)), began))] = np.arange(len(began))
    by = np.lexsort((place, within, rank[keys]))
    return rows[by], np.unique(rank[keys][by], return_inverse=True)[1].astype(np.int64)


def _times(table: Table, name: str) -> Floats:
    if table.looks[name] == "number":
        return np.nan_to_num(table.numbers(name), nan=np.inf)
    moments = table.moments(name)
    return np.where(np.isnat(moments), np.inf, moments.astype("int64").astype(float))


def _thinned(rows: Ints, group: Ints, most: int) -> tuple[Ints, Ints]:
    every = -(-len(rows) // most)
    kept = np.flatnonzero(group % every == 0)[:most]
    return rows[kept], group[kept] // every


def _parts(group: Ints) -> Ints:
    """Part of each row: whole groups where there are enough of them."""
    n = len(group)
    place = group / (group[-1] + 1) if group[-1] + 1 >= FEWEST_GROUPS else np.arange(n) / n
    return np.searchsorted(np.asarray(CUTS), place, side="right")
