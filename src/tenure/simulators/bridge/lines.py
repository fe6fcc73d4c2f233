"""Lines to and from another process, bounded in length and in time, over a pipe or a socket."""

from __future__ import annotations

import math
import os
import select
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tenure.core.clock import Clock
from tenure.core.errors import ProjectError
from tenure.simulators.bridge.failures import Failure, died, flooded, hung, unasked

CHUNK = 1 << 16
LAST_WORDS = 2000
"""Bytes kept of what the process wrote to standard error."""


class Ends(Protocol):
    """The two ends of a line, and how it is let go; numbers are file descriptors that do not block."""

    @property
    def reads(self) -> int:
        """Where answers come from."""
        ...

    @property
    def writes(self) -> int:
        """Where requests go."""
        ...

    @property
    def errors(self) -> int | None:
        """Where the process complains, where that can be read."""
        ...

    def gone(self) -> str:
        """How it ended, once it did."""
        ...

    def close(self) -> None:
        """Let go, whatever state it is in."""
        ...


class Process:
    """A process of ours, in a group of its own so that its children end with it."""

    def __init__(self, command: Sequence[str], folder: Path | None) -> None:
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the project's own
                list(command), stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise ProjectError(
                expected="a command that starts",
                found=str(error),
                where=f"the bridge {' '.join(command)}",
                fix="give the program's path and its arguments as a list, and the folder it needs",
            ) from error
        self._files = (self._process.stdin, self._process.stdout, self._process.stderr)
        numbers = [file.fileno() for file in self._files if file is not None]
        for number in numbers:
            os.set_blocking(number, False)
        self.writes, self.reads, self.errors = numbers

    def gone(self) -> str:
        """Its exit code, once it ended; a closed line ends it within a second."""
        try:
            return f"exit code {self._process.wait(1.0)}"
        except subprocess.TimeoutExpired:
            return "it closed its standard output"

    def close(self) -> None:
        """Kill the whole group and close the pipes."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for file in self._files:
            if file is not None:
                file.close()


class Socket:
    """A process of somebody else's, which listens."""

    errors: None = None

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        try:
            self._socket = socket.create_connection(address, timeout_s)
        except OSError as error:
            fix = "start the simulator's process and let it listen there"
            raise Failure(f"nobody answered at {address[0]}:{address[1]} ({error})", fix) from error
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reads = self.writes = self._socket.fileno()

    def gone(self) -> str:
        """It closed the line; more is not known."""
        return "it closed the connection"

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class Lines:
    """One line out, one line in.

    Args:
        ends: the line's ends.
        clock: measures the time-outs.
        most: longest line either way, in bytes.
    """

    def __init__(self, ends: Ends, clock: Clock, most: int) -> None:
        self._ends, self._clock, self._most = ends, clock, most
        self._come, self._words = bytearray(), bytearray()

    @property
    def last_words(self) -> str:
        """The end of what was written to standard error, on one line."""
        return " | ".join(self._words.decode("utf-8", "replace").split("\n")[-4:]).strip(" |")

    def ask(self, line: bytes, asked: str, timeout_s: float) -> bytes:
        """Send a line and wait for the one that answers it.

        Raises:
            Failure: it hung, died, flooded, or spoke before it was asked.
        """
        until, rest = self._clock.monotonic() + timeout_s, memoryview(line + b"\n")
        self._read_all(asked)
        if self._come:
            raise unasked(bytes(self._come))
        while b"\n" not in self._come:
            left = until - self._clock.monotonic()
            if left <= 0 or not self._wait(left, writing=len(rest) > 0):
                raise hung(asked, timeout_s)
            # Read even while writing: the other side may be waiting to be read before it reads.
            rest = rest[self._write(rest, asked) :]
            self._read_all(asked)
        answer, _, more = bytes(self._come).partition(b"\n")
        self._come = bytearray(more)
        return answer

    def close(self) -> None:
        """Let the other side go."""
        self._ends.close()

    def _wait(self, seconds: float, *, writing: bool) -> bool:
        """Until something can be read, or written where that is wanted; False when nothing came of it."""
        wanted = dict.fromkeys(filter(None, (self._ends.reads, self._ends.errors)), select.POLLIN)
        if writing:
            wanted[self._ends.writes] = wanted.get(self._ends.writes, 0) | select.POLLOUT
        poll = select.poll()
        for number, events in wanted.items():
            poll.register(number, events)
        return bool(poll.poll(math.ceil(seconds * 1000)))

    def _write(self, rest: memoryview, asked: str) -> int:
        try:
            return os.write(self._ends.writes, rest[:CHUNK]) if rest else 0
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._died(asked) from error

    def _read_all(self, asked: str) -> None:
        """Everything that has come so far, up to the end of a line or its greatest length."""
        if self._ends.errors is not None:
            self._words += self._read(self._ends.errors) or b""
            del self._words[:-LAST_WORDS]
        while b"\n" not in self._come:
            part = self._read(self._ends.reads)
            if part == b"":
                raise self._died(asked)
            if part is None:
                return
            self._come += part
            if len(self._come) > self._most and b"\n" not in self._come[: self._most]:
                raise flooded(asked, self._most)

    def _read(self, number: int) -> bytes | None:
        """What can be read now; None when nothing, empty at the end."""
        try:
            return os.read(number, CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _died(self, asked: str) -> Failure:
        how = self._ends.gone()
        if self._ends.errors is not None:
            self._words += self._read(self._ends.errors) or b""
        return died(asked, how, self.last_words)
