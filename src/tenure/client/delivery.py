"""What empties the spool: batches to the server behind the caller, each line once in effect, poisoned ones aside."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from tenure.client.asking import Retry
from tenure.client.spool import Line, Segment, Spool

BATCH = 500
"""Lines of one request."""
PATHS = {"outcome": "/outcomes", "fallback": "/fallbacks"}
"""Where lines of each kind go."""
TOO_LARGE = 413
POISON = (400, 409, 413, 422)
"""Answers that say a line is wrong, not that the server is away."""

log = logging.getLogger("tenure.client")


class Reply(NamedTuple):
    """Status and text of a response."""

    status: int
    text: str


class Post(Protocol):
    """Posts NDJSON to a path of the problem; an error of any kind when there is no response."""

    def __call__(self, path: str, content: bytes) -> Reply: ...


class Trouble(Exception):
    """The server cannot take lines now: they stay."""


class Delivery:
    """Delivers a spool, on demand and behind the caller.

    Every line has an id the server knows again, so a line sent twice, because the first answer was lost or the process
    died, counts once.

    Args:
        spool: what waits.
        post: sends a batch.
        every_s: seconds between two looks in the background.
        rng: of the pauses after trouble.
    """

    def __init__(self, spool: Spool, post: Post, every_s: float = 1.0, rng: random.Random | None = None) -> None:
        self._spool, self._post, self._every_s = spool, post, every_s
        self._rng = rng or random.Random()  # noqa: S311 only spreads retries
        self._turn, self._wake, self._closed = threading.Lock(), threading.Event(), False
        self.delivered = self.rejected = self.troubles = 0
        self.last_error = ""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to deliver in the background; starting twice is allowed."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="tenure-spool", daemon=True)
            self._thread.start()

    def flush(self) -> bool:
        """Deliver everything that can be taken now; False when the server would not take it all."""
        with self._turn:
            try:
                with closing(self._spool.segments()) as segments:
                    for segment in segments:
                        self._deliver(segment)
            except Exception as error:  # the lines stay where they are
                self.troubles += 1
                self.last_error = f"{type(error).__name__}: {error}"
                return False
        return True

    def close(self) -> bool:
        """End the background, and deliver what can be; the rest stays for the next client over the folder."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        through = self.flush()
        self._spool.close()
        return through

    def _run(self) -> None:
        pauses, failures = Retry(first_s=self._every_s, longest_s=60.0), 0
        while not self._closed:
            failures = 0 if self.flush() else failures + 1
            pause = self._every_s + (pauses.pause_s(failures, self._rng) if failures else 0.0)
            self._wake.wait(pause)

    def _deliver(self, segment: Segment) -> None:
        rejected = list(segment.damaged)
        for kind, lines in groupby(segment.lines, key=lambda line: str(line.get("kind"))):
            group = list(lines)
            if kind in PATHS:
                for begin in range(0, len(group), BATCH):
                    rejected += self._send(PATHS[kind], group[begin : begin + BATCH])
            else:
                rejected += [json.dumps({**line, "refused": "unknown kind"}) for line in group]
        self._spool.done(segment, rejected)
        self.rejected += len(rejected)
        self.delivered += len(segment.lines) + len(segment.damaged) - len(rejected)
        if rejected:
            log.error("%d line(s) the server will never take were moved aside: %s", len(rejected), rejected[0][:300])

    def _send(self, path: str, lines: Sequence[Line]) -> list[str]:
        """Send a batch; returns the lines that were refused, with the reason.

        Raises:
            Trouble: the server cannot take lines now.
        """
        content = b"\n".join(json.dumps(line["body"]).encode() for line in lines)
        reply = self._post(path, content)
        if reply.status in POISON:
            return self._apart(path, lines, reply)
        if reply.status != 200:
            raise Trouble(f"status {reply.status}: {reply.text[:300]}")
        return _refused(lines, reply.text)

    def _apart(self, path: str, lines: Sequence[Line], reply: Reply) -> list[str]:
        """A batch that was refused as a whole is halved, until the line that is to blame stands alone."""
        if len(lines) == 1:
            return [json.dumps({**lines[0], "refused": f"status {reply.status}: {reply.text[:300]}"})]
        half = len(lines) // 2
        return self._send(path, lines[:half]) + self._send(path, lines[half:])


def _refused(lines: Sequence[Line], text: str) -> list[str]:
    """Lines whose verdict is an error of theirs.

    Raises:
        Trouble: there is not one verdict per line, or the log was away for one.
    """
    try:
        verdicts: list[Any] = [json.loads(verdict) for verdict in text.splitlines()]
        found = [(line, verdict, verdict.get("error")) for line, verdict in zip(lines, verdicts, strict=True)]
    except (ValueError, AttributeError) as error:
        raise Trouble(f"no verdict for each of {len(lines)} lines: {text[:100]!r}") from error
    if any(error in ("StoreError", "FencedError") for _, _, error in found):
        raise Trouble("the server's log is away")
    return [json.dumps({**line, "refused": verdict}) for line, verdict, error in found if error is not None]
