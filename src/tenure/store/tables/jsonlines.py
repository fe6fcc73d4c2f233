"""JSON lines, plain or gzipped: one object a line; nested objects become columns with dotted names."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from tenure.store.tables.chunks import SAMPLE, Chunk, Rejection
from tenure.store.tables.dsjson import is_dsjson, understood
from tenure.store.tables.files import opened, read_block
from tenure.store.tables.values import arrow, as_text

Record = Mapping[str, Any]
Reading = Callable[[Record], Record]
"""From an object of a file to one with our names; raises ValueError with the reason where it is no decision."""

OPEN = frozenset({"context", "features", "state_features"})
"""Objects whose members are features under their own names."""
WHOLE = frozenset({"candidates", "signals", "tenure"})
"""Members kept as one JSON text each."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class JsonLines:
    """A file of JSON lines, or of VW's dsjson lines, which is told by its first object.

    Raises:
        DataError: it is empty.
    """

    typed = False

    def __init__(self, path: Path, *, dsjson: bool | None = None) -> None:
        self.path = path
        self.name = str(path)
        self._dsjson = dsjson

    @cached_property
    def reading(self) -> Reading:
        """How objects are read."""
        if self._dsjson is None:
            first = next((record for record in map(as_object, self._lines()) if record is not None), {})
            return understood if is_dsjson(first) else dict
        return understood if self._dsjson else dict

    @cached_property
    def _first(self) -> Sequence[Record]:
        return next((chunk.records for chunk in self._rows() if chunk.records), ())

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return names_of(self._first)

    @cached_property
    def inner(self) -> frozenset[str]:
        """Columns that are members of a context."""
        return inner_of(self._first)

    def sample(self) -> Mapping[str, Any]:
        """The first rows, flattened."""
        return self._sample

    @cached_property
    def _sample(self) -> Mapping[str, Any]:
        chunk = next(iter(self.chunks(self._names, ())), None)
        return {} if chunk is None else {name: values.slice(0, SAMPLE) for name, values in chunk.columns.items()}

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:  # noqa: ARG002
        """Every row in order."""
        names = [name for name in self._names if name in columns]
        for chunk in self._rows():
            yield with_columns(chunk, names, self._names)

    def _rows(self) -> Iterator[Chunk]:
        lines = enumerate(self._lines(), start=1)
        row = 0
        while group := list(islice(lines, SAMPLE)):
            chunk = self._chunk(group, row)
            row += len(chunk) + len(chunk.rejected)
            if len(chunk) or chunk.rejected:
                yield chunk

    def _chunk(self, group: Sequence[tuple[int, bytes]], row: int) -> Chunk:
        records, at, rejected, texts = [], [], [], []
        for line, text in group:
            if not text.strip():
                continue
            try:
                records.append(self.reading(_required(text)))
                at.append((row, line))
                texts.append(text)
            except ValueError as error:
                rejected.append(Rejection(line, str(error), text.decode(errors="backslashreplace").rstrip("\r\n")))
            row += 1
        place = np.array(at, dtype=np.int64).reshape(-1, 2)
        return Chunk({}, place[:, 0], place[:, 1], lambda i: texts[i].decode().rstrip("\r\n"), rejected, records)

    def _lines(self) -> Iterator[bytes]:
        with opened(self.path) as file:
            yield from lines_of(file, self.name)


def lines_of(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Lines of a file, in constant memory."""
    carried = b""
    while block := read_block(file, name):
        *lines, carried = (carried + block).split(b"\n")
        yield from lines
    if carried:
        yield carried


def as_object(text: bytes) -> Record | None:
    """The JSON object of a text; None where it is something else."""
    try:
        return _required(text)
    except ValueError:
        return None


def _required(text: bytes) -> Record:
    """The object of a line; NaN and Infinity are read as Python writes them."""
    try:
        return _decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise ValueError(f"it is no JSON object: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _lenient(text, error)


def _lenient(text: bytes, error: Exception) -> Record:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except UnicodeError:
        raise ValueError("it is not UTF-8") from None
    except ValueError:
        raise ValueError(f"it is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def flat(record: Record) -> dict[str, Any]:
    """Members of nested objects under dotted names; those of a context under their own where no other has them.

    Names that begin with an underscore are VW's words for what is no feature, and are left out.

    >>> flat({"action": 1, "context": {"hour": 3, "user": {"age": 40}}})
    {'action': 1, 'hour': 3, 'user.age': 40}
    """
    found: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for name, value in record.items():
        if name in WHOLE and value is not None:
            found[name] = as_text(value)
        elif isinstance(value, dict):
            (inner if name in OPEN else found).update(_members(value, "" if name in OPEN else name + "."))
        elif value is not None or name not in OPEN:
            found[name] = value
    for name, value in inner.items():
        found[name if name not in found else f"context.{name}"] = value
    return found


def names_of(records: Iterable[Record]) -> tuple[str, ...]:
    """Names of the columns of records, in order of appearance."""
    return tuple({name: None for record in records for name in flat(record)})


def inner_of(records: Iterable[Record]) -> frozenset[str]:
    """Of those names, the ones that are members of a context in some record."""
    found: set[str] = set()
    for record in records:
        outer = flat({name: value for name, value in record.items() if name not in OPEN})
        found |= set(flat(record)) - set(outer)
    return frozenset(found)


def _members(values: Record, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith("_"):
            continue
        if isinstance(value, dict):
            found |= _members(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def with_columns(chunk: Chunk, names: Sequence[str], known: Collection[str]) -> Chunk:
    """The chunk with the named columns made from its records."""
    rows = [flat(record) for record in chunk.records or ()]
    columns = {name: arrow([row.get(name) for row in rows]) for name in names}
    late = set().union(*rows) - set(known)
    return Chunk(columns, chunk.row, chunk.line, chunk.text, chunk.rejected, chunk.records, late)
