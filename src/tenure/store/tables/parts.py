"""A Parquet log in parts that other processes read: one per row group, together the whole log in its order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tenure.store.tables.chunks import SAMPLE, Chunk, bad_data
from tenure.store.tables.columnar import Parquet, opened_parquet, typed_chunk
from tenure.store.tables.logfile import LogFile
from tenure.store.tables.values import plain


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file as a source of its own.

    Args:
        name: the log it belongs to, for messages.
        path: the file.
        group: which row group.
        first: position of its first row in the whole log.
        size: rows read at a time.
    """

    name: str
    path: Path
    group: int
    first: int
    size: int
    typed: bool = True

    def sample(self) -> Mapping[str, Any]:
        """The first rows."""
        names = opened_parquet(self.path).schema_arrow.names
        chunk = next(iter(self.chunks(names, ())), None)
        return {} if chunk is None else {name: column.slice(0, SAMPLE) for name, column in chunk.columns.items()}

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:  # noqa: ARG002
        """Its rows in order."""
        file, row = opened_parquet(self.path), self.first
        names = [name for name in file.schema_arrow.names if name in columns]
        for batch in file.iter_batches(self.size, row_groups=[self.group], columns=names, use_threads=False):
            yield typed_chunk({name: plain(batch.column(name)) for name in names}, row, batch.num_rows)
            row += batch.num_rows


def parts(log: LogFile) -> list[LogFile]:
    """A log as one `LogFile` per row group; labels, features and rejections are those of the whole.

    Raises:
        DataError: the log is not Parquet.
    """
    source = log.source
    if not isinstance(source, Parquet):
        raise bad_data(
            "a Parquet log", type(source).__name__, source.name, "export it: tenure log export P log.parquet"
        )
    found, first = [], 0
    for path in source.paths:
        metadata = opened_parquet(path).metadata
        for group in range(metadata.num_row_groups):
            found.append(replace(log, source=RowGroup(source.name, path, group, first, source.size)))
            first += metadata.row_group(group).num_rows
    return found
