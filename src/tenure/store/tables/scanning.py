"""The first pass over a log: its labels, its categories, how many rows are good, and all that are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Ints
from tenure.core.logged import Hashes
from tenure.store.tables.chunks import Chunk, Rejection, Source, bad_data
from tenure.store.tables.features import Tally, ordered_labels
from tenure.store.tables.repeats import (
    REJECTIONS,
    doubtful,
    has_any,
    keys,
    known_actions,
    number_columns,
    repeated_rows,
    wanted,
)
from tenure.store.tables.roles import IF_ANY, NOTHING
from tenure.store.tables.understanding import Plan, Understood, select, understand
from tenure.store.tables.values import to_numbers, to_texts

LABELS = 10_000
"""Different actions of a log; a column with more is no action."""


@dataclass(frozen=True)
class Scan:
    """What one pass over a log has found.

    Args:
        plan: how columns are read, categories with their values.
        labels: the actions in order; empty for a `Box`.
        rows: good rows that count.
        rejected: the others, by line.
        repeated: ordinals of rows whose decision_id (and position) came before, rising.
        flagged: rows kept out by their flag, by flag.
        naive: some time had no zone.
        late: names the first rows did not have.
    """

    plan: Plan
    labels: tuple[str, ...]
    rows: int
    rejected: tuple[Rejection, ...]
    repeated: Ints
    flagged: Mapping[str, int]
    naive: bool
    late: tuple[str, ...]


@dataclass
class _Findings:
    """What the pass gathers."""

    doubtful: frozenset[str]
    labels: set[str] = field(default_factory=set)
    mask_width: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)
    keys: list[Hashes] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    naive: bool = False
    late: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)


class _IsBox(Exception):
    """Actions turned out to be numbers with fractions."""


def scan(source: Source, plan: Plan, *, unique: bool, actions: Sequence[str] | None) -> Scan:
    """Read a log once, only the columns in which something may be wrong or must be known beforehand.

    Args:
        source: the log.
        plan: how to read it.
        unique: look for repeated ids, at 8 bytes a row while the pass lasts.
        actions: the labels, where they are known beforehand; rows with others are rejected.

    Raises:
        DataError: no row can be used, there are too many different actions, or nearly nothing can be read.
    """
    try:
        found = _pass(source, plan, unique, actions)
    except _IsBox:
        return scan(source, replace(plan, box=1), unique=unique, actions=actions)
    labels = _labels(found, plan, actions, source.name)
    columns = [found.tallies[f.column].column(f.column) if f.kind == "category" else f for f in plan.features]
    absent = IF_ANY & set(plan.mapping.roles) & found.doubtful - found.present
    plan = replace(plan, features=tuple(columns), mapping=plan.mapping.without(absent))
    repeated, twice = repeated_rows(source, plan, found.keys) if unique else (np.array([], dtype=np.int64), [])
    rejected = sorted([*found.rejected, *twice], key=lambda rejection: rejection.line)
    rows = found.rows - len(twice)
    if rows + found.flags.total() < 1:
        raise _nothing(source, rejected)
    late = tuple(sorted(found.late))
    return Scan(plan, labels, rows, tuple(rejected), repeated, dict(found.flags), found.naive, late)


def _nothing(source: Source, rejected: Sequence[Rejection]) -> Exception:
    first = f"; the first, line {rejected[0].line}: {rejected[0].reason}" if rejected else ""
    what = f"none; {len(rejected)} rejected{first}"
    return bad_data("at least one usable row", what, source.name, "check the file and which column is what")


def _pass(source: Source, plan: Plan, unique: bool, actions: Sequence[str] | None) -> _Findings:
    found = _Findings(
        doubtful(plan, source.sample()), tallies={f.column: Tally() for f in plan.features if f.kind == "category"}
    )
    columns = wanted(source, plan, source.sample(), unique)
    for chunk in source.chunks(columns, number_columns(plan)):
        if not plan.box and plan.number_labels:
            _check_whole(chunk, plan)
        rows = known_actions(understand(chunk, plan), chunk, actions)
        _gather(found, chunk, rows, plan, unique)
        if len(found.rejected) > REJECTIONS or len(found.labels) > LABELS:
            raise _not_a_log(source, found, plan)
    return found


def _not_a_log(source: Source, found: _Findings, plan: Plan) -> Exception:
    if len(found.labels) > LABELS:
        column = plan.mapping.column("action")
        what = f"more than {LABELS} different values in column {column!r}"
        return bad_data("labelled actions, or numbers with fractions", what, source.name, "name another column")
    what = f"more than {REJECTIONS} rejected rows; the last: {found.rejected[-1].reason}"
    return bad_data("a log most of which can be read", what, source.name, "check which column is what")


def _check_whole(chunk: Chunk, plan: Plan) -> None:
    numbers, _ = to_numbers(chunk.columns[plan.mapping.roles["action"].columns[0]])
    if (numbers[np.isfinite(numbers)] % 1 != 0).any():
        raise _IsBox


def _gather(found: _Findings, chunk: Chunk, rows: Understood, plan: Plan, unique: bool) -> None:
    found.rejected += rows.rejected
    found.late |= set(chunk.late) | _appeared(chunk, plan)
    found.naive |= rows.naive
    if unique and "decision_id" in rows.values:
        found.keys.append(keys(rows))
    counted = select(rows, counts(rows))
    flags = rows.values.get("flag")
    if flags is not None:
        found.flags.update(flags.drop_null().to_pylist())
    found.rows += len(counted)
    if not plan.box and "action" in rows.values:
        found.labels.update(pc.unique(rows.values["action"]).to_pylist())
    for role in found.doubtful & set(rows.values):
        if has_any(rows.values[role]):
            found.present.add(role)
    _gather_masks(found, rows.values.get("allowed", ()))
    for name, tally in found.tallies.items():
        tally.update(to_texts(chunk.columns[name]).take(pa.array(counted.place)))


def _appeared(chunk: Chunk, plan: Plan) -> set[str]:
    """Columns left out for having nothing in the first rows, which now have something."""
    empty = [name for name, why in plan.mapping.left_out.items() if why == NOTHING and name in chunk.columns]
    return {name for name in empty if to_texts(chunk.columns[name]).null_count < len(chunk)}


def _gather_masks(found: _Findings, masks: Collection[Any]) -> None:
    for mask in masks:
        if mask and isinstance(mask[0], bool):
            found.mask_width = max(found.mask_width, len(mask))
        elif mask:
            found.labels.update(mask)


def counts(rows: Understood) -> Any:
    """Rows without a flag that keeps them out; bool [n]."""
    flags = rows.values.get("flag")
    return np.ones(len(rows), dtype=bool) if flags is None else np.asarray(flags.is_null())


def _labels(found: _Findings, plan: Plan, actions: Sequence[str] | None, where: str) -> tuple[str, ...]:
    if plan.box:
        return ()
    if actions is not None:
        return tuple(actions)
    labels = found.labels
    whole = all(label.isdecimal() for label in labels)
    if whole and found.mask_width > len(labels) and max(map(int, labels), default=0) < found.mask_width:
        labels = {str(k) for k in range(found.mask_width)}  # the mask knows actions that nobody ever took
    if found.mask_width > len(labels):
        what = f"masks of {found.mask_width}, actions {ordered_labels(labels)[:10]}"
        raise bad_data("masks of one boolean per action", what, where, "give the labels of all actions")
    return ordered_labels(labels)
