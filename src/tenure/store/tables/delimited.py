"""CSV, plain or gzipped, in blocks: fast where a block is sound, record by record where it is not.

A block is parsed by Arrow as long as Arrow finds as many records as there are line ends outside quotes. Otherwise
Python's csv module reads it one record at a time; a line that starts no sound record is rejected alone, and reading
goes on with the next line, so that a quote nobody closed costs one line and not the rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv_

from tenure.core.arrays import Ints
from tenure.store.tables.chunks import SAMPLE, Chunk, Rejection, bad_data
from tenure.store.tables.files import BLOCK, opened, read_block
from tenure.store.tables.values import MISSING

LINES = 1000
"""Lines one record may span; a quote open for longer was never meant to be one."""
_DELIMITERS = ",\t;"
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Sound:
    """A block Arrow could read: its columns, and where its records begin."""

    columns: Mapping[str, Any]
    starts: Ints
    lines: Ints


@dataclass(frozen=True)
class _Mended:
    """What record-by-record reading makes of a block; `used` bytes of it, the rest needs what follows."""

    cells: list[list[str]]
    row: list[int]
    line: list[int]
    rejected: list[Rejection]
    used: int
    rows: int


class Delimited:
    """A CSV file with a header line; fields are separated by commas, semicolons or tabs.

    Raises:
        DataError: it is empty, its header is not UTF-8, or names repeat.
    """

    typed = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    @cached_property
    def _head(self) -> tuple[list[str], str, int]:
        """Names, delimiter, and the bytes of the header."""
        lines = self._first_lines()
        if not lines[0].strip():
            raise bad_data("a header line and rows", "an empty file", self.name, "check the export that wrote it")
        try:
            text = lines[0].removeprefix(_MARK).decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise bad_data("a header in UTF-8", str(error), self.name, "save the file as UTF-8") from error
        named = text if any(map(text.count, _DELIMITERS)) else b"".join(lines).decode(errors="replace")
        delimiter = max(_DELIMITERS, key=named.count)
        cells, taken, fault = _record([lines[0].removeprefix(_MARK), *lines[1:]], 0, delimiter)
        if fault:
            cells, taken = next(csv.reader([text], delimiter=delimiter)), 1
        names = [name.strip() for name in cells]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise bad_data("column names, each once", f"{twice} more than once", self.name, "rename the columns")
        return names, delimiter, sum(map(len, lines[:taken]))

    @property
    def separator(self) -> str:
        """What stands between fields."""
        return self._head[1]

    def _first_lines(self) -> list[bytes]:
        """The first line, and as many more as a quote that is open in it may take."""
        with opened(self.path) as file:
            lines = [file.readline(BLOCK)]
            while sum(line.count(b'"') for line in lines) % 2 and len(lines) < LINES and (more := file.readline(BLOCK)):
                lines.append(more)
        return lines

    def sample(self) -> Mapping[str, Any]:
        """The first rows, as texts."""
        return self._sample

    @cached_property
    def _sample(self) -> Mapping[str, Any]:
        chunk = next(iter(self.chunks(self._head[0], ())), None)
        if chunk is None:
            return {name: pa.array([], pa.string()) for name in self._head[0]}
        return {name: values.slice(0, SAMPLE) for name, values in chunk.columns.items()}

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:
        """Every row in order; texts, and float64 where asked for and possible."""
        names = [name for name in self._head[0] if name in columns]
        carried, line, row = b"", 1, 0
        with opened(self.path) as file:
            line += max(1, file.read(self._head[2]).count(b"\n"))
            while True:
                fresh = read_block(file, self.name)
                buffer = carried + fresh
                if not buffer:
                    return
                chunk, used, rows = self._chunk(buffer, not fresh, names, numbers, (line, row))
                if chunk is not None:
                    yield chunk
                line, row, carried = line + buffer.count(b"\n", 0, used), row + rows, buffer[used:]
                if not fresh:
                    return

    def _chunk(
        self, buffer: bytes, last: bool, names: list[str], numbers: Collection[str], at: tuple[int, int]
    ) -> tuple[Chunk | None, int, int]:
        """A chunk of the buffer's records, the bytes they take and how many there were."""
        ends = _record_ends(buffer, last)
        if len(ends):
            used = int(ends[-1])
            sound = self._sound(buffer[:used], ends, names, numbers, at[0])
            if sound is not None:
                rows = len(sound.starts)
                if not rows:
                    return None, used, 0
                row = np.arange(at[1], at[1] + rows, dtype=np.int64)
                return Chunk(sound.columns, row, sound.lines, _texts(buffer, sound.starts)), used, rows
        elif len(buffer) < 2 * BLOCK and not last:
            return None, 0, 0
        mended = self._mend(buffer, last, at)
        if not mended.rows:
            return None, mended.used, 0
        columns = _columns(self._head[0], mended.cells, names)
        row, line = np.array(mended.row, dtype=np.int64), np.array(mended.line, dtype=np.int64)
        joined = self._head[1].join
        return Chunk(columns, row, line, lambda i: joined(mended.cells[i]), mended.rejected), mended.used, mended.rows

    def _sound(self, block: bytes, ends: Ints, names: list[str], numbers: Collection[str], line: int) -> _Sound | None:
        """The block as Arrow reads it; None where it finds other records than the line ends say, or bad UTF-8."""
        begins = np.concatenate([[0], ends[:-1]])
        empty = _blank(block, begins, ends)
        table = None
        for kinds in ({name: pa.float64() for name in numbers}, {}):
            table = table or self._parse(block, names, kinds)
        if table is None or table.num_rows != int((~empty).sum()):
            return None
        starts = begins[~empty]
        lines = line + _lines_before(block, starts)
        if (np.diff(lines, append=line + block.count(b"\n")) > LINES).any():
            return None
        columns = {name: table.column(name).combine_chunks() for name in names}
        return _Sound(columns, starts, lines)

    def _parse(self, block: bytes, names: list[str], kinds: Mapping[str, Any]) -> Any:
        try:
            return csv_.read_csv(
                pa.BufferReader(block),
                csv_.ReadOptions(column_names=self._head[0], block_size=len(block) + 1),
                csv_.ParseOptions(delimiter=self._head[1], newlines_in_values=b'"' in block),
                csv_.ConvertOptions(
                    column_types={name: kinds.get(name, pa.string()) for name in self._head[0]},
                    include_columns=names,
                    null_values=list(MISSING),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None

    def _mend(self, buffer: bytes, last: bool, at: tuple[int, int]) -> _Mended:
        """Read record by record, rejecting each line that starts no sound record."""
        lines = buffer.splitlines(keepends=True) if b"\r" not in buffer else _split(buffer)
        if not last and lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        done = _Mended([], [], [], [], 0, 0)
        i = used = rows = 0
        while i < len(lines):
            if not lines[i].strip(b"\r\n"):
                used, i = used + len(lines[i]), i + 1
                continue
            cells, taken, fault = _record(lines, i, self._head[1])
            if fault and taken < LINES and i + taken >= len(lines) and not last and i:
                break  # it may go on in the next block
            if not fault and len(cells) != len(self._head[0]):
                cells, taken, fault = [], 1, f"{len(cells)} fields instead of {len(self._head[0])}"
            taken = 1 if fault else taken
            if fault:
                text = lines[i].decode(errors="backslashreplace").rstrip("\r\n")
                done.rejected.append(Rejection(at[0] + i, fault, text))
            else:
                done.cells.append(cells)
                done.row.append(at[1] + rows)
                done.line.append(at[0] + i)
            rows += 1
            used += sum(map(len, lines[i : i + taken]))
            i += taken
        return _Mended(done.cells, done.row, done.line, done.rejected, used, rows)


def _split(buffer: bytes) -> list[bytes]:
    """Lines ended by a line feed; a carriage return alone ends none."""
    lines = [line + b"\n" for line in buffer.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _record_ends(buffer: bytes, last: bool) -> Ints:
    """Offsets behind each line end that lies outside quotes, and behind the last record of the file; int64.

    None at all where the file ends inside quotes: Arrow would take all that follows the quote for one cell.
    """
    octets = np.frombuffer(buffer, dtype=np.uint8)
    ends: Ints = np.flatnonzero(octets == 10)
    if b'"' in buffer:
        quotes = np.flatnonzero(octets == 34)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
        if last and len(quotes) % 2:
            return ends[:0]
    if last and buffer and not (len(ends) and ends[-1] == len(buffer) - 1):
        ends = np.append(ends, len(buffer) - 1)
    behind: Ints = ends + 1
    return behind


def _blank(block: bytes, begins: Ints, ends: Ints) -> Any:
    """Which records are empty lines; bool [records]."""
    short = ends - begins <= 2
    return (
        np.array([bool(s) and not block[b:e].strip() for s, b, e in zip(short, begins, ends, strict=True)])
        if (short.any())
        else short
    )


def _lines_before(block: bytes, starts: Ints) -> Ints:
    line_feeds: Ints = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10)
    before: Ints = np.searchsorted(line_feeds, starts)
    return before


def _texts(buffer: bytes, starts: Ints) -> Callable[[int], str]:
    def text(i: int) -> str:
        end = int(starts[i + 1]) if i + 1 < len(starts) else len(buffer)
        return buffer[int(starts[i]) : end].decode(errors="backslashreplace").strip("\r\n")

    return text


def _record(lines: list[bytes], i: int, delimiter: str) -> tuple[list[str], int, str]:
    """Cells of the record that starts on a line, how many lines it spans, and what is wrong with it, if anything."""
    reader = csv.reader((line.decode() for line in lines[i : i + LINES]), strict=True, delimiter=delimiter)
    try:
        return next(reader), reader.line_num, ""
    except UnicodeDecodeError:
        return [], 1, "it is not UTF-8"
    except csv.Error as error:
        open_quote = "unexpected end" in str(error)
        return [], reader.line_num, "a quote is never closed" if open_quote else f"its quotes do not match: {error}"


def _columns(header: list[str], cells: list[list[str]], names: list[str]) -> dict[str, Any]:
    wanted = {name: header.index(name) for name in names}
    return {name: pa.array([row[k] for row in cells], pa.string()) for name, k in wanted.items()}
