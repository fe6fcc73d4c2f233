"""The HTTP face of the decision service: plain Starlette routes, JSON by msgspec."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tenure.core.errors import RequestError, TenureError, UnknownError
from tenure.serving.behind import GroupCommitter, Shadow
from tenure.serving.service import DecisionService
from tenure.serving.wire import DecisionBatch, DecisionRequest, OutcomeRequest, decode, encode

LARGEST_BODY = 64 * 1024
"""Bytes of one decision or outcome."""
LARGEST_BATCH = 1024 * 1024
"""Bytes of a batch."""
BODY_TIMEOUT_S = 10.0


def create_app(service: DecisionService) -> Starlette:
    """The application for one problem's service; its threads start and stop with it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.committer, shadow = GroupCommitter(service.decide), Shadow(service)
        try:
            yield
        finally:
            await run_in_threadpool(app.state.committer.close)
            await run_in_threadpool(shadow.close)

    app = Starlette(
        routes=[
            Route("/healthz", _health),
            Route("/v1/{problem}", _status),
            Route("/v1/{problem}/decisions", _decision, methods=["POST"]),
            Route("/v1/{problem}/decisions:batch", _decisions, methods=["POST"]),
            Route("/v1/{problem}/outcomes", _outcomes, methods=["POST"]),
        ],
        lifespan=lifespan,
        exception_handlers={TenureError: _refused, HTTPException: _no_route},
    )
    app.state.service = service
    return app


async def _decision(request: Request) -> Response:
    _service(request)
    body = decode(await _body(request, LARGEST_BODY), DecisionRequest)
    (answer,) = await asyncio.wrap_future(request.app.state.committer.submit([body]))
    return _refusal(answer) if isinstance(answer, TenureError) else _json(answer)


async def _decisions(request: Request) -> Response:
    _service(request)
    body = decode(await _body(request, LARGEST_BATCH), DecisionBatch)
    answers = await asyncio.wrap_future(request.app.state.committer.submit(body.decisions))
    return _json({"answers": [a.as_dict() if isinstance(a, TenureError) else a for a in answers]})


async def _outcomes(request: Request) -> Response:
    """One outcome as JSON, or one per line as NDJSON with one verdict per line."""
    service, lines = _service(request), request.headers.get("content-type", "").startswith("application/x-ndjson")
    body = await _body(request, LARGEST_BATCH if lines else LARGEST_BODY)
    if not lines:
        (receipt,) = await run_in_threadpool(service.outcomes, [decode(body, OutcomeRequest)])
        return _json(receipt)
    verdicts = await run_in_threadpool(_each_line, service, body.splitlines())
    return Response(b"\n".join(map(encode, verdicts)), media_type="application/x-ndjson")


def _each_line(service: DecisionService, lines: list[bytes]) -> list[Any]:
    """A receipt or an error for every line; good lines share one commit."""
    verdicts: list[Any] = [None] * len(lines)
    good: dict[int, OutcomeRequest] = {}
    for number, line in enumerate(lines):
        try:
            good[number] = decode(line, OutcomeRequest)
        except TenureError as error:
            verdicts[number] = error.as_dict()
    try:
        receipts = dict(zip(good, service.outcomes(list(good.values())), strict=True))
        return [receipts.get(number, verdict) for number, verdict in enumerate(verdicts)]
    except RequestError:  # one of them conflicts: each by itself
        return [_alone(service, good[n]) if n in good else verdict for n, verdict in enumerate(verdicts)]


def _alone(service: DecisionService, outcome: OutcomeRequest) -> Any:
    try:
        return service.outcomes([outcome])[0]
    except RequestError as error:
        return error.as_dict()


async def _status(request: Request) -> Response:
    """Where the problem stands."""
    service = _service(request)
    control = await run_in_threadpool(service.store.control, service.problem.name)
    return _json({"control": control, "counters": dict(service.counters), "failures": dict(service.chooser.failures)})


async def _health(_: Request) -> Response:
    return _json({"status": "ok"})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, TenureError)
    return _refusal(error)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = RequestError(
        expected="GET /healthz, GET /v1/{problem}, or POST to its decisions, decisions:batch or outcomes",
        found=f"{request.method} {request.url.path}",
        where="the request line",
        fix="see README, section 'Over HTTP'",
    )
    return Response(encode(body.as_dict()), error.status_code, error.headers, media_type="application/json")


def _refusal(error: TenureError) -> Response:
    return Response(encode(error.as_dict()), error.http_status, media_type="application/json")


def _json(content: Any) -> Response:
    return Response(encode(content), media_type="application/json")


def _service(request: Request) -> DecisionService:
    service: DecisionService = request.app.state.service
    if request.path_params["problem"] != service.problem.name:
        raise UnknownError(
            expected=f"the problem {service.problem.name!r}",
            found=repr(request.path_params["problem"]),
            where="the request's path",
            fix=f"send to /v1/{service.problem.name}/...",
        )
    return service


class TooLargeError(RequestError):
    http_status = 413


class TooSlowError(RequestError):
    http_status = 408


async def _body(request: Request, limit: int) -> bytes:
    """The body, if it ends in time and within its limit."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise TooLargeError(
                        expected=f"at most {limit} bytes", found="more", where="the request body", fix="send less"
                    )
    except (TimeoutError, ClientDisconnect) as error:
        raise TooSlowError(
            expected=f"a whole body within {BODY_TIMEOUT_S:.0f} s", found="less", where="the request body", fix="resend"
        ) from error
    return b"".join(chunks)
