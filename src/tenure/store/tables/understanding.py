"""From a chunk of named columns to rows with roles: what is illegal stays, what cannot be read is rejected."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats, Ints
from tenure.store.tables.chunks import Chunk, Rejection
from tenure.store.tables.features import FeatureColumn
from tenure.store.tables.roles import ColumnMapping
from tenure.store.tables.values import as_text, plain, to_matrix, to_numbers, to_texts, to_times

_WHOLE = r"^(-?\d+)\.0*$"
_FIRST, _LAST = np.datetime64("0001-01-01"), np.datetime64("9000-01-01")  # as core.clock reads them
TEXT_ROLES = ("decision_id", "unit_id", "episode_id", "flag")


@dataclass(frozen=True)
class Plan:
    """How the columns of a log are read.

    Args:
        mapping: which column is what.
        features: the feature columns.
        box: how many numbers an action is; 0 for labelled actions.
        number_labels: labels are numbers, so that 3.0 is 3.
    """

    mapping: ColumnMapping
    features: tuple[FeatureColumn, ...]
    box: int = 0
    number_labels: bool = False


@dataclass(frozen=True, eq=False)
class Understood:
    """Good rows of a chunk: arrays by role, as far as the chunk has the columns, and features by column.

    Args:
        row: ordinals in the source; [n].
        place: positions in the chunk; [n].
        values: Arrow texts of `action` (labels) and TEXT_ROLES; float64 of `propensity`, `reward`, `terminal`,
            `timeout`; int64 of `step` and `position`, -1 where there is none; datetime64[us] of `decided_at`;
            float64 [n, box] of a `Box` action; a list of masks.
        features: float64 [n, names] by column.
        naive: some moment had no zone.
        rejected: the other rows.
    """

    row: Ints
    place: Ints
    values: Mapping[str, Any]
    features: Mapping[str, Floats]
    naive: bool
    rejected: Sequence[Rejection]

    def __len__(self) -> int:
        return len(self.row)


@dataclass
class _Marks:
    """Rows of a chunk that cannot be taken, each with its first reason."""

    chunk: Chunk
    reasons: dict[int, str] = field(default_factory=dict)

    def add(self, bad: Bools, why: Callable[[int], str]) -> None:
        for i in np.flatnonzero(bad).tolist():
            self.reasons.setdefault(i, why(i))

    def cells(self, bad: Bools, name: str, what: str) -> None:
        """Cells of a column that are not what they should be."""
        self.add(bad, lambda i: f"{self.chunk.columns[name][i].as_py()!r} in column {name!r} is no {what}")

    @property
    def rejected(self) -> list[Rejection]:
        lines = self.chunk.line
        found = [Rejection(int(lines[i]), why, self.chunk.text(i)) for i, why in self.reasons.items()]
        return sorted([*self.chunk.rejected, *found], key=lambda rejection: rejection.line)


def understand(chunk: Chunk, plan: Plan) -> Understood:
    """Read a chunk by roles and features."""
    marks = _Marks(chunk)
    values: dict[str, Any] = {}
    _actions(chunk, plan, values, marks)
    naive = _roles(chunk, plan.mapping, values, marks)
    features = _features(chunk, plan, marks)
    good = np.ones(len(chunk), dtype=bool)
    good[list(marks.reasons)] = False
    return select(Understood(chunk.row, np.arange(len(chunk)), values, features, naive, marks.rejected), good)


def select(rows: Understood, good: Bools) -> Understood:
    """Some of the rows."""
    if good.all():
        return rows
    values = {role: _kept(column, good) for role, column in rows.values.items()}
    features = {name: column[good] for name, column in rows.features.items()}
    return replace(rows, row=rows.row[good], place=rows.place[good], values=values, features=features)


def _kept(column: Any, good: Bools) -> Any:
    if isinstance(column, list):
        return [cell for cell, kept in zip(column, good.tolist(), strict=True) if kept]
    return column[good] if isinstance(column, np.ndarray) else column.filter(pa.array(good))


def _actions(chunk: Chunk, plan: Plan, values: dict[str, Any], marks: _Marks) -> None:
    columns = plan.mapping.roles["action"].columns
    if not set(columns) <= set(chunk.columns):
        return
    if plan.box:
        values["action"] = _vectors(chunk, plan, columns, marks)
        return
    texts = to_texts(chunk.columns[columns[0]])
    if plan.number_labels:
        texts = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), _WHOLE, r"\1")
    marks.add(np.asarray(pc.equal(pc.fill_null(texts, ""), "")), lambda _: "no action")
    values["action"] = texts


def _vectors(chunk: Chunk, plan: Plan, columns: Sequence[str], marks: _Marks) -> Floats:
    first = plain(chunk.columns[columns[0]])
    if len(columns) == 1 and pa.types.is_nested(first.type):
        vectors, bad = to_matrix(first, plan.box)
        marks.cells(bad, columns[0], f"list of {plan.box} numbers")
        marks.add(np.isnan(vectors).any(axis=1) & ~bad, lambda _: "no action")
        return vectors
    parts = []
    for name in columns:
        numbers, bad = to_numbers(chunk.columns[name])
        marks.cells(bad, name, "number")
        marks.add(np.isnan(numbers) & ~bad, lambda _: "no action")
        parts.append(numbers)
    return np.stack(parts, axis=1)


def _roles(chunk: Chunk, mapping: ColumnMapping, values: dict[str, Any], marks: _Marks) -> bool:
    """Every role but the action; returns whether some moment had no zone."""
    naive = False
    for role, taken in mapping.roles.items():
        name = taken.columns[0]
        if role == "action" or name not in chunk.columns:
            continue
        if role in TEXT_ROLES:
            values[role] = to_texts(chunk.columns[name])
        elif role == "decided_at":
            values[role], bad, naive = to_times(chunk.columns[name])
            marks.cells(bad | ((values[role] < _FIRST) | (values[role] >= _LAST)), name, "time")
        elif role in ("propensity", "reward", "terminal", "timeout", "step", "position"):
            numbers, bad = to_numbers(chunk.columns[name])
            marks.cells(bad, name, "number")
            values[role] = _integers(numbers, name, marks) if role in ("step", "position") else taken.sign * numbers
        elif role == "allowed":
            values[role] = [read_mask(cell) for cell in plain(chunk.columns[name]).to_pylist()]
            marks.cells(np.array([mask == [] for mask in values[role]], dtype=bool), name, "mask")
    return naive


def _integers(numbers: Floats, name: str, marks: _Marks) -> Ints:
    """int64, -1 where there is none."""
    known = np.where(np.isnan(numbers), -1.0, numbers)
    bad = (known != np.round(known)) | (known < -1) | (known >= 2**63)
    marks.cells(bad, name, "whole number from 0")
    return np.where(bad, -1.0, known).astype(np.int64)


def read_mask(cell: Any) -> list[Any] | None:
    """Booleans in the order of the labels, or labels; None where all are allowed, empty where it cannot be read."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        text = cell.strip()
        if text.startswith("["):
            try:
                return read_mask(json.loads(text))
            except ValueError:
                return []
        cell = list(text) if set(text) <= {"0", "1"} else text.replace(";", ",").replace("|", ",").split(",")
        truth = {"0": False, "1": True, "false": False, "true": True}
        words = [word.strip() for word in cell]
        return [truth[word.lower()] for word in words] if {w.lower() for w in words} <= set(truth) else words
    if all(isinstance(entry, bool) or entry in (0, 1) for entry in cell):
        return [bool(entry) for entry in cell]
    return [as_text(entry) if not isinstance(entry, float) else f"{entry:g}" for entry in cell]


def _features(chunk: Chunk, plan: Plan, marks: _Marks) -> dict[str, Floats]:
    found = {}
    for feature in plan.features:
        if feature.column not in chunk.columns:
            continue
        found[feature.column], bad = feature.numbers(chunk.columns[feature.column])
        what = f"list of {feature.width} numbers" if feature.kind == "list" else feature.kind
        if bad.any():
            marks.cells(bad, feature.column, what)
    return found
