"""As much of Azure's blob service as a client needs that lists, reads, writes and removes; in memory, on the loopback.

No emulator of it comes as a Python package; Azurite comes by npm and is taken instead where $TENURE_AZURITE has its
address, and $TENURE_AZURITE_KEY its account's key (`npm install azurite`, then `azurite-blob`). Source: the REST
reference of Blob Storage.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCOUNT = "devstoreaccount1"
FORBIDDEN = "forbidden"
"""A container that nobody may use."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_PUT(self) -> None:
        container, blob, asked = self._place()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._is_there(container, made="restype" in asked):
            return
        if not blob:
            self.server.containers[container] = {}
        elif asked.get("comp") == ["block"]:
            self.server.blocks[asked["blockid"][0]] = body
        elif asked.get("comp") == ["blocklist"]:
            names = [part.partition("<")[0] for part in body.decode().split("<Latest>")[1:]]
            self.server.containers[container][blob] = b"".join(self.server.blocks.pop(name) for name in names)
        else:
            self.server.containers[container][blob] = body
        self._answer(201)

    def do_GET(self) -> None:
        container, blob, asked = self._place()
        if not self._is_there(container):
            return
        if blob:
            self._blob(container, blob)
        else:
            self._answer(200, self._listed(container, asked), {"Content-Type": "application/xml"})

    do_HEAD = do_GET  # noqa: N815 -- as http.server calls it

    def do_DELETE(self) -> None:
        container, blob, _ = self._place()
        if self._is_there(container):
            gone = self.server.containers[container].pop(blob, None) is None
            self._refuse(404, "BlobNotFound") if gone else self._answer(202)

    def _place(self) -> tuple[str, str, dict[str, list[str]]]:
        split = urlsplit(self.path)
        _, _, container, *blob = unquote(split.path).split("/")
        return container, "/".join(blob), parse_qs(split.query)

    def _is_there(self, container: str, made: bool = False) -> bool:
        if container == FORBIDDEN:
            self._refuse(403, "AuthorizationFailure")
        elif container not in self.server.containers and not made:
            self._refuse(404, "ContainerNotFound")
        else:
            return True
        return False

    def _blob(self, container: str, blob: str) -> None:
        content = self.server.containers[container].get(blob)
        if content is None:
            self._refuse(404, "BlobNotFound")
            return
        first, last = self._range(len(content))
        told = {"x-ms-blob-type": "BlockBlob", "Content-Range": f"bytes {first}-{last}/{len(content)}"}
        if not content:
            self._answer(416 if self._asked_range() else 200, b"", {"x-ms-error-code": "InvalidRange"})
            return
        self._answer(206 if self._asked_range() else 200, content[first : last + 1], told)

    def _asked_range(self) -> str:
        return self.headers.get("x-ms-range") or self.headers.get("Range") or ""

    def _range(self, size: int) -> tuple[int, int]:
        first, _, last = self._asked_range().removeprefix("bytes=").partition("-")
        return int(first or 0), min(int(last or size), size - 1)

    def _listed(self, container: str, asked: dict[str, list[str]]) -> bytes:
        prefix, delimiter = asked.get("prefix", [""])[0], asked.get("delimiter", [""])[0]
        blobs, folders = list[str](), set[str]()
        for name in sorted(self.server.containers[container]):
            rest = name.removeprefix(prefix)
            if name.startswith(prefix) and delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            elif name.startswith(prefix):
                blobs.append(name)
        sizes = self.server.containers[container]
        told = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(sizes[name])}</Content-Length>"
            "<Last-Modified>Mon, 01 Jan 2024 00:00:00 GMT</Last-Modified><Etag>1</Etag>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name in blobs
        ) + "".join(f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>" for name in sorted(folders))
        told = (
            f'<EnumerationResults ContainerName="{container}"><Blobs>{told}</Blobs><NextMarker/></EnumerationResults>'
        )
        return f'<?xml version="1.0" encoding="utf-8"?>{told}'.encode()

    def _refuse(self, status: int, code: str) -> None:
        body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
        self._answer(status, body.encode(), {"x-ms-error-code": code, "Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        every = {"Etag": '"1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "x-ms-version": "2024-11-04"}
        for name, value in {**every, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        self.containers: dict[str, dict[str, bytes]] = {}
        self.blocks: dict[str, bytes] = {}
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def blob_service() -> Iterator[str]:
    """A running service; gives its address, `http://host:port`."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
