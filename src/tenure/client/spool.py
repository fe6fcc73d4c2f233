"""Lines that wait for the server on disk: durable once appended, in files that one process at a time holds."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.core.errors import StoreError

LARGEST = 64 * 2**20
"""Bytes a spool may hold; more is refused, so that a dead server cannot fill the caller's disk."""
SEGMENT = 2**20
"""Bytes after which a new file is begun."""
REJECTED = "rejected.jsonl"
"""Where lines go that the server will never take."""

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Segment:
    """A file nobody writes any more, locked by its holder: its lines, and text that is none of ours."""

    path: Path
    lines: Sequence[Line]
    damaged: Sequence[str]


class Spool:
    """A folder of JSON lines; threads and processes may share it.

    Every process writes a file of its own under an advisory lock (flock), which ends with the process however it ends;
    whoever gets the lock of a file may deliver and remove it. A last line torn by a crash was never acknowledged and is
    passed over.

    Args:
        folder: made when absent.
        largest: bytes it may hold.
        segment: bytes after which a new file is begun.

    Raises:
        StoreError: the folder cannot be made.
    """

    def __init__(self, folder: Path, *, largest: int = LARGEST, segment: int = SEGMENT) -> None:
        self._folder, self._largest, self._segment = folder, largest, segment
        self._lock = threading.Lock()
        self._file: int | None = None
        self._own: Path | None = None
        self._pid = os.getpid()
        self._size = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failed(folder, error.strerror or str(error)) from error

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines; on return they survive a crash.

        Raises:
            StoreError: the disk refuses, or the spool is full; none of the lines is kept then.
        """
        data = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
        with self._lock:
            if self.used + len(data) > self._largest:
                raise _failed(self._folder, f"{self.used} bytes that wait, of at most {self._largest}")
            try:
                self._write(data)
            except OSError as error:
                self._close()
                raise _failed(self._folder, error.strerror or str(error)) from error

    @property
    def used(self) -> int:
        """Bytes on disk, what was moved aside included."""
        return sum(path.stat().st_size for path in self._folder.glob("*.jsonl") if path.exists())

    @property
    def waiting(self) -> int:
        """Files that hold something."""
        return len(self._segments())

    def segments(self) -> Generator[Segment, None, None]:
        """Files to deliver, oldest first, each locked while it is looked at; this process's own comes last.

        Its own is closed only when all others were taken, so that a server that is away makes no heap of small files.
        """
        yield from _taken(self._segments())
        with self._lock:
            self._close()
            own = [] if self._own is None else [self._own]
            self._own = None
        yield from _taken(own)

    def done(self, segment: Segment, rejected: Sequence[str]) -> None:
        """Remove a segment whose lines were all delivered or rejected; the latter are moved aside first.

        Raises:
            StoreError: the disk refuses; the segment stays.
        """
        try:
            if rejected:
                self._reject(rejected)
            segment.path.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(self._folder, error.strerror or str(error)) from error

    def close(self) -> None:
        """Leave this process's file to whoever delivers next."""
        with self._lock:
            self._close()

    def _write(self, data: bytes) -> None:
        if self._pid != os.getpid():  # a fork: the file and its lock are the parent's
            self._close()
            self._pid = os.getpid()
        if self._file is None or self._size >= self._segment:
            self._close()
            self._file, self._size = self._begin(), 0
        try:
            _write_all(self._file, data)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        os.fsync(self._file)
        self._size += len(data)

    def _begin(self) -> int:
        """A new file under our lock; it gets its name only then, so that nobody takes it before."""
        name = f"{time.time_ns():020d}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"  # the name only orders
        hidden = self._folder / f".{name}"
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        self._own = hidden.rename(self._folder / name)
        _sync_folder(self._folder)
        return file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _segments(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.jsonl") if path.name != REJECTED)

    def _reject(self, lines: Sequence[str]) -> None:
        file = os.open(self._folder / REJECTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _write_all(file, "".join(f"{line}\n" for line in lines).encode())
            os.fsync(file)
        finally:
            os.close(file)


def _taken(paths: Sequence[Path]) -> Generator[Segment, None, None]:
    """Of these files the ones nobody holds, each under our lock while it is looked at."""
    for path in paths:
        with _locked(path) as file:
            if file is not None:
                yield _read(path, file)


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """The open file under our lock; None when somebody else has it, or has removed it."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file if os.fstat(file).st_nlink else None
    finally:
        os.close(file)


def _read(path: Path, file: int) -> Segment:
    with os.fdopen(os.dup(file), "rb") as opened:
        *whole, _torn = opened.read().split(b"\n")
    lines, damaged = [], []
    for text in whole:
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if isinstance(line, dict) and isinstance(line.get("body"), dict):
            lines.append(line)
        else:
            damaged.append(text.decode(errors="backslashreplace"))
    return Segment(path, lines, damaged)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _failed(folder: Path, found: str) -> StoreError:
    return StoreError(
        expected="a spool with room on a disk that takes it",
        found=found,
        where=str(folder),
        fix="start the decision server so that it empties, or give it another folder",
    )
