"""Bodies that are too large, endless or stalled, against a real server; and what one turn of the loop holds."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from tenure.core.errors import AccessError
from tenure.serving import create_app
from tenure.serving.access import Principal, Role
from tenure.serving.deadline import Deadline
from tenure.serving.hot import TooLargeError, TooSlowError, read_body
from tenure.serving.wire import LARGEST_BODY

from .conftest import Make
from .http import Http
from .test_app import GOOD, refused
from .toy import World

WAIT_S = 20.0


@pytest.fixture
def port(world: World) -> Iterator[int]:
    """A real server, as `tenure serve` runs it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(world.service), loop="uvloop", http="httptools", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(WAIT_S)
    listener.close()
    assert not thread.is_alive()


def ask(port: int, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("POST", "/v1/toy/decisions", body, headers, encode_chunked=not isinstance(body, bytes))
    response = connection.getresponse()
    found: dict[str, Any] = json.loads(response.read())
    connection.close()
    return response.status, found


def test_a_body_of_20_mb_is_answered_with_413_and_the_server_goes_on(port: int) -> None:
    status, error = ask(port, b" " * 20_000_000)
    assert (status, error["error"]) == (413, "TooLargeError")
    assert ask(port, json.dumps(GOOD).encode())[0] == 200


def test_a_body_without_end_is_answered_with_413(port: int) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.putrequest("POST", "/v1/toy/decisions")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    found = b""
    with suppress(OSError):  # the server hangs up, once it has answered
        for chunk in endless():
            connection.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    while part := _received(connection.sock):
        found += part
    connection.close()
    assert found.startswith(b"HTTP/1.1 413")
    assert b"TooLargeError" in found


def _received(sock: Any) -> bytes:
    try:
        part: bytes = sock.recv(65536)
    except OSError:
        return b""
    return part


def test_a_body_that_stalls_is_answered_with_408(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.hot.BODY_TIMEOUT_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as sock:
        sock.sendall(b"POST /v1/toy/decisions HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{")
        assert sock.recv(65536).startswith(b"HTTP/1.1 408")


def test_one_connection_serves_many_requests(port: int, world: World) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    for number in range(30):
        connection.request("POST", "/v1/toy/decisions", json.dumps(GOOD | {"decision_id": f"d{number}"}))
        response = connection.getresponse()
        assert json.loads(response.read())["decision_id"] == f"d{number}"
    connection.close()
    assert world.count() == 30


def test_requests_that_come_together_share_a_commit(port: int, world: World) -> None:
    commits = [0]

    def count() -> None:
        commits[0] += 1

    world.store.before_append = count
    start = threading.Barrier(16)

    def work(thread: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        connection.connect()
        start.wait()
        for number in range(20):
            connection.request("POST", "/v1/toy/decisions", json.dumps(GOOD | {"decision_id": f"{thread}-{number}"}))
            assert connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.count() == 320
    assert commits[0] < 320


def test_a_hanging_policy_is_answered_for_at_its_deadline_over_http(make: Make) -> None:
    let_go = threading.Event()
    world = make(deadline=Deadline(0.05)).at("full", 1.0)
    world.candidate.before = lambda: let_go.wait(WAIT_S)
    with Http(create_app(world.service)) as client:
        started = time.monotonic()
        answer = client.post("/v1/toy/decisions", json=GOOD).json()
        took = time.monotonic() - started
        let_go.set()
    assert (answer["label"], answer["arm"], answer["reason"]) == ("a", "fallback", "deadline")
    assert 0.05 <= took < 5


def test_a_batch_of_more_than_1000_decisions_is_refused_with_words(world: World) -> None:
    with Http(create_app(world.service)) as client:
        batch = [{**GOOD, "decision_id": f"b{number}"} for number in range(1001)]
        refused(response := client.post("/v1/toy/decisions:batch", json={"decisions": batch}), 413)
        assert "1000 decisions" in response.text
        assert world.count() == 0
        assert client.post("/v1/toy/decisions:batch", json={"decisions": batch[:1000]}).status_code == 200
    assert world.count() == 1000


def test_more_than_10000_lines_of_outcomes_are_refused_with_words(world: World) -> None:
    lines = {"headers": {"content-type": "application/x-ndjson"}}
    with Http(create_app(world.service)) as client:
        refused(response := client.post("/v1/toy/outcomes", content=b"{}\n" * 10_001, **lines), 413)
        assert "10000 lines" in response.text
        assert client.post("/v1/toy/outcomes", content=b"{}\n" * 10_000, **lines).status_code == 200


# The body, message by message


def body(*parts: Any, limit: int = 10, seconds: float = 5.0) -> bytes:
    messages = iter(parts)

    async def receive() -> dict[str, Any]:
        part = next(messages, None)
        assert part != "too far"
        if part is None:
            await asyncio.Event().wait()
        if part is None or part == "gone":
            return {"type": "http.disconnect"}
        chunk, more = part
        return {"type": "http.request", "body": chunk, "more_body": more}

    return asyncio.run(read_body(receive, limit, seconds))


def test_chunks_are_put_together_up_to_the_limit() -> None:
    assert body((b"12345", True), (b"", True), (b"67890", False)) == b"1234567890"
    with pytest.raises(TooLargeError):
        body((b"12345", True), (b"678901", False))


def test_what_is_too_large_is_read_to_its_end_or_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.hot.DRAINED_BYTES", 100)
    with pytest.raises(TooLargeError):
        body(*[(b"x" * 50, True)] * 3, "too far")
    with pytest.raises(TooLargeError):
        body((b"x" * 50, True), seconds=0.01)  # nor a second one for long


@pytest.mark.parametrize("parts", [((b"1", True),), ((b"1", True), "gone"), ("gone",)])
def test_a_body_that_stops_is_too_slow(parts: Any) -> None:
    with pytest.raises(TooSlowError):
        body(*parts, seconds=0.01)


class Closed:
    """Lets nobody in."""

    def permit(self, scope: Any, least: Role) -> Principal:
        assert (scope["path"].startswith("/v1/toy/"), least) == (True, Role.CLIENT)
        raise AccessError(expected="a token", found="none", where="Authorization", fix="send one")


@pytest.mark.parametrize("path", ["decisions", "decisions:batch", "outcomes"])
def test_no_hot_path_is_open_to_those_who_are_not_let_in(world: World, path: str) -> None:
    with Http(create_app(world.service, access=Closed())) as client:
        response = client.post(f"/v1/toy/{path}", json=GOOD)
    refused(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"
    assert world.count() == 0


def test_a_refusal_of_a_body_closes_the_connection(world: World) -> None:
    with Http(create_app(world.service)) as client:
        assert client.post("/v1/toy/decisions", content=b" " * (LARGEST_BODY + 1)).headers["connection"] == "close"
        assert "connection" not in client.post("/v1/toy/decisions", content=b"{").headers


def test_a_defect_is_not_hidden_from_the_caller(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(world.service, "decide", broken)
    with Http(create_app(world.service)) as client, pytest.raises(ZeroDivisionError):
        client.post("/v1/toy/decisions", json=GOOD)


def test_a_server_that_stops_refuses_with_503(world: World) -> None:
    app = create_app(world.service)
    with Http(app) as client:
        app.hot.close()
        refused(client.post("/v1/toy/decisions", json=GOOD), 503)


def test_the_candidate_is_loaded_before_the_first_request(world: World) -> None:
    loaded: list[str] = []
    load: Callable[[str], Any] = world.service.chooser._load

    def noted(version: str) -> Any:
        loaded.append(version)
        return load(version)

    world.service.chooser._load = noted
    with Http(create_app(world.service)):
        assert loaded == ["v1"]
    world.service.chooser._loaded.clear()
    world.broken = True
    with Http(create_app(world.service)) as client:
        assert client.post("/v1/toy/decisions", json=GOOD).json()["reason"] == "bundle_error"


def test_what_waits_in_the_spool_is_moved_when_the_server_stops(world: World) -> None:
    with Http(create_app(world.service)) as client:
        world.store.away = frozenset({"append_decisions"})
        assert client.post("/v1/toy/decisions", json=GOOD).json()["reason"] == "log_unavailable"
        world.store.away = frozenset()
    assert world.count() == 1


def test_both_sides_hear_of_start_and_stop(world: World) -> None:
    heard: list[str] = []

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        while scope["type"] == "lifespan":
            word = (await receive())["type"]
            heard.append(word)
            await send({"type": f"{word}.complete"})
            if word == "lifespan.shutdown":
                return
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with Http(create_app(world.service, rest=rest)) as client:
        assert client.get("/anything").status_code == 418
        assert client.post("/v1/toy/decisions", json=GOOD).status_code == 200
    assert heard == ["lifespan.startup", "lifespan.shutdown"]
