"""Connections that say nothing, half a head or an endless one, against a real server with small limits."""

from __future__ import annotations

import http.client
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import uvicorn

from tenure.serving import create_app
from tenure.serving.door import Limits, door, limits

from .test_app import GOOD
from .toy import World

WAIT_S = 20.0
HEAD_S = 0.5
MOST = 8
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def port(world: World) -> Iterator[int]:
    """A server that takes eight connections, and heads of 1,000 bytes within half a second."""
    listener = socket.create_server(("127.0.0.1", 0))
    protocol = door(Limits(MOST, HEAD_S, 1000))
    config = uvicorn.Config(
        create_app(world.service), http=protocol, ws="none", log_level="critical", timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(WAIT_S)
    listener.close()
    assert not thread.is_alive()


def opened(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)


def answered(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request("POST", "/v1/toy/decisions", json.dumps(GOOD))
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def until_closed(end: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    found = b""
    with suppress(ConnectionError):
        while part := end.recv(65536):
            found += part
    return found


@pytest.mark.parametrize(
    "said",
    [b"", b"POST /v1/toy/deci", REQUEST + b"X: a", b"\r\n"],
    ids=["nothing", "half a line", "half a head", "an empty line"],
)
def test_a_connection_without_a_whole_head_in_time_is_closed(port: int, said: bytes) -> None:
    with opened(port) as end:
        started = time.monotonic()
        end.sendall(said)
        assert until_closed(end) == b""
        assert HEAD_S * 0.9 <= time.monotonic() - started < WAIT_S / 2


def test_a_head_that_trickles_gets_no_more_time(port: int) -> None:
    with opened(port) as end:
        started, head = time.monotonic(), REQUEST
        with suppress(ConnectionError):
            while time.monotonic() - started < WAIT_S:
                end.sendall(head)
                head = b"X: a\r\n"
                time.sleep(0.02)
    assert HEAD_S * 0.9 <= time.monotonic() - started < WAIT_S / 2


@pytest.mark.parametrize("said", [REQUEST, b"\r\n"], ids=["half a head", "an empty line"])
def test_a_second_head_has_its_time_too(port: int, said: bytes) -> None:
    with opened(port) as end:
        end.sendall(REQUEST + b"\r\n")
        assert end.recv(65536).startswith(b"HTTP/1.1 200")
        end.sendall(said)
        until_closed(end)


def test_idle_connections_are_let_go_and_others_are_served_again(port: int) -> None:
    with ExitStack() as open_:
        idle = [open_.enter_context(opened(port)) for _ in range(MOST)]
        refused = open_.enter_context(opened(port))
        started = time.monotonic()
        assert until_closed(refused) == b""
        assert time.monotonic() - started < HEAD_S * 0.9  # at once: no room
        for end in idle:
            until_closed(end)
        assert answered(port)


@pytest.mark.parametrize(
    "head",
    [
        REQUEST + b"X: " + b"a" * 100_000,
        REQUEST + b"".join(b"X%d: %s\r\n" % (number, b"a" * 50) for number in range(30)),
        REQUEST + b"X: " + b"a" * 1000 + b"\r\n\r\n",
        b"GET /" + b"a" * 2000,
    ],
    ids=["one endless header", "many headers", "a whole head", "an address"],
)
def test_a_head_that_is_too_large_is_refused_with_431(port: int, head: bytes) -> None:
    with opened(port) as end:
        for at in range(0, len(head), 400):
            try:
                end.sendall(head[at : at + 400])
            except ConnectionError:
                break
            time.sleep(0.001)
        found = until_closed(end)
    assert found == b"" or found.startswith(b"HTTP/1.1 431 ")
    assert answered(port)


def test_a_large_head_gets_the_word_431(port: int) -> None:
    with opened(port) as end:
        end.sendall(REQUEST + b"X: " + b"a" * 1000 + b"\r\n\r\n")
        assert until_closed(end).startswith(b"HTTP/1.1 431 ")


def test_a_body_is_no_part_of_the_head_and_a_connection_serves_many_requests(port: int) -> None:
    body = json.dumps(GOOD).encode() + b" " * 5000
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    until = time.monotonic() + 2 * HEAD_S
    while time.monotonic() < until:  # longer than one head may take
        connection.request("POST", "/v1/toy/decisions", body)
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (200, True)
        time.sleep(0.02)
    connection.close()


def test_what_is_no_request_is_still_answered_with_400(port: int) -> None:
    with opened(port) as end:
        end.sendall(b"nonsense\r\n\r\n")
        assert until_closed(end).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("files", "connections"), [(1024, 896), (64, 1), (1_048_576, 10_000), (resource.RLIM_INFINITY, 10_000)]
)
def test_connections_leave_descriptors_for_the_rest(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    monkeypatch.setattr("tenure.serving.door.resource.getrlimit", lambda _: (files, files))
    assert limits() == Limits(connections, 10.0, 16_384)
