"""Real servers for tests: started, watched, frozen, killed; whatever is left at the end is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


def until(holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until something holds, by looking; what it gave.

    Raises:
        AssertionError: it never did.
    """
    deadline = time.monotonic() + patience_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain until {what}"
        time.sleep(0.005)
    return found


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Warm:
    """Starts servers by forking a process that has imported everything."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.warm"]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )
        self.started: dict[int, None] = {}

    def fork(self, argv: list[str], out: Path, err: Path, environment: Mapping[str, str]) -> int:
        """The process id of a new server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"argv": argv, "out": str(out), "err": str(err), "environment": dict(environment)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        number = int(self._process.stdout.readline())
        self.started[number] = None
        return number

    def close(self) -> None:
        """Kill every server that is left, and the process itself."""
        for number in self.started:
            if alive(number):
                os.kill(number, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()


def alive(number: int) -> bool:
    """Whether a process is there, zombies apart."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


class Server:
    """One `tenure serve`, by hand.

    Args:
        warm: forks it.
        project: its folder.
        home: folder of runtime files.
        port: it listens on, the same after a restart.
        environment: on top of ours.
    """

    def __init__(
        self, warm: Warm, project: Path, home: Path, port: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self.warm, self.project, self.home, self.port = warm, project, home, port
        self.environment = dict(environment or {})
        self.number = 0
        self._starts = 0
        self._reaped: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def told(self) -> str:
        """What it has written, both streams."""
        return "".join(path.read_text() for path in self._files() if path.exists())

    def start(self) -> Self:
        """Start it and wait until it says where it listens."""
        self._starts += 1
        out, err = self._files()
        argv = ["serve", str(self.project), "--home", str(self.home), "--port", str(self.port), "--json"]
        self.number = (self._cold if "LD_PRELOAD" in self.environment else self.warm.fork)(
            argv, out, err, self.environment
        )
        until(lambda: (out.exists() and "\n" in out.read_text()) or not self.alive, "the server is up")
        assert self.alive, self.told
        return self

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return alive(self.number)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it is there."""
        if self.alive:
            os.kill(self.number, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        until(lambda: not self.alive, "the server is gone")
        if self._reaped is not None:
            self._reaped.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)

    def _cold(self, argv: list[str], out: Path, err: Path, environment: Mapping[str, str]) -> int:
        """A process of its own, for what must be there before anything is loaded."""
        command = [sys.executable, "-m", "tenure.cli", *argv]
        with out.open("wb") as told, err.open("wb") as moaned:
            process = subprocess.Popen(command, stdout=told, stderr=moaned, env={**os.environ, **environment})
        self._reaped = process
        return process.pid

    def _files(self) -> tuple[Path, Path]:
        name = f"server-{self.port}-{self._starts}"
        return self.home.parent / f"{name}.out", self.home.parent / f"{name}.err"
