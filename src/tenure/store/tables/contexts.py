"""The context of each imported decision as it came: JSON objects whole, table cells by their column's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tenure.core.clock import to_text
from tenure.core.problem import Problem
from tenure.store.tables.chunks import Chunk
from tenure.store.tables.jsonlines import OPEN
from tenure.store.tables.logfile import LogFile
from tenure.store.tables.roles import WORDS
from tenure.store.tables.understanding import Understood

Context = Mapping[str, Any]


def contexts(
    log: LogFile, chunk: Chunk, rows: Understood, problem: Problem | None
) -> list[tuple[Context, Mapping[str, float]]]:
    """Context of each row, and those of the problem's signals that stand among its columns.

    Signals are what came of a decision, so they leave the context.
    """
    mapping = log.mapping
    used = {name for taken in mapping.roles.values() for name in taken.columns}
    used |= {
        name
        for name, why in mapping.left_out.items()
        if why in ("as the mapping says", "a row number", "it repeats the context")
    }
    used |= set(WORDS) if "tenure" in mapping.roles else set()
    whole = chunk.records is not None and not getattr(log.source, "outer", None)
    found = _records(chunk, rows, used) if chunk.records is not None else [{} for _ in rows.place]
    if not whole:
        _add_cells(found, log, chunk, rows)
    return [_without_signals(context, problem) for context in found]


def _records(chunk: Chunk, rows: Understood, used: set[str]) -> list[dict[str, Any]]:
    """Of JSON records: what has no role of its own, with the members of the context beside it."""
    found = []
    for place in rows.place.tolist():
        record = (chunk.records or ())[place]
        context = {name: value for name, value in record.items() if name not in used and name not in OPEN}
        for name in OPEN & set(record):
            value = record[name]
            context |= value if isinstance(value, dict) else {} if value is None else {name: value}
        found.append(context)
    return found


def _add_cells(found: list[dict[str, Any]], log: LogFile, chunk: Chunk, rows: Understood) -> None:
    """Of tables: a cell for each feature that has something in it; numbers of text formats as numbers."""
    kinds = {feature.column: feature.kind for feature in log.found.plan.features}
    inner = getattr(log.source, "inner", {})
    for name in log.mapping.features:
        if name not in chunk.columns or name in inner or name not in kinds:
            continue
        if kinds[name] == "number" and not log.source.typed and not _truth(chunk, name):
            cells = [None if cell != cell else cell for cell in rows.features[name][:, 0].tolist()]
        else:
            every = chunk.columns[name].to_pylist()
            cells = [_json(every[place]) for place in rows.place.tolist()]
        for context, cell in zip(found, cells, strict=True):
            if cell is not None and cell != "":
                context[name] = cell


def _truth(chunk: Chunk, name: str) -> bool:
    """Booleans of text formats are read as 0 and 1, and kept as they came."""
    first = next((cell for cell in chunk.columns[name].to_pylist() if cell not in (None, "")), None)
    return isinstance(first, str) and first.lower() in ("true", "false")


def _json(cell: Any) -> Any:
    """A cell of a typed table as JSON has it."""
    if isinstance(cell, datetime):
        return to_text(cell)
    if cell is None or isinstance(cell, bool | int | float | str | list | dict):
        return cell
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _without_signals(context: dict[str, Any], problem: Problem | None) -> tuple[Context, Mapping[str, float]]:
    names = problem.signal_names if problem else frozenset()
    found = {name: float(context[name]) for name in names if isinstance(context.get(name), int | float)}
    if set(found) != set(names):
        return context, {}
    return {name: value for name, value in context.items() if name not in names}, found
