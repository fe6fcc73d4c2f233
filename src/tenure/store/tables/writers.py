"""Records of the log in the forms others read: one function per form, from records to the bytes of a file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tenure.core.clock import to_text
from tenure.store.rows import from_json
from tenure.store.tables.chunks import bad_data
from tenure.store.tables.dsjson import DEFERRED
from tenure.store.tables.logfile import Form

PAGE = 20_000
"""Rows of a group in Parquet."""
Record = dict[str, Any]

SCHEMA = pa.schema(
    [
        *[(name, pa.string()) for name in ("decision_id", "unit_id", "episode_id")],
        ("step", pa.int64()),
        ("decided_at", pa.timestamp("us", "UTC")),
        *[("action", pa.string()), ("propensity", pa.float64()), ("reward", pa.float64()), ("position", pa.int64())],
        *[(name, pa.string()) for name in ("mask", "flag", "signals", "candidates", "context", "tenure")],
    ]
)
"""Columns of an export, in order."""


@dataclass(frozen=True)
class Writing:
    """What a form needs to know before its first row."""

    labels: tuple[str, ...]
    features: tuple[str, ...]


def _csv(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:  # noqa: ARG001
    return _table(file, records, SCHEMA.names, lambda record: [_cell(value) for value in record.values()])


def _table(
    file: IO[bytes], records: Iterable[Record], header: Sequence[str], cells: Callable[[Record], list[Any]]
) -> int:

    count = 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    for record in records:
        _check_held(record)
        writer.writerow(cells(record))
        count += 1
    text.flush()
    text.detach()
    return count


def _check_held(record: Record) -> None:
    """Texts that CSV and arrays cannot give back as they were."""
    for name in ("decision_id", "unit_id", "episode_id", "action", "candidates"):
        value = record[name]
        if value is not None and (value == "" or "\0" in value or "\r" in value):
            found = f"{name} {value!r}"
            raise bad_data("texts without NUL or carriage return", found, "the log", "export as jsonl or parquet")


def _cell(value: Any) -> str:
    """A CSV cell; floats as the shortest text that reads back to the same bits."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else to_text(value)


def _jsonl(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:  # noqa: ARG001
    count = 0
    for record in records:
        whole = {name: _opened(value) for name, value in record.items() if name in _JSON}
        line = record | whole | {"decided_at": to_text(record["decided_at"])}
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


_JSON = frozenset({"signals", "candidates", "context", "tenure"})


def _opened(text: str | None) -> Any:
    """JSON objects and lists as such; any other text as it is."""
    try:
        value = None if text is None else json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict | list) else text


