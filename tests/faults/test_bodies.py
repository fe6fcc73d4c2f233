"""Bodies that are too large, never end or trickle in are cut off, and others are answered meanwhile."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from .conftest import Make
from .load import Caller
from .server import Server, until

LIMIT = 64 * 1024
PATHS = ["/v1/toy/decisions", "/v1/toy/outcomes", "/v1/toy/decisions:batch"]


@pytest.fixture(scope="module")
def server(module_serve: Make) -> Server:
    """One server for all of them, which must survive each."""
    return module_serve()


@contextlib.contextmanager
def raw(server: Server) -> Iterator[socket.socket]:
    """A bare connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        yield link


def head(path: str, *lines: str) -> bytes:
    """A request up to its body."""
    lines = (f"POST {path} HTTP/1.1", "host: localhost", "content-type: application/json", *lines, "", "")
    return "\r\n".join(lines).encode()


def status(link: socket.socket) -> int:
    """Of the answer that is waiting; 0 when the other side has hung up without one."""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        found = link.recv(4096)
        return int(found.split()[1]) if found else 0
    return 0


def others_are_answered(server: Server) -> None:
    """A well-behaved caller sees nothing of it."""
    caller = Caller(server.port)
    asked = {"unit_id": "u", "context": {"x": 1}}
    code, answer = caller.post("/v1/toy/decisions", asked)
    assert (code, answer["arm"]) == (200, "candidate")
    caller.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [LIMIT * 20, 20 * 2**20])
def test_an_oversized_body_is_refused_with_413(server: Server, path: str, size: int) -> None:
    with raw(server) as link:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            link.sendall(head(path, f"content-length: {size}"))
            link.sendall(b"x" * size)
        assert status(link) == 413
    others_are_answered(server)


@pytest.mark.parametrize("path", PATHS)
def test_an_endless_body_is_cut_off(server: Server, path: str) -> None:
    with raw(server) as link:
        link.sendall(head(path, "transfer-encoding: chunked"))
        chunk, sent = b"4000\r\n" + b"x" * 0x4000 + b"\r\n", 0
        with contextlib.suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
            while sent < 200 * 2**20:
                link.sendall(chunk)
                sent += len(chunk)
        assert sent < 200 * 2**20, "it goes on reading"
        assert status(link) in (0, 400, 413)
    others_are_answered(server)


def test_a_body_that_trickles_in_is_given_up_while_others_are_answered(server: Server) -> None:
    with raw(server) as link:
        link.sendall(head(PATHS[0], "content-length: 1000"))
        began = time.monotonic()
        link.settimeout(0.05)

        def cut() -> bool:
            try:
                link.sendall(b"{")
                found = link.recv(4096)
            except TimeoutError:
                others_are_answered(server)
                return False
            except OSError:
                return True
            assert found == b"" or found.split()[1] == b"408"
            return True

        until(cut, "the slow body is given up", 40)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("depth", [100, 5_000, 30_000])
def test_a_body_nested_deeply_is_refused_and_takes_nothing_down(server: Server, depth: int) -> None:
    with raw(server) as link:
        body = b'{"unit_id": "u", "context": ' + b'{"x":' * depth
        link.sendall(head(PATHS[0], f"content-length: {min(len(body), LIMIT)}") + body[:LIMIT])
        assert 400 <= status(link) < 500
    others_are_answered(server)


@pytest.mark.parametrize("number", [b"NaN", b"1e999"])
def test_what_is_no_finite_number_is_refused(server: Server, number: bytes) -> None:
    body = b'{"unit_id": "u", "context": {"x": %s}}' % number
    with raw(server) as link:
        link.sendall(head(PATHS[0], f"content-length: {len(body)}") + body)
        assert status(link) == 422
    others_are_answered(server)
