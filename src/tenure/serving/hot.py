"""The hot paths as bare ASGI: decisions, batches of them, and outcomes; all else is somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from tenure.core.errors import AccessError, RequestError, TenureError
from tenure.serving.access import Access, Role
from tenure.serving.handover import Handover
from tenure.serving.service import DecisionService
from tenure.serving.wire import (
    LARGEST_BATCH,
    LARGEST_BODY,
    MOST_DECISIONS,
    MOST_LINES,
    Answers,
    DecisionBatch,
    DecisionRequest,
    OutcomeRequest,
    decode,
    encode,
    refused_line,
)

BODY_TIMEOUT_S = 10.0
"""How long a body may take to arrive."""

DRAINED_BYTES = 32 * 1024 * 1024
"""Most that is read and thrown away of a body too large, so that its sender comes to read the answer."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

APP = "tenure.app"
"""Key of the ASGI scope under which what is mounted beside the hot paths finds the application."""

_JSON, _LINES = b"application/json", b"application/x-ndjson"


class TooLargeError(RequestError):
    """The body is larger than this address takes: the client sends less at once."""

    http_status = 413


class TooSlowError(RequestError):
    """The body did not end in time: the client sends it again."""

    http_status = 408


class MethodError(RequestError):
    """The address is there, but takes only POST."""

    http_status = 405


class Hot:
    """Handlers of one problem's hot paths.

    Args:
        service: decides.
        access: says who may ask.
    """

    def __init__(self, service: DecisionService, access: Access) -> None:
        self._service, self._access = service, access
        base = f"/v1/{service.problem.name}/"
        self.paths: dict[str, Callable[[Scope, Receive], Awaitable[tuple[bytes, bytes]]]] = {
            f"{base}decisions": self._decision,
            f"{base}decisions:batch": self._batch,
            f"{base}outcomes": self._outcomes,
        }

    def open(self) -> None:
        """Start to commit; on the event loop that will ask."""
        self._loop = asyncio.get_running_loop()
        self._handover = Handover(self._service.decide, self._service.deadline, self._service.calm)
        self._service.at_disk = self._handover.at_disk

    def close(self) -> None:
        """Answer what is waiting, then stop."""
        self._handover.close()

    def asked(self, requests: Sequence[DecisionRequest]) -> Answers:
        """Answers for another thread, such as the control API's: its requests go along in the same group commits."""
        return asyncio.run_coroutine_threadsafe(self._handover.ask(requests), self._loop).result()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to one of the paths."""
        try:
            if scope["method"] != "POST":
                raise _not_post(scope)
            self._access.permit(scope, Role.CLIENT)
            body, kind = await self.paths[scope["path"]](scope, receive)
        except TenureError as error:
            await refuse(send, error)
            return
        await respond(send, 200, body, kind)

    async def _decision(self, scope: Scope, receive: Receive) -> tuple[bytes, bytes]:
        del scope
        request = decode(await read_body(receive, LARGEST_BODY, BODY_TIMEOUT_S), DecisionRequest)
        (answer,) = await self._handover.ask([request])
        if isinstance(answer, TenureError):
            raise answer
        return encode(answer), _JSON

    async def _batch(self, scope: Scope, receive: Receive) -> tuple[bytes, bytes]:
        """Several decisions in one commit, answered in order."""
        del scope
        batch = decode(await read_body(receive, LARGEST_BATCH, BODY_TIMEOUT_S), DecisionBatch)
        _check_count(len(batch.decisions), MOST_DECISIONS, "decisions")
        answers = await self._handover.ask(batch.decisions) if batch.decisions else []
        return encode({"answers": [a.as_dict() if isinstance(a, TenureError) else a for a in answers]}), _JSON

    async def _outcomes(self, scope: Scope, receive: Receive) -> tuple[bytes, bytes]:
        """One outcome as JSON, or one per line as NDJSON with one verdict per line."""
        if not _is_lines(scope):
            request = decode(await read_body(receive, LARGEST_BODY, BODY_TIMEOUT_S), OutcomeRequest)
            (receipt,) = await asyncio.to_thread(self._service.outcomes, [request])
            return encode(receipt), _JSON
        body = await read_body(receive, LARGEST_BATCH, BODY_TIMEOUT_S)
        lines = body.splitlines()
        _check_count(len(lines), MOST_LINES, "lines")
        verdicts = await asyncio.to_thread(_each_line, self._service, lines)
        return b"\n".join(map(encode, verdicts)), _LINES


async def read_body(receive: Receive, limit: int, seconds: float) -> bytes:
    """The body, if it ends in time and within its limit.

    What is too large is read on for a while and thrown away: a sender that is cut off would not read the answer.

    Raises:
        TooLargeError: it is larger.
        TooSlowError: it did not end in time, or its sender has gone.
    """
    chunks: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(seconds):
            while more and size <= DRAINED_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _too_slow(seconds)
                chunk: bytes = message.get("body", b"")
                more, size = message.get("more_body", False), size + len(chunk)
                if size <= limit:
                    chunks.append(chunk)
    except TimeoutError as error:
        raise (_too_slow(seconds) if size <= limit else _too_large(limit)) from error
    if size > limit:
        raise _too_large(limit)
    return b"".join(chunks)


async def respond(send: Send, status: int, body: bytes, kind: bytes, *headers: tuple[bytes, bytes]) -> None:
    """One whole response."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), length, *headers]}
    )
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: TenureError) -> None:
    """The error as a response."""
    headers: list[tuple[bytes, bytes]] = []
    if isinstance(error, TooLargeError | TooSlowError):
        headers.append((b"connection", b"close"))  # what is left of the body is not the next request
    if isinstance(error, AccessError):
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodError):
        headers.append((b"allow", b"POST"))
    await respond(send, error.http_status, encode(error.as_dict()), _JSON, *headers)


def _check_count(count: int, most: int, what: str) -> None:
    if count > most:
        raise TooLargeError(
            expected=f"at most {most} {what}", found=str(count), where="the request body", fix="send them in parts"
        )


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(expected=f"at most {limit} bytes", found="more", where="the request body", fix="send less")


def _too_slow(seconds: float) -> TooSlowError:
    return TooSlowError(
        expected=f"a whole body within {seconds:g} s", found="less", where="the request body", fix="send it again"
    )


def _not_post(scope: Scope) -> MethodError:
    return MethodError(
        expected="POST", found=str(scope["method"]), where=f"the request line, {scope['path']}", fix="send a POST"
    )


def _is_lines(scope: Scope) -> bool:
    return any(name == b"content-type" and value.startswith(_LINES) for name, value in scope["headers"])


def _each_line(service: DecisionService, lines: list[bytes]) -> list[Any]:
    """A receipt or an error for every line; good lines share one commit."""
    verdicts: list[Any] = [None] * len(lines)
    good: dict[int, OutcomeRequest] = {}
    for number, line in enumerate(lines):
        try:
            good[number] = decode(line, OutcomeRequest)
        except TenureError as error:
            verdicts[number] = refused_line(error, number + 1, line)
    try:
        receipts = dict(zip(good, service.outcomes(list(good.values())), strict=True)) if good else {}
        return [receipts.get(number, verdict) for number, verdict in enumerate(verdicts)]
    except RequestError:  # one of them conflicts: each by itself
        return [_alone(service, good[n], n + 1, lines[n]) if n in good else v for n, v in enumerate(verdicts)]


def _alone(service: DecisionService, outcome: OutcomeRequest, number: int, line: bytes) -> Any:
    try:
        return service.outcomes([outcome])[0]
    except RequestError as error:
        return refused_line(error, number, line)