def _parquet(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:  # noqa: ARG001
    count = 0
    with pq.ParquetWriter(file, SCHEMA) as writer:
        for page in _pages(records):
            writer.write_table(pa.Table.from_pylist(page, SCHEMA))
            count += len(page)
    return count


def _pages(records: Iterable[Record], size: int = PAGE) -> Iterator[list[Record]]:
    page: list[Record] = []
    for record in records:
        page.append(record)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


def _dsjson(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:
    count = 0
    for record in records:
        file.write(json.dumps(_event(record, writing.labels), ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def _event(record: Record, labels: Sequence[str]) -> Record:
    """A line in VW's words; ours, exact, under `tenure`."""
    context = from_json(record["context"])
    theirs = context.pop("_dsjson") if isinstance(context.get("_dsjson"), dict) else {}
    if "_multi" in context:
        raise bad_data("contexts without `_multi`", record["decision_id"], "the log", "export as jsonl or parquet")
    candidates = _opened(record["candidates"])
    action = labels.index(record["action"])
    given = record["candidates"] is not None and isinstance(candidates, list)
    reward = record["reward"]
    flags = (
        {}
        if record["flag"] is None
        else {"DeferredAction": True}
        if record["flag"] == DEFERRED
        else {"_skipLearn": True}
    )
    label = {} if reward is None else {"_label_cost": -reward if reward else 0.0}
    ours = {name: _opened(value) if name in _JSON else value for name, value in record.items()}
    ours |= {"decided_at": to_text(record["decided_at"]), "theirs": sorted(theirs)}
    ours["context"] = from_json(record["context"]) if given is None else None
    ours.pop("context")
    return {
        **label,
        "_label_probability": record["propensity"],
        "_label_Action": action + 1,
        "_labelIndex": action,
        **flags,
        "Timestamp": ours["decided_at"],
        "EventId": record["decision_id"],
        **theirs,
        "c": {**context, "_multi": candidates if given else [{"id": name} for name in labels]},
        "tenure": ours,
    }


def _obp(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:
    words = {"decided_at": "timestamp", "action": "item_id", "reward": "click", "propensity": "propensity_score"}
    first = ["decided_at", "action", "position", "reward", "propensity"]
    rest = [name for name in SCHEMA.names if name not in first]

    def cells(record: Record) -> list[Any]:
        context = from_json(record["context"])
        values = [record[name] for name in first] + [context[name] for name in writing.features]
        return [_cell(value) for value in values + [record[name] for name in rest]]

    header = [words.get(name, name) for name in first] + list(writing.features) + rest
    return _table(file, records, header, cells)


def _npz(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:
    words = {"features": "observations", "action": "actions", "reward": "rewards", "terminal": "terminals"}
    return _arrays(file, list(records), writing, words)


def _scope_rl(file: IO[bytes], records: Iterable[Record], writing: Writing) -> int:
    words = {"features": "state", "terminal": "terminal", "propensity": "pscore"}
    return _arrays(file, list(records), writing, words)


def _arrays(file: IO[bytes], records: Sequence[Record], writing: Writing, words: Mapping[str, str]) -> int:
    """All rows at once, as arrays are: text columns take the width of their longest text."""
    arrays: dict[str, Any] = {}
    for name in SCHEMA.names:
        arrays[words.get(name, name)] = _array(name, [record[name] for record in records])
    if _whole(writing.labels):
        arrays[words.get("action", "action")] = np.array([int(record["action"]) for record in records])
    for record in records:
        _check_held(record)
    contexts = [from_json(record["context"]) for record in records]
    numbers = [name for name in writing.features if all(_is_number(context[name]) for context in contexts)]
    rows = [[float(context[name]) for name in numbers] for context in contexts]
    arrays[words["features"]] = np.array(rows, dtype=np.float64).reshape(len(rows), len(numbers))
    arrays[words["terminal"]] = _terminals([record["episode_id"] for record in records])
    arrays["names"] = np.array(numbers, dtype=np.str_)
    np.savez_compressed(file, **arrays)
    return len(records)


def _whole(labels: Sequence[str]) -> bool:
    """Labels that are whole numbers in their usual writing, which libraries of arrays want as integers."""
    return all(label.isascii() and label.isdecimal() and label == str(int(label)) for label in labels)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _array(name: str, cells: Sequence[Any]) -> Any:
    kind = SCHEMA.field(name).type
    if pa.types.is_floating(kind):
        return np.array([math.nan if cell is None else cell for cell in cells], dtype=np.float64)
    if pa.types.is_integer(kind):
        return np.array([-1 if cell is None else cell for cell in cells], dtype=np.int64)
    texts = ["" if cell is None else cell if isinstance(cell, str) else to_text(cell) for cell in cells]
    return np.array(texts, dtype=np.str_)


def _terminals(episodes: Sequence[str | None]) -> Any:
    """1 at the last row of each episode; rows without one are episodes of their own."""
    last: dict[str, int] = {name: row for row, name in enumerate(episodes) if name is not None}
    return np.array([float(name is None or last[name] == row) for row, name in enumerate(episodes)])


WRITERS: Mapping[Form, Callable[[IO[bytes], Iterable[Record], Writing], int]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "dsjson": _dsjson,
    "obp": _obp,
    "npz": _npz,
    "scope-rl": _scope_rl,
}
