"""A table of logged decisions as columns in memory, whatever form the file has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats, Ints
from tenure.store.tables.chunks import Rejection, bad_data
from tenure.store.tables.expanded import Expanded, opens
from tenure.store.tables.features import look
from tenure.store.tables.logfile import SIZE, read_source
from tenure.store.tables.roles import Look
from tenure.store.tables.values import plain, to_numbers, to_texts, to_times

MOST_ROWS = 100_000
"""Rows that are read; a first draft of a problem needs no more."""
LARGEST = 1e15
"""Numbers from here on stand for a missing cell: sums of their squares would leave float32."""


@dataclass(frozen=True, eq=False)
class Table:
    """The first rows of a log.

    Args:
        path: the file.
        columns: Arrow arrays by header, in the file's order; [n] each.
        inner: columns that came from a decision's context, so were known when it was taken.
        rejected: how many rows could not be read, and why the first could not.
        whole: the file has no more rows.
        notes: how its numbers and dates were read, where not as they stand.
        lines: of the rows in the file, from 1; [n].
    """

    path: Path
    columns: Mapping[str, Any]
    inner: frozenset[str] = frozenset()
    rejected: tuple[int, str] = (0, "")
    whole: bool = True
    notes: tuple[str, ...] = ()
    lines: Ints | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def looks(self) -> dict[str, Look]:
        """What each column holds."""
        return {name: look(values) for name, values in self.columns.items()}

    def numbers(self, name: str) -> Floats:
        """A column as numbers, NaN where there is none; [n]."""
        return to_numbers(self.columns[name])[0]

    def texts(self, name: str) -> Any:
        """A column as Arrow texts, null where there is none; [n]."""
        return to_texts(self.columns[name])

    def labels(self, name: str) -> Any:
        """A column as labels: texts without spaces around them, 3.0 as 3 where all are numbers; [n]."""
        texts = pc.utf8_trim_whitespace(self.texts(name))
        if self.looks[name] == "number":
            texts = pc.replace_substring_regex(texts, r"^(-?\d+)\.0*$", r"\1")
        return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)

    def moments(self, name: str) -> Any:
        """A column as moments, NaT where there is none; datetime64[us] [n]."""
        return to_times(self.columns[name])[0]

    def filled(self, name: str) -> Bools:
        """Which cells of a column hold anything; [n]."""
        kind = self.looks[name]
        if kind in ("number", "boolean"):
            return is_known(self.numbers(name))
        if kind == "time":
            return np.asarray(~np.isnat(self.moments(name)))
        cells = self.labels(name) if kind == "text" else self.columns[name]
        return np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False), dtype=bool)

    def distinct(self, name: str) -> int:
        """How many different values a column has; a list counts as its text."""
        return int(pc.count_distinct(self.texts(name).drop_null()).as_py())

    def line(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.path}:{row + 2 if self.lines is None else int(self.lines[row])}"


def read_table(
    path: Path, columns: Collection[str] | None = None, most: int = MOST_ROWS, ignore: Collection[str] = ()
) -> Table:
    """The first rows of a CSV (plain or gzipped), JSON lines or Parquet file.

    Args:
        path: the file.
        columns: only these; None reads all.
        most: rows at most.
        ignore: columns that nobody will use, read as texts.

    Raises:
        DataError: no such file, no rows, one of the columns is missing, or can be read in two ways.
    """
    source = read_source(path, SIZE, leave=ignore)
    source = Expanded(source) if opens(source.sample()) else source
    names = [name for name in source.sample() if columns is None or name in columns]
    missing = sorted(set(columns or ()) - set(names))
    if missing:
        raise bad_data(f"the columns {missing}", f"columns {names}", str(path), "restore the file, or correct data.py")
    parts, lines, rejected, rows = [], [], list[Rejection](), 0
    for chunk in source.chunks(names, ()):
        rejected += list(chunk.rejected)
        parts.append(chunk.columns)
        lines.append(chunk.line)
        rows += len(chunk)
        if rows > most:
            break
    if not rows:
        found = f"none that can be read: {rejected[0].reason}, line {rejected[0].line}" if rejected else "none"
        raise bad_data("a log with rows", found, str(path), "check the export that wrote it")
    first = f"line {rejected[0].line}: {rejected[0].reason}" if rejected else ""
    joined = {name: _joined([part[name] for part in parts]).slice(0, most) for name in names}
    inner, notes = frozenset(getattr(source, "inner", ())), getattr(source, "notes", ())
    return Table(path, joined, inner, (len(rejected), first), rows <= most, notes, np.concatenate(lines)[:most])


def _joined(parts: list[Any]) -> Any:
    """Chunks of one column as one array; as texts where they hold different things."""
    arrays = [plain(part) for part in parts]
    kinds = {array.type for array in arrays if not pa.types.is_null(array.type)}
    if len(kinds) > 1:
        arrays = [to_texts(array) for array in arrays]
        kinds = {pa.string()}
    kind = kinds.pop() if kinds else pa.string()
    return pa.concat_arrays([array.cast(kind) if pa.types.is_null(array.type) else array for array in arrays])


def finite(values: Floats) -> Floats:
    """The numbers among them."""
    return values[is_known(values)]


def is_known(values: Floats) -> Bools:
    """Which are numbers that can be reckoned with; NaN and larger ones say nothing."""
    return np.abs(values) < LARGEST
