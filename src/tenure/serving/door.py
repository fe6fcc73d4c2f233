"""Who may stay connected, and for how long without a request: no caller can shut the others out by saying nothing."""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_S = 5
"""How long a connection may rest between two requests."""

RESERVED_FILES = 128
"""Descriptors kept for the log, the bundles and all else that is no connection."""

MOST_CONNECTIONS = 10_000
"""However many descriptors there are."""


@dataclass(frozen=True)
class Limits:
    """What a connection may take.

    Args:
        connections: at the same time; further ones are closed at once.
        head_s: seconds in which the whole head of a request must have come.
        head_bytes: size of that head; one that grows beyond it is refused with 431.
    """

    connections: int
    head_s: float = 10.0
    head_bytes: int = 16 * 1024


def limits() -> Limits:
    """Of this process, by how many files it may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return Limits(MOST_CONNECTIONS)
    return Limits(min(max(files - RESERVED_FILES, 1), MOST_CONNECTIONS))


def door(limits: Limits) -> type[HttpToolsProtocol]:
    """uvicorn's protocol within limits, for `uvicorn.Config(http=)`."""
    return type("Limited", (Door,), {"limits": limits})


class Door(HttpToolsProtocol):
    """One connection; `limits` are set by `door`."""

    limits: Limits

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._timer: asyncio.TimerHandle | None = None
        self._in_head, self._begun_now, self._head_bytes = True, False, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, if there is room."""
        if len(self.connections) >= self.limits.connections:
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; what is left of a head that does not end is counted chunk by chunk."""
        self._begun_now = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and not self._begun_now:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes:
                self.send_400_response("")
        if self.cycle is None or self.cycle.response_complete:
            self._expect_head()  # what came has ended uvicorn's own wait for the next request

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._in_head, self._begun_now, self._head_bytes = True, True, 0
        self._expect_head()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Some of the address."""
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One whole header."""
        self._grow(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The whole head."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or one whose head is too large, and hang up."""
        if self._head_bytes <= self.limits.head_bytes:
            super().send_400_response(msg)
            return
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()

    def _grow(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.limits.head_bytes:
            raise ValueError("the head is too large")  # the parser stops, and `send_400_response` is called

    def _expect_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.limits.head_s, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
