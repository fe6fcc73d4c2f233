"""From understood rows to decisions and what was measured of them, as the log keeps both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import Any

import msgspec
import numpy as np

from tenure.core.clock import from_text, to_text
from tenure.core.decision import Arm, Decision
from tenure.core.problem import Problem
from tenure.store.log import Store
from tenure.store.tables.chunks import Chunk, Rejection
from tenure.store.tables.contexts import contexts
from tenure.store.tables.logfile import LogFile
from tenure.store.tables.shaping import EpisodeCounter
from tenure.store.tables.stored import UNKNOWN_AT
from tenure.store.tables.understanding import Understood

_encode = msgspec.msgpack.Encoder(order="sorted").encode
STAGE = "imported"


NO_PROBLEM = "imported"
"""Stands for the version of a problem in logs without a project."""


@dataclass(frozen=True)
class Row:
    """One row of the file on its way in."""

    decision: Decision
    signals: Mapping[str, float]
    line: int
    text: Callable[[], str]


@dataclass(frozen=True)
class Target:
    """Where rows go.

    Args:
        store: the log.
        name: name of the problem.
        labels: the actions in order.
        problem: the project's problem; None for a log without a project.
        epoch: kill epoch the rows are written under.
        sha256: hash of the file, which names rows that have no id.
    """

    store: Store
    name: str
    labels: tuple[str, ...]
    problem: Problem | None
    epoch: int
    sha256: str


def rows_of(log: LogFile, target: Target, rejected: list[Rejection]) -> Iterator[Row]:
    """Rows on their way in; those the log cannot hold are added to `rejected`."""
    episodes = EpisodeCounter()
    for chunk, rows in log.understood():
        columns = _columns(log, chunk, rows, episodes)
        yield from _chunk_rows(log, target, chunk, rows, columns, rejected)


def _chunk_rows(
    log: LogFile,
    target: Target,
    chunk: Chunk,
    rows: Understood,
    columns: Mapping[str, Sequence[Any]],
    rejected: list[Rejection],
) -> Iterator[Row]:
    index = {label: k for k, label in enumerate(target.labels)}
    found = contexts(log, chunk, rows, target.problem)
    for i, place in enumerate(rows.place.tolist()):
        cells = {role: column[i] for role, column in columns.items()}
        context, signals = found[i]
        signals = signals or _signals(cells, target)
        try:
            decision = _decision(target, cells, context, int(rows.row[i]), index)
        except OverflowError:
            rejected.append(Rejection(int(chunk.line[place]), "a whole number beyond 64 bits", chunk.text(place)))
            continue
        yield Row(decision, signals, int(chunk.line[place]), partial(chunk.text, place))


def _columns(log: LogFile, chunk: Chunk, rows: Understood, episodes: EpisodeCounter) -> dict[str, list[Any]]:
    """Cells by role as Python values, None where there is nothing."""
    found: dict[str, list[Any]] = {}
    for role, column in rows.values.items():
        if not isinstance(column, np.ndarray):
            found[role] = column if isinstance(column, list) else column.to_pylist()
        elif column.dtype.kind == "M":
            found[role] = column.tolist()
        else:
            missing = (column < 0) if column.dtype.kind == "i" else np.isnan(column)
            cells = column.tolist()
            found[role] = [None if gone else cell for cell, gone in zip(cells, missing.tolist(), strict=True)]
    ends = [rows.values[role] for role in ("terminal", "timeout") if role in rows.values]
    if ends and "episode_id" not in found and len(rows):
        number, step = episodes.update(ends)
        found |= {"episode_id": list(map(str, number.tolist())), "step": step.tolist()}
    for role in ("candidates", "signals", "tenure"):
        name = log.mapping.column(role)
        if name is not None and name in chunk.columns:
            cells = chunk.columns[name].to_pylist()
            found[role] = [cells[place] or None for place in rows.place.tolist()]
    return found


def _signals(cells: Mapping[str, Any], target: Target) -> Mapping[str, float]:
    """What was measured: the file's own signals, else the reward; nothing where it was not."""
    if cells.get("signals"):
        return {name: float(value) for name, value in json.loads(cells["signals"]).items()}
    reward = cells.get("reward")
    if reward is None:
        return {}
    names = target.problem.signal_names if target.problem else frozenset()
    only = next(iter(names)) if len(names) == 1 else "reward"
    weights = {term.signal: term.weight for term in target.problem.reward.terms} if target.problem else {}
    return {only: reward / weights[only]} if weights.get(only) in (1, -1) else {"reward": reward}


