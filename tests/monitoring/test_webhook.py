"""A webhook goes to the address that was checked, and nowhere else."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest

from tenure.monitoring.webhook import is_public, post, resolved


class Listener:
    """A local server that remembers what came, and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.location, self.requests = 200, "", list[dict[str, Any]]()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.requests.append(
                    {
                        "path": self.path,
                        "headers": {name.lower(): value for name, value in self.headers.items()},
                        "body": json.loads(body),
                    }
                )
                self.send_response(listener.status)
                if listener.location:
                    self.send_header("location", listener.location)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_it_posts_json_with_login_path_and_host(listener: Listener) -> None:
    post(f"json://ann:p%40ss@127.0.0.1:{listener.port}/hook?a=1", {"title": "t"}, private=True)
    (request,) = listener.requests
    assert (request["path"], request["body"]) == ("/hook?a=1", {"title": "t"})
    assert request["headers"]["authorization"] == "Basic " + base64.b64encode(b"ann:p@ss").decode()
    assert request["headers"]["host"] == f"127.0.0.1:{listener.port}"


def test_a_loopback_address_is_refused_before_anything_is_sent(listener: Listener) -> None:
    with pytest.raises(OSError, match="private_addresses"):
        post(f"json://127.0.0.1:{listener.port}/", {"title": "t"}, private=False)
    assert listener.requests == []


def test_a_redirect_is_not_followed(listener: Listener) -> None:
    listener.status, listener.location = 307, f"http://127.0.0.1:{listener.port}/metadata"
    with pytest.raises(OSError, match="redirects"):
        post(f"json://127.0.0.1:{listener.port}/", {"title": "t"}, private=True)
    assert [request["path"] for request in listener.requests] == ["/"]


def test_a_refusal_is_a_failure(listener: Listener) -> None:
    listener.status = 500
    with pytest.raises(OSError, match="status 500"):
        post(f"json://127.0.0.1:{listener.port}/", {"title": "t"}, private=True)


def test_an_unreachable_webhook_is_told_without_its_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OSError, match="ConnectError") as caught:
        post(f"json://127.0.0.1:{port}/secret", {"title": "t"}, private=True)
    assert "secret" not in str(caught.value)


def test_the_name_is_resolved_once_and_that_very_address_is_connected_to(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *a, **k: (rebinding if host == "hook.test" else real)(host, port, **k)
    )
    post(f"json://hook.test:{listener.port}/", {"title": "t"}, private=True)
    assert asked == ["hook.test"]
    assert listener.requests[0]["headers"]["host"] == f"hook.test:{listener.port}"


def test_one_private_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(0, 0, 0, "", ("93.184.215.14", 80)), (0, 0, 0, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(OSError, match="private"):
        resolved("hook.test", 80, private=False)
    assert resolved("hook.test", 80, private=True) == ip_address("93.184.215.14")


def test_a_name_that_does_not_resolve_is_said_without_the_name() -> None:
    with pytest.raises(OSError, match="does not resolve") as caught:
        resolved("secret.invalid", 80, private=True)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1", "::",
    ],
)  # fmt: skip
def test_what_does_not_leave_the_house_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_what_leaves_the_house_is_public(address: str) -> None:
    assert is_public(ip_address(address))
