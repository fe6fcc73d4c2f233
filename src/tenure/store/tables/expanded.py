"""A column of JSON contexts, as Tenure's own exports have it, opened into one column per feature."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from tenure.store.tables.chunks import Chunk, Rejection, Source
from tenure.store.tables.jsonlines import as_object, flat
from tenure.store.tables.roles import WORDS, key_of
from tenure.store.tables.values import arrow, plain

CONTEXT = "context"


class Expanded:
    """A source whose `context` holds JSON objects; their members (`inner`) stand beside the other columns (`outer`)."""

    def __init__(self, source: Source) -> None:
        self.source, self.name, self.typed = source, source.name, False
        self.notes: tuple[str, ...] = getattr(source, "notes", ())
        names = list(source.sample())
        own = {key_of(word) for words in WORDS.values() for word in words} if "tenure" in names else None
        # Tenure's own exports repeat the context in the columns of the form they have; the context is exact.
        self.outer = tuple(name for name in names if own is None or name == CONTEXT or key_of(name) in own)
        opened = [flat({CONTEXT: record}) for record in _objects(source.sample()[CONTEXT]) if record is not None]
        self.inner = {_beside(name, self.outer): name for name in dict.fromkeys(n for row in opened for n in row)}

    def sample(self) -> Mapping[str, Any]:
        """The first rows, the context opened."""
        return self._sample

    @cached_property
    def _sample(self) -> Mapping[str, Any]:
        columns = {name: values for name, values in self.source.sample().items() if name in self.outer}
        return self._opened(columns, self.inner, _objects(columns[CONTEXT]))

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:
        """Every row in order; rows whose context is no JSON object are rejected."""
        outer = [name for name in self.outer if name in columns or name == CONTEXT]
        inner = [name for name in self.inner if name in columns]
        for chunk in self.source.chunks(outer, [name for name in numbers if name in self.outer]):
            yield self._chunk(chunk, inner)

    def _chunk(self, chunk: Chunk, inner: Collection[str]) -> Chunk:
        objects = _objects(chunk.columns[CONTEXT])
        good = np.array([record is not None for record in objects], dtype=bool)
        bad = [
            Rejection(int(chunk.line[i]), "its context is no JSON object", chunk.text(i))
            for i in np.flatnonzero(~good).tolist()
        ]
        kept, where = [record for record in objects if record is not None], np.flatnonzero(good)
        columns = {name: values.filter(pa.array(good)) for name, values in chunk.columns.items()}
        return replace(
            chunk,
            columns=self._opened(columns, inner, kept),
            row=chunk.row[good],
            line=chunk.line[good],
            text=lambda i: chunk.text(int(where[i])),
            rejected=[*chunk.rejected, *bad],
            records=[{CONTEXT: record} for record in kept],
        )

    def _opened(self, columns: Mapping[str, Any], inner: Collection[str], objects: Any) -> dict[str, Any]:
        rows = [flat({CONTEXT: record or {}}) for record in objects] if inner else []
        made = {name: arrow([row.get(self.inner[name]) for row in rows]) for name in inner}
        return {name: values for name, values in columns.items() if name != CONTEXT} | made


def opens(sample: Mapping[str, Any]) -> bool:
    """Whether a source has a column of JSON contexts."""
    if CONTEXT not in sample or not pa.types.is_string(plain(sample[CONTEXT]).type):
        return False
    texts = plain(sample[CONTEXT]).drop_null()
    return any(text and record is not None for text, record in zip(texts.to_pylist(), _objects(texts), strict=True))


def _objects(texts: Any) -> list[Mapping[str, Any] | None]:
    """The objects of JSON texts; empty where there is none, None where a text is something else."""
    return [as_object(text.encode()) if text else {} for text in plain(texts).to_pylist()]


def _beside(name: str, outer: Collection[str]) -> str:
    return f"{CONTEXT}.{name}" if name in outer else name
