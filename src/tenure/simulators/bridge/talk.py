"""Requests and answers of the bridge's protocol, and the process behind them: started, asked, let go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tenure.core.clock import Clock
from tenure.core.errors import ProjectError
from tenure.simulators.bridge.failures import nonsense
from tenure.simulators.bridge.lines import Lines, Process, Socket

PROTOCOL = 1


@dataclass(frozen=True)
class Way:
    """How to reach the process, and what it is allowed.

    Args:
        command: starts it; None for an address.
        address: where it listens; None for a command.
        folder: in which the command starts; None for this one.
        timeout_s: seconds for an answer.
        start_s: seconds for the first answer after a start.
        most: longest line either way, in bytes.
    """

    command: Sequence[str] | None
    address: tuple[str, int] | None
    folder: Path | None
    timeout_s: float
    start_s: float
    most: int

    @property
    def name(self) -> str:
        """The command or the address, for messages."""
        if self.command is not None:
            return "the bridge " + " ".join(Path(word).name for word in self.command)
        host, port = self.address or ("", 0)
        return f"the bridge at {host}:{port}"


class Talk:
    """One line to one process, from its start to its end; `hello` is its first answer.

    Raises:
        Failure: it cannot be reached or does not answer.
        ProjectError: the command does not start.
    """

    def __init__(self, way: Way, clock: Clock) -> None:
        self._way, self._asked = way, 0
        ends = Process(way.command, way.folder) if way.command else Socket(way.address or ("", 0), way.start_s)
        self._lines = Lines(ends, clock, way.most)
        try:
            self.hello = self.ask("hello", {"protocol": PROTOCOL}, way.start_s)
        except BaseException:
            self.close()
            raise

    def ask(self, what: str, fields: Mapping[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
        """One request, its answer's fields.

        Raises:
            Failure: the line or the process failed.
            ProjectError: the process answered with an error, or the request is longer than a line may be.
        """
        self._asked += 1
        line = msgspec.json.encode({"id": self._asked, "do": what, **fields})
        if len(line) > self._way.most:
            fix = "step fewer worlds at once, or raise max_line_bytes"
            raise self._wrong(f"a request of at most {self._way.most} bytes", f"{len(line)}", fix)
        came = self._lines.ask(line, what, self._way.timeout_s if timeout_s is None else timeout_s)
        answer = _decoded(came, what)
        if "error" in answer:
            raise self._wrong(f"an answer to {what!r}", f"its error: {answer['error']}", "mend what it names")
        if answer.get("id") != self._asked:
            raise nonsense(what, came, f"not the id {self._asked}")
        return answer

    def close(self) -> None:
        """Let the process go."""
        self._lines.close()

    def _wrong(self, expected: str, found: str, fix: str) -> ProjectError:
        return ProjectError(expected=expected, found=found, where=self._way.name, fix=fix)


def _decoded(line: bytes, what: str) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            # Many writers of JSON put NaN into it, which JSON has not; who reads the numbers names field and world.
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise nonsense(what, line, str(error)) from error
    if not isinstance(answer, dict):
        raise nonsense(what, line, f"a JSON {type(answer).__name__}, not an object")
    return answer
