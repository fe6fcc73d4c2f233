"""Which columns a pass needs, and rows whose id came before: found by 64-bit hashes, told apart by the ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Ints
from tenure.core.logged import Hashes
from tenure.store.tables.chunks import Chunk, Rejection, Source, bad_data
from tenure.store.tables.roles import IF_ANY
from tenure.store.tables.understanding import TEXT_ROLES, Plan, Understood, select, understand
from tenure.store.tables.values import hashes, plain, to_numbers, to_texts

REJECTIONS = 1_000_000
"""Rejections a log may have; a file with more is not what the mapping says."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def keys(rows: Understood) -> Hashes:
    """A hash of each row's id and position; 0 where there is no id."""
    ids = rows.values["decision_id"]
    there = np.asarray(ids.is_valid())
    found = np.zeros(len(rows), dtype=np.uint64)
    found[there] = hashes(ids.drop_null().to_numpy(zero_copy_only=False))
    position = rows.values.get("position")
    if position is not None:
        found[there] += position[there].astype(np.uint64) * _GOLDEN
    return found


def repeated_rows(source: Source, plan: Plan, found: list[Hashes]) -> tuple[Ints, list[Rejection]]:
    """Rows whose id came before: those with equal hashes are read again and compared by their ids."""
    if not found:
        return np.array([], dtype=np.int64), []
    hashed = np.concatenate(found)
    found.clear()
    hashed.sort()
    twice = np.unique(hashed[1:][(hashed[1:] == hashed[:-1]) & (hashed[1:] > 0)])
    rows: list[int] = []
    rejected: list[Rejection] = []
    if len(twice):
        _compare(source, plan, twice, rows, rejected)
    return np.array(rows, dtype=np.int64), rejected


def _compare(source: Source, plan: Plan, twice: Hashes, again: list[int], rejected: list[Rejection]) -> None:
    seen: dict[tuple[str, int], int] = {}
    names = wanted(source, plan, source.sample(), True)
    for chunk in source.chunks(names, number_columns(plan)):
        rows = understand(chunk, plan)
        suspects = np.flatnonzero(np.isin(keys(rows), twice))
        for i in suspects.tolist():
            place = int(rows.place[i])
            position = int(rows.values["position"][i]) if "position" in rows.values else -1
            name = rows.values["decision_id"][i].as_py()
            line = seen.setdefault((name, position), int(chunk.line[place]))
            if line == int(chunk.line[place]):
                continue
            again.append(int(rows.row[i]))
            reason = f"decision_id {name!r} came before, on line {line}"
            rejected.append(Rejection(int(chunk.line[place]), reason, chunk.text(place)))
            if len(rejected) > REJECTIONS:
                what = f"more than {REJECTIONS} rows with an id that came before, such as {name!r}"
                raise bad_data("an id per decision", what, source.name, "name another column as decision_id")


def wanted(source: Source, plan: Plan, sample: Mapping[str, Any], unique: bool) -> list[str]:
    """Columns in which something may be wrong, or must be known before the first batch."""
    if not source.typed:
        return list(sample)
    mapping = plan.mapping
    roles = {"action", "allowed", "flag"} | doubtful(plan, sample) | ({"decision_id", "position"} if unique else set())
    names = {name for role, taken in mapping.roles.items() if role in roles for name in taken.columns}
    of_roles = {name for taken in mapping.roles.values() for name in taken.columns}
    texts = [name for name in sample if _may_be_wrong(plain(sample[name]).type)]
    ids = {mapping.column(role) for role in ("decision_id", "unit_id", "episode_id")}
    names |= {name for name in texts if name not in ids and name in of_roles | set(mapping.features)}
    names |= {feature.column for feature in plan.features if feature.kind == "category"}
    return [name for name in sample if name in names]


def doubtful(plan: Plan, sample: Mapping[str, Any]) -> frozenset[str]:
    """Roles of episodes and slates whose columns have nothing in the first rows."""
    found = set()
    for role in IF_ANY & set(plan.mapping.roles):
        values = sample[plan.mapping.roles[role].columns[0]]
        numbers = role not in TEXT_ROLES
        if not has_any(to_numbers(values)[0] if numbers else to_texts(values)):
            found.add(role)
    return frozenset(found)


def has_any(column: Any) -> bool:
    """Whether a column of a role has a value: a text, or a number from 0 on."""
    return bool((column >= 0).any()) if isinstance(column, np.ndarray) else column.null_count < len(column)


def _may_be_wrong(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_nested(kind) or pa.types.is_null(kind))


def number_columns(plan: Plan) -> list[str]:
    """Columns a text format may parse as numbers on its way in; whole-number roles and labels stay texts."""
    roles = [plan.mapping.column(role) for role in ("propensity", "reward")]
    features = [feature.column for feature in plan.features if feature.kind == "number"]
    box = plan.mapping.roles["action"].columns if plan.box else ()
    return [name for name in (*roles, *features, *box) if name is not None]


def known_actions(rows: Understood, chunk: Chunk, actions: Sequence[str] | None) -> Understood:
    """The rows whose action is one of the labels given beforehand; the others are rejected."""
    if actions is None or isinstance(rows.values.get("action"), np.ndarray) or "action" not in rows.values:
        return rows
    texts = rows.values["action"]
    good = np.asarray(pc.is_in(texts, value_set=pa.array(list(actions), pa.string())))
    if good.all():
        return rows
    bad = [
        Rejection(
            int(chunk.line[place]), f"the action {texts[i].as_py()!r} is none of the problem's", chunk.text(place)
        )
        for i, place in zip(np.flatnonzero(~good).tolist(), rows.place[~good].tolist(), strict=True)
    ]
    return select(replace(rows, rejected=[*rows.rejected, *bad]), good)
