"""Everything the server answers beside the hot path: routes made from the table of operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenure.core.errors import RequestError, TenureError, UnknownError
from tenure.serving.access import check_csrf
from tenure.serving.api.desk import Desk
from tenure.serving.api.operation import JSON_REFUSALS, Call, Operation
from tenure.serving.api.table import OPERATIONS
from tenure.serving.hot import TooLargeError, TooSlowError, read_body


class IdConvertor(Convertor[str]):
    """A part of a path that may hold anything; ids are the clients' own, with slashes and line ends."""

    regex = r"(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", IdConvertor())

BODY_WITHIN_S = 10.0
SLOW_BODY_WITHIN_S = 120.0
"""Seconds a body may take; the second where bundles are uploaded."""

HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Of every answer: no script runs, nothing is fetched from elsewhere, framed, guessed at or kept."""


def rest_app(desk: Desk, pages: Sequence[Operation] = ()) -> ASGIApp:
    """The application for what is not hot.

    Args:
        desk: what the operations work on.
        pages: operations of rooms above this one.
    """
    desk.service.seen = desk.metrics.update
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in (*OPERATIONS, *pages):
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes = [Route(path, _endpoint(desk, methods), methods=list(methods)) for path, methods in by_path.items()]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
    app.router.redirect_slashes = False  # an address has one form
    return _with_headers(app)


def _endpoint(desk: Desk, methods: dict[str, Operation]) -> Any:
    async def endpoint(request: Request) -> Response:
        operation = methods["GET" if request.method == "HEAD" else request.method]
        try:
            return await _answer(desk, operation, request)
        except TenureError as error:
            return _refused(operation, error)

    return endpoint


def _refused(operation: Operation, error: TenureError) -> Response:
    response = operation.refusals.answer(error)
    if isinstance(error, TooLargeError | TooSlowError):
        response.headers["connection"] = "close"  # what is left of the body is not the next request
    if response.status_code == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


async def _answer(desk: Desk, operation: Operation, request: Request) -> Response:
    """Who asks, before what they ask: a body is read only of those who may send one."""
    principal = desk.access.permit(request.scope, operation.role)
    _check_path(desk, request)
    within_s = BODY_WITHIN_S if operation.media != "binary" else SLOW_BODY_WITHIN_S
    body = await read_body(request.receive, operation.largest, within_s)
    query = operation.queried(request.scope["query_string"])
    call = Call(desk, principal, request.path_params, query, operation.decoded(body), request.scope)
    if operation.guarded:
        check_csrf(principal, call.body.csrf)
    return await run_in_threadpool(_done, operation, call)


def _done(operation: Operation, call: Call) -> Response:
    if operation.handler is None:
        raise UnknownError(
            expected="the decision server before this application",
            found="this application alone",
            where=call.scope["path"],
            fix="mount it with tenure.serving.create_app(service, rest=...)",
        )
    found = operation.handler(call)
    if isinstance(found, Response):
        return found
    body = b"" if found is None else msgspec.json.encode(found)
    return Response(body, operation.status, media_type=operation.answers if body else None)


def _check_path(desk: Desk, request: Request) -> None:
    """This server has one problem, and no database takes a NUL in a text."""
    asked = request.path_params.get("problem", desk.problem)
    if asked != desk.problem or any("\x00" in part for part in request.path_params.values()):
        raise UnknownError(
            expected=f"the problem {desk.problem!r}",
            found=repr(asked),
            where="the request's path",
            fix=f"send to /v1/{desk.problem}/...",
        )


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = RequestError(
        expected="an operation of /openapi.json",
        found=f"{request.method} {request.url.path}",
        where="the request line",
        fix="see docs/serving.md",
    )
    response = JSON_REFUSALS.answer(refused)
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def secured(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await app(scope, receive, with_headers)

    return secured
