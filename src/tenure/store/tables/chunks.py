"""Rows of a log before they are understood: named columns, where each row stands, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from tenure.core.arrays import Ints
from tenure.core.errors import DataError

SAMPLE = 10_000
"""Rows from which the kinds of columns are told."""


@dataclass(frozen=True)
class Rejection:
    """A row that was not taken.

    Args:
        line: line (in tables without lines: row) it begins on, from 1.
        reason: what is wrong with it, in words.
        text: the row as it stands in the file, or its cells joined by commas.
    """

    line: int
    reason: str
    text: str


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive rows of a source.

    Args:
        columns: Arrow arrays by name; [n] each.
        row: ordinal of each row in its source, broken ones counted, from 0; [n].
        line: where each row begins, from 1; [n].
        text: the text of one of the rows.
        rejected: rows between these that could not even be split into cells.
        records: the rows as JSON objects, as they came; None in tables of cells.
        late: names seen here that the first rows of the source did not have.
    """

    columns: Mapping[str, Any]
    row: Ints
    line: Ints
    text: Callable[[int], str]
    rejected: Sequence[Rejection] = ()
    records: Sequence[Mapping[str, Any]] | None = None
    late: Collection[str] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.row)

    def parts(self, size: int) -> Iterator[Chunk]:
        """The same rows in chunks of at most `size`; rejections stay with the first."""
        if len(self) <= size:
            yield self
            return
        for start in range(0, len(self), size):
            yield self._part(start, min(start + size, len(self)))

    def _part(self, start: int, stop: int) -> Chunk:
        return Chunk(
            {name: values.slice(start, stop - start) for name, values in self.columns.items()},
            self.row[start:stop],
            self.line[start:stop],
            lambda i: self.text(start + i),
            self.rejected if start == 0 else (),
            None if self.records is None else self.records[start:stop],
            self.late,
        )


class Source(Protocol):
    """A table of any form that can be read again and again."""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def typed(self) -> bool:
        """Whether its columns carry types of their own, so that a number's column holds nothing but numbers."""
        ...

    def sample(self) -> Mapping[str, Any]:
        """The first rows: Arrow arrays by name, in the order of the source."""
        ...

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:
        """Some of the columns of every row, in order; `numbers` may come as float64 already."""
        ...


def bad_data(expected: str, found: str, where: str, fix: str) -> DataError:
    """The one error of this package, ready to be raised."""
    return DataError(expected=expected, found=found, where=where, fix=fix)


def cells(columns: Mapping[str, Any]) -> Callable[[int], str]:
    """The text of a row of a table that has none of its own: its cells joined by commas."""
    return lambda i: ",".join("" if (cell := values[i].as_py()) is None else str(cell) for values in columns.values())


def ordinals(start: int, count: int) -> Ints:
    """start, start + 1, ...; int64 [count]."""
    return np.arange(start, start + count, dtype=np.int64)
