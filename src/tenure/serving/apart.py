"""A bundle in a process of its own: whatever it does there, this one goes on and the incumbent answers.

The child loads the bundle, so that a hostile graph is never parsed here. It has limits of its own (memory, no files),
answers over a socket within the deadline or is killed, and is started again after a pause that doubles.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import BundleError
from tenure.core.policy import Policy, Proposal
from tenure.serving.deadline import LateError

MEMORY_BYTES = 4 * 1024**3
"""Address space a child may take, ONNX Runtime's own included."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Before a child that died is started again; doubled each time, and forgotten once a child has answered."""

START_S = 30.0
"""How long a child may take to load its bundle."""

SHARE_OF_DEADLINE = 0.9
"""Of the time a proposal may take: what is left is for killing a child that is late."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes a child may answer with."""

_INHERITED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TZ")
"""What a child sees of the environment: no secrets."""

log = logging.getLogger("tenure.serving")

_head = struct.Struct("<I")


class _Asked(msgspec.Struct, array_like=True):
    rows: int
    observation: bytes
    allowed: bytes | None
    draw: bytes


class _Answered(msgspec.Struct, array_like=True):
    action: bytes
    confidence: bytes
    distribution: bytes | None
    vector: bool = False


_encode = msgspec.msgpack.Encoder().encode
_asked, _answered = msgspec.msgpack.Decoder(_Asked), msgspec.msgpack.Decoder(_Answered)


class Apart:
    """A policy whose bundle runs in a child process.

    Args:
        folder: of the bundle, named by its version.
        seconds: how long a proposal may take.
        memory_bytes: address space the child may take.
        command: starts a child; gets the descriptor of its socket as its last argument.

    Raises:
        BundleError: the child cannot load the bundle.
    """

    draws = True

    def __init__(
        self, folder: Path, seconds: float, memory_bytes: int = MEMORY_BYTES, command: list[str] | None = None
    ) -> None:
        self.version, self.problem_version = folder.name, _problem_version(folder)
        self.counters: Counter[str] = Counter()
        self._seconds = seconds
        self._command = command or [sys.executable, "-m", "tenure.serving.apart", str(folder), str(memory_bytes)]
        self._lock = threading.Lock()
        self._pause_s, self._closed = FIRST_PAUSE_S, False
        self._child: _Child | None = _start(self._command)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """What the child proposes.

        Raises:
            LateError: it did not answer in time; it was killed.
            BundleError: it is not there, died, or sent what is no answer.
        """
        with self._lock:
            child = self._child
            if child is None:
                raise self._gone("none that is alive; it is being started again")
            asked = _Asked(
                len(observation),
                np.ascontiguousarray(observation, dtype=np.float32).tobytes(),
                None if allowed is None else np.ascontiguousarray(allowed, dtype=bool).tobytes(),
                np.ascontiguousarray(draw, dtype=np.float64).tobytes(),
            )
            try:
                proposal = _read(child.exchange(_encode(asked), self._seconds), len(observation))
            except TimeoutError as error:
                self._lost(child, "late")
                raise LateError from error
            except (OSError, EOFError, ValueError, msgspec.DecodeError) as error:
                self._lost(child, "died")
                raise self._gone(f"{type(error).__name__}: {error}") from error
            self._pause_s = FIRST_PAUSE_S
            return proposal

    def close(self) -> None:
        """End the child; closing twice is allowed."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.end()
            self._child = None

    def _lost(self, child: _Child, why: str) -> None:
        """Kill the child, and start another after a pause, behind the answers."""
        child.end()
        self._child = None
        self.counters[why] += 1
        log.warning("the policy %s was lost (%s) and starts again in %.1f s", self.version, why, self._pause_s)
        self._again()

    def _revive(self, pause_s: float) -> None:
        time.sleep(pause_s)
        try:
            child = _start(self._command)
        except BundleError as error:
            log.warning("the policy %s cannot be started: %s", self.version, error)
            self._again()
            return
        with self._lock:
            if self._closed:
                child.end()
                return
            self._child = child
            self.counters["restarted"] += 1

    def _again(self) -> None:
        """Start a child after a pause, unless nobody wants one any more."""
        if not self._closed:
            threading.Thread(target=self._revive, args=(self._pause_s,), name="tenure-apart", daemon=True).start()
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _gone(self, found: str) -> BundleError:
        return BundleError(
            expected=f"an answer of the process that runs policy {self.version!r}",
            found=found,
            where="serving.apart",
            fix="see what the bundle does; the incumbent answers meanwhile",
        )


class _Child:
    """One process and the socket to it."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket) -> None:
        self._process, self._end = process, end

    def exchange(self, body: bytes, seconds: float) -> bytes:
        """Send and receive one frame.

        Raises:
            TimeoutError: not within the time.
            EOFError: the child has gone.
            ValueError: it announces more than anybody answers.
        """
        until = time.monotonic() + seconds
        self._end.settimeout(seconds)
        self._end.sendall(_head.pack(len(body)) + body)
        (size,) = _head.unpack(self._receive(_head.size, until))
        if size > LARGEST_ANSWER:
            raise ValueError(f"an answer of {size} bytes")
        return self._receive(size, until)

    def _receive(self, size: int, until: float) -> bytes:
        parts, left = [], size
        while left:
            remaining = until - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._end.settimeout(remaining)
            part = self._end.recv(left)
            if not part:
                raise EOFError("the process has ended")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        """Kill it and wait: a killed process ends at once, whatever it was doing."""
        self._process.kill()
        self._process.wait()
        self._end.close()