def _decision(
    target: Target, cells: Mapping[str, Any], context: Mapping[str, Any], ordinal: int, index: Mapping[str, int]
) -> Decision:
    kept = json.loads(cells["tenure"]) if cells.get("tenure") else {}
    name = cells.get("decision_id") or f"{target.sha256[:12]}-{ordinal}"
    decision_id = name if kept or cells.get("position") is None or not cells.get("decision_id") else _slot(name, cells)
    at = cells.get("decided_at")
    decided_at = from_text(UNKNOWN_AT) if at is None else at.replace(tzinfo=UTC)
    row = Decision(
        decision_id=decision_id,
        problem=target.name,
        problem_version=target.problem.version if target.problem else NO_PROBLEM,
        unit_id=cells.get("unit_id") or name,
        episode_id=cells.get("episode_id"),
        step=cells.get("step"),
        decided_at=decided_at,
        context=context,
        observation=_observation(target.problem, context),
        mask=_mask(cells.get("allowed"), target.labels, index),
        stage=STAGE,
        arm=Arm.INCUMBENT,
        version=kept.get("version", STAGE),
        action=index[cells["action"]],
        propensity=cells.get("propensity"),
        explored=bool(kept.get("explored", False)),
        confidence=float(kept.get("confidence", 1.0)),
        kill_epoch=target.epoch,
        reason=cells.get("flag") or kept.get("reason", STAGE),
        latency_us=int(kept.get("latency_us", 0)),
        request_hash="",
        candidates=cells.get("candidates"),
        position=cells.get("position"),
    )
    return Decision.of(**{**row.__dict__, "request_hash": content_hash(row, target.labels)})


def content_hash(row: Decision, labels: Sequence[str]) -> str:
    """Equal for rows that say the same, in whatever form they came; actions and masks by their labels."""
    assert not isinstance(row.action, tuple), "a log of vectors is not imported"
    allowed = None if row.mask is None else [label for label, byte in zip(labels, row.mask, strict=False) if byte]
    told = (row.unit_id, row.episode_id, row.step, row.position, row.propensity, row.reason, row.explored)
    content = _encode(
        {
            "told": told,
            "at": to_text(row.decided_at),
            "action": labels[row.action],
            "allowed": None if allowed is None else sorted(allowed),
            "candidates": _opened(row.candidates),
            "context": row.context,
        }
    )
    return hashlib.sha256(content).hexdigest()


def _opened(text: str | None) -> Any:
    """JSON as such, so that its spaces do not matter."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _slot(name: str, cells: Mapping[str, Any]) -> str:
    """One id may come once for each position of a slate; each is a decision of its own in the log."""
    return f"{name}#{cells['position']}"


def _observation(problem: Problem | None, context: Mapping[str, Any]) -> bytes:
    """The problem's features as they stand in the context, defaults filled in, NaN where there is nothing."""
    if problem is None:
        return b""
    values = [context.get(feature.name, feature.default) for feature in problem.observation]
    known = [value if isinstance(value, int | float) else np.nan for value in values]
    return np.array(known, dtype="<f4").tobytes()


def _mask(mask: Sequence[Any] | None, labels: Sequence[str], index: Mapping[str, int]) -> bytes | None:
    """One byte per action, as the server writes it; booleans stand for the first labels, the others are forbidden."""
    if mask is None:
        return None
    if isinstance(mask[0], bool):
        return bytes([*mask, *[False] * (len(labels) - len(mask))])
    allowed = {index[label] for label in mask}
    return bytes(k in allowed for k in range(len(labels)))
