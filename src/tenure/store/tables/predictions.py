"""Policies and reward models as tables: one column per action, one row per decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.core.logged import Hashes, Logged
from tenure.store.tables.chunks import Source, bad_data
from tenure.store.tables.logfile import SIZE, read_source
from tenure.store.tables.roles import key_of
from tenure.store.tables.values import hashes, to_numbers, to_objects, to_texts

SUM_WITHIN = 1e-4
"""How far the probabilities of a row may be from 1 together: what rounding to six digits leaves."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A table as a `tenure.core.logged.Target`: one number per action for each row of a log.

    Args:
        name: the table, for messages.
        table: numbers in the order of the labels; float64 [rows, actions].
        columns: the column of each label.
        left_out: columns that were not read.
        ids: hash of each row's decision_id and position, rising; None when rows are matched by order.
        order: row of the table for each of `ids`.
        positioned: whether positions are part of the match.
    """

    name: str
    table: Floats
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    ids: Hashes | None
    order: Ints | None
    positioned: bool

    def __call__(self, rows: Logged) -> Floats:
        """The numbers of these decisions; [n, actions].

        Raises:
            DataError: the table has no row for one of them.
        """
        if self.ids is None or self.order is None:
            return self._by_order(rows)
        wanted = _match(rows.decision_id, rows.position if self.positioned else None)
        place = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        absent = np.flatnonzero(self.ids[place] != wanted)
        if len(absent):
            at = f" in position {rows.position[absent[0]]}" if self.positioned and rows.position is not None else ""
            raise self._short(f"none for {len(absent)}, such as {rows.decision_id[absent[0]]!r}{at}")
        return self.table[self.order[place]]

    def _by_order(self, rows: Logged) -> Floats:
        if len(rows) and int(rows.index.max()) >= len(self.table):
            raise self._short(f"{len(self.table)} rows, and none for row {int(rows.index.max())} (from 0)")
        return self.table[rows.index]

    def _short(self, found: str) -> DataError:
        return bad_data("a row for every decision of the log", found, self.name, "write it for the same log")


def open_predictions(
    source: Any, labels: Sequence[str], *, probabilities: bool = False, rows: int | None = None
) -> Predictions:
    """A table with one column per action, matched by decision_id (and position) where it has them, else by order.

    A column is the label itself, or a prefix all labels share and the label: p_3, prob_3, pi_e_3. By order, the row of
    a decision is its `index`, so rows of the log that were rejected have a row in the table too.

    Args:
        source: what `open_log` takes, without a mapping.
        labels: the actions of the log, in order.
        probabilities: rows must be >= 0 and sum to 1 within SUM_WITHIN; else every number must only be finite.
        rows: how many rows a table without ids must have; None does not check.

    Raises:
        DataError: a label has no column or two, a row is no distribution (the first bad one is named with its sum) or
            not finite, an id comes twice, or there are more or fewer rows.
    """
    opened = read_source(source, SIZE)
    sample = opened.sample()
    names = list(sample)
    columns = _columns_of(names, labels, opened.name)
    keys = _key_columns(names, columns)
    table, ids, positions = _read(opened, columns, keys)
    _check_numbers(table, probabilities, opened.name)
    left_out = tuple(name for name in names if name not in columns and name not in keys.values())
    if ids is None:
        if rows is not None and len(table) != rows:
            raise bad_data(f"{rows} rows, as in the log", f"{len(table)}", opened.name, "write it for the same log")
        return Predictions(opened.name, table, columns, left_out, None, None, False)
    hashed = _match(ids, positions)
    order = np.argsort(hashed, kind="stable")
    _check_once(hashed[order], ids[order], opened.name)
    return Predictions(opened.name, table, columns, left_out, hashed[order], order, positions is not None)


def _columns_of(names: Sequence[str], labels: Sequence[str], where: str) -> tuple[str, ...]:
    """The column of each label: under its own name, else behind the one prefix that serves all labels."""
    prefixes = {name.removesuffix(label) for label in labels[:1] for name in names if name.endswith(label)}
    serving = sorted((p for p in prefixes if all(p + label in names for label in labels)), key=len)
    if not serving:
        found = f"columns {list(names)[:50]}"
        fix = "name each column by its action, or by one prefix and the action, such as p_3"
        raise bad_data(f"a column for each of the actions {list(labels)[:50]}", found, where, fix)
    if len(serving) > 1 and serving[0]:
        found = f"columns with the prefixes {serving}"
        raise bad_data("one column for each action", found, where, "leave only the columns that are meant")
    return tuple(serving[0] + label for label in labels)


def _key_columns(names: Sequence[str], columns: Sequence[str]) -> Mapping[str, str]:
    """The columns that say which decision a row is for; a position alone says nothing."""
    found: dict[str, str] = {}
    for role in ("decision_id", "position"):
        for name in names:
            if name not in columns and key_of(name) in _KEYS[role]:
                found.setdefault(role, name)
    return found if "decision_id" in found else {}


_KEYS = {"decision_id": ("decisionid", "eventid"), "position": ("position", "slot")}


def _read(source: Source, columns: Sequence[str], keys: Mapping[str, str]) -> tuple[Floats, Any, Ints | None]:
    parts, ids, positions = [], [], []
    for chunk in source.chunks([*columns, *keys.values()], columns):
        if chunk.rejected:
            bad = chunk.rejected[0]
            raise bad_data("rows that can be read", f"line {bad.line}: {bad.reason}", source.name, "write it again")
        part = np.empty((len(chunk), len(columns)))
        for k, name in enumerate(columns):
            part[:, k], wrong = to_numbers(chunk.columns[name])
            if wrong.any():
                i = int(wrong.argmax())
                found = f"{chunk.columns[name][i].as_py()!r} in column {name!r}, line {int(chunk.line[i])}"
                raise bad_data("numbers", found, source.name, "write a number in every cell")
        parts.append(part)
        if keys:
            ids.append(to_objects(to_texts(chunk.columns[keys["decision_id"]])))
        if "position" in keys:
            positions.append(to_numbers(chunk.columns[keys["position"]])[0])
    if not parts:
        raise bad_data("a row per decision", "none", source.name, "write it again")
    position = np.nan_to_num(np.concatenate(positions), nan=-1).astype(np.int64) if positions else None
    return np.concatenate(parts), np.concatenate(ids) if ids else None, position


def _match(ids: Any, positions: Ints | None) -> Hashes:
    texts = (
        [str(name) for name in ids]
        if positions is None
        else [f"{name}\0{position}" for name, position in zip(ids, positions.tolist(), strict=True)]
    )
    return hashes(np.array(texts, dtype=object))


def _check_numbers(table: Floats, probabilities: bool, where: str) -> None:
    bad = ~np.isfinite(table).all(axis=1)
    expected = "finite numbers"
    if probabilities:
        bad |= (table < 0).any(axis=1) | ~(np.abs(table.sum(axis=1) - 1) <= SUM_WITHIN)
        expected = f"probabilities >= 0 that sum to 1 within {SUM_WITHIN:g} in every row"
    if bad.any():
        row = int(bad.argmax())
        low = f", the smallest {table[row].min():g}" if (table[row] < 0).any() else ""
        found = f"row {row + 1} sums to {table[row].sum():.6g}{low}; {int(bad.sum())} such row(s) of {len(table)}"
        raise bad_data(expected, found, where, "correct what wrote the table; nothing is rescaled here")


def _check_once(hashed: Hashes, ids: Any, where: str) -> None:
    twice = np.flatnonzero(hashed[1:] == hashed[:-1])
    if len(twice):
        found = f"{ids[twice[0]]!r} more than once"
        raise bad_data("one row per decision (and position)", found, where, "leave one row of each")


def labels_in(source: Any, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of a log and those a table has beyond them: a policy may want what the log never shows.

    Args:
        source: what `open_predictions` takes.
        labels: the actions of the log, in order.
    """
    names = list(read_source(source, SIZE).sample())
    prefixes = [name.removesuffix(labels[0]) for name in names if name.endswith(labels[0])] if labels else []
    whole = all(label.isdecimal() for label in labels)
    for prefix in sorted((p for p in prefixes if all(p + label in names for label in labels)), key=len):
        behind = {name.removeprefix(prefix) for name in names if name.startswith(prefix)} - set(labels)
        more = {name for name in behind if name.isdecimal()} if whole else behind if prefix else set()
        return tuple(sorted({*labels, *more}, key=lambda label: (int(label) if whole else 0, label)))
    return tuple(labels)
