"""Tables that carry their own types: Parquet (a file, folder or glob), Arrow, pandas, arrays, and .npz of arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tenure.store.tables.chunks import SAMPLE, Chunk, bad_data, cells, ordinals
from tenure.store.tables.values import plain


class Parquet:
    """Parquet files, read one after the other and batch by batch.

    Raises:
        DataError: there is none, one cannot be read, or their columns differ.
    """

    typed = True

    def __init__(self, paths: Sequence[Path], size: int) -> None:
        self.paths, self.size = tuple(paths), size
        self.name = str(self.paths[0]) if len(self.paths) == 1 else f"{self.paths[0].parent} ({len(paths)} files)"

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        names = [tuple(opened_parquet(path).schema_arrow.names) for path in self.paths]
        for path, found in zip(self.paths, names, strict=True):
            if set(found) != set(names[0]):
                raise bad_data(f"the columns {list(names[0])}", f"{list(found)}", str(path), "give files of one kind")
        return names[0]

    def sample(self) -> Mapping[str, Any]:
        """The first rows."""
        return self._sample

    @cached_property
    def _sample(self) -> Mapping[str, Any]:
        chunk = next(iter(self.chunks(self._columns, ())), None)
        if chunk is None:
            return {}
        return {name: values.slice(0, SAMPLE) for name, values in chunk.columns.items()}

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:  # noqa: ARG002
        """Every row in order, by files in order of their names."""
        names = [name for name in self._columns if name in columns]
        row = 0
        for path in self.paths:
            for batch in opened_parquet(path).iter_batches(self.size, columns=names, use_threads=False):
                yield typed_chunk({name: plain(batch.column(name)) for name in names}, row, batch.num_rows)
                row += batch.num_rows


class Table:
    """An Arrow table in memory."""

    typed = True

    def __init__(self, table: Any, name: str, size: int) -> None:
        self.table, self.name, self.size = table, name, size

    def sample(self) -> Mapping[str, Any]:
        """The first rows."""
        return {name: plain(self.table.column(name).slice(0, SAMPLE)) for name in self.table.column_names}

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:  # noqa: ARG002
        """Every row in order."""
        names = [name for name in self.table.column_names if name in columns]
        for start in range(0, self.table.num_rows, self.size):
            part = self.table.slice(start, self.size)
            yield typed_chunk({name: plain(part.column(name)) for name in names}, start, part.num_rows)


def typed_chunk(columns: Mapping[str, Any], start: int, count: int) -> Chunk:
    """Rows of a table without lines: a row's number stands for its line."""
    row = ordinals(start, count)
    return Chunk(columns, row, row + 1, cells(columns))


def opened_parquet(path: Path) -> Any:
    """A Parquet file that is read as it is needed.

    Raises:
        DataError: it is none.
    """
    try:
        return pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise bad_data("a Parquet file", str(error), str(path), "write the file again") from error


def from_frame(frame: Any, size: int) -> Table:
    """A pandas DataFrame; its index is not read, and object columns of mixed kinds become text."""
    columns: dict[str, Any] = {}
    if not frame.columns.is_unique:
        twice = sorted(set(map(str, frame.columns[frame.columns.duplicated()])))
        raise bad_data("a name for each column", f"{twice} more than once", "the DataFrame", "rename one of them")
    for name in frame.columns:
        columns[str(name)] = _series(frame[name])
    return Table(pa.table(columns), "the DataFrame", size)


def _series(values: Any) -> Any:
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def from_arrays(arrays: Mapping[str, Any], name: str, size: int) -> Table:
    """A dict of arrays: two-dimensional ones become columns `name_0`, `name_1`...; scalars give no column.

    Raises:
        DataError: lengths differ, or there is no array.
    """
    columns: dict[str, Any] = {}
    arrays = {key: np.asarray(value) for key, value in arrays.items()}
    lengths = {key: len(value) for key, value in arrays.items() if value.ndim}
    usual = max(lengths.values(), default=0)
    wrong = {key: length for key, length in lengths.items() if length != usual and key not in LISTS}
    if not lengths or wrong:
        raise bad_data("arrays of one length", f"{lengths or 'none'}", name, "give one entry per decision")
    for key, value in arrays.items():
        if value.ndim and key not in LISTS:
            columns |= _split(key, value)
    columns |= _episodes(arrays, usual, columns)
    return Table(pa.table(columns), name, size)


LISTS = frozenset({"labels", "names"})
"""Arrays of a file that hold no entry per decision."""
_PER_EPISODE = "step_per_trajectory"


def _split(key: str, value: Any) -> dict[str, Any]:
    if value.ndim == 1:
        return {key: _series(value.tolist() if value.dtype.kind in "OUS" else value)}
    if value.ndim == 2 and value.dtype.kind == "b":
        return {key: pa.array(value.tolist())}
    flat = value.reshape(len(value), -1)
    return {f"{key}_{k}": pa.array(np.ascontiguousarray(flat[:, k])) for k in range(flat.shape[1])}


def _episodes(arrays: Mapping[str, Any], rows: int, columns: Iterable[str]) -> dict[str, Any]:
    """Episode and step of logs that state one length for all episodes."""
    if _PER_EPISODE not in arrays or {"episode_id", "step"} & set(columns):
        return {}
    length = int(arrays[_PER_EPISODE])
    order = ordinals(0, rows)
    return {"episode_id": pa.array(order // length), "step": pa.array(order % length)}


def from_npz(path: Path, size: int) -> Table:
    """An .npz file of arrays; never a pickle.

    Raises:
        DataError: it is no such file, or holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, AttributeError) as error:
        raise bad_data("an .npz file of plain arrays", str(error), str(path), "save it with np.savez") from error
    return from_arrays(arrays, str(path), size)
