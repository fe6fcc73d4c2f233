"""The bytes of a log file, unpacked on the way."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO, Any, cast

from tenure.store.tables.chunks import bad_data

BLOCK = 4 << 20
"""Bytes read at a time."""
_MAGIC = b"\x1f\x8b"


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked if it is gzipped, whatever its name says.

    Raises:
        DataError: it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _MAGIC
        return cast(Any, gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def read_block(file: IO[bytes], name: str) -> bytes:
    """The next bytes; nothing at the end.

    Raises:
        DataError: the file cannot be read on, or its packing is broken.
    """
    try:
        return file.read(BLOCK)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(name, error) from error


def _unreadable(where: Path | str, error: Exception) -> Exception:
    return bad_data("a file that can be read to its end", str(error), str(where), "copy or export the file again")