def _start(command: list[str]) -> _Child:
    """A child that has loaded its bundle."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603
            [*command, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
        )
    child = _Child(process, ours)
    try:
        ready = child.exchange(b"", START_S)
        if ready != b"ready":
            raise ValueError(repr(ready[:200]))
    except (OSError, EOFError, ValueError) as error:
        child.end()
        raise BundleError(
            expected="a process that loads the bundle",
            found=f"{type(error).__name__}: {error}",
            where=" ".join(command),
            fix="load it here with `serving.apart` off, or train again",
        ) from error
    return child


def _read(body: bytes, rows: int) -> Proposal:
    """A proposal of what came; whether it is legal is for those who ask."""
    found = _answered.decode(body)
    distribution = None
    if found.distribution is not None:
        distribution = np.frombuffer(found.distribution, dtype=np.float64).reshape(rows, -1)
    confidence = np.frombuffer(found.confidence, dtype=np.float64)
    if found.vector:
        return Proposal(np.frombuffer(found.action, dtype=np.float64).reshape(rows, -1), confidence, distribution)
    return Proposal(np.frombuffer(found.action, dtype=np.int64), confidence, distribution)


def _problem_version(folder: Path) -> str:
    """What the manifest says, read as data."""
    try:
        return str(json.loads((folder / "manifest.json").read_bytes())["problem_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            expected="a manifest that names the problem's version",
            found=f"{type(error).__name__}: {error}",
            where=str(folder),
            fix="restore the bundle from a copy, or train again",
        ) from error


def loader(bundles: Path, deadline_s: float) -> Callable[[str], Apart]:
    """From a version to its policy in a process of its own, which answers a little before the deadline or not at all.

    Args:
        bundles: folders named by version.
        deadline_s: the policy's time to propose, in seconds.
    """
    return lambda version: Apart(bundles / version, SHARE_OF_DEADLINE * deadline_s)


# --- the child -------------------------------------------------------------------------------------------------------


def answer(policy: Policy, actions: int, end: socket.socket) -> None:
    """Propose for as long as somebody asks."""
    file = end.makefile("rwb")
    while len(head := file.read(_head.size)) == _head.size:
        body = file.read(*_head.unpack(head))
        file.write(_framed(_proposed(policy, actions, _asked.decode(body)) if body else b"ready"))
        file.flush()


def _proposed(policy: Policy, actions: int, asked: _Asked) -> bytes:
    observation = np.frombuffer(asked.observation, dtype=np.float32).reshape(asked.rows, -1)
    allowed = None if asked.allowed is None else np.frombuffer(asked.allowed, dtype=bool).reshape(-1, actions)
    found = policy.propose(observation, allowed, np.frombuffer(asked.draw, dtype=np.float64))
    distribution = None
    if found.distribution is not None:
        distribution = np.ascontiguousarray(found.distribution, dtype=np.float64).tobytes()
    vector = np.asarray(found.action).ndim == 2
    action = np.asarray(found.action, dtype=np.float64 if vector else np.int64).tobytes()
    confidence = np.asarray(found.confidence, dtype=np.float64).tobytes()
    return _encode(_Answered(action, confidence, distribution, vector))


def _framed(body: bytes) -> bytes:
    return _head.pack(len(body)) + body


def limit(memory_bytes: int) -> None:
    """Take from this process what a policy does not need: more memory, files it could fill, core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[Any]) -> None:
    """Be the child: folder of the bundle, bytes of memory, descriptor of the socket."""
    from tenure.store import load_bundle

    folder, memory_bytes, descriptor = arguments
    limit(int(memory_bytes))
    signal.alarm(int(2 * START_S))  # a graph that spins at load ends, even where nobody is left to kill it
    policy = load_bundle(Path(folder), None)
    signal.alarm(0)
    with socket.socket(fileno=int(descriptor)) as end:
        answer(policy, len(policy.bundle.manifest["actions"]), end)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
