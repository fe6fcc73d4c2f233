"""The application: hot paths go to `hot`, everything else to the control API beside it."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenure.core.errors import RequestError, TenureError
from tenure.serving.access import Access, OpenAccess
from tenure.serving.behind import Shadow
from tenure.serving.hot import APP, ASGIApp, Hot, Receive, Scope, Send
from tenure.serving.service import DecisionService
from tenure.serving.wire import encode


class App:
    """One server's application; its threads start before and end after those of what is mounted beside the hot paths.

    Args:
        service: decides.
        access: says who may ask.
        rest: takes every request that is not on a hot path, and hears of start and stop.
    """

    def __init__(self, service: DecisionService, access: Access, rest: ASGIApp) -> None:
        self.service, self._rest = service, rest
        self.hot = Hot(service, access)
        self.shadow: Shadow | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live through start and stop."""
        if scope["type"] == "http" and scope["path"] in self.hot.paths:
            await self.hot(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._rest({**scope, APP: self}, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(self._warm)
        self.hot.open()
        self.shadow = Shadow(self.service)

        async def told(message: Any) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await self._close()
            await send(message)

        await self._rest(scope, receive, told)

    def _warm(self) -> None:
        """Load the candidate before the first request waits for it; one that cannot be loaded is for `choose`."""
        version = self.service.standing.control()[0].version
        if version is not None:
            try:
                self.service.chooser.policy(version)
            except Exception:  # whatever a loader raises, the incumbent answers
                self.service.counters["not_warm"] += 1

    async def _close(self) -> None:
        """Answer what has come, write the shadow of it, move what is spooled."""
        await asyncio.to_thread(self.hot.close)
        if self.shadow is not None:
            await asyncio.to_thread(self.shadow.close)
        await asyncio.to_thread(self.service.away.drain)


def create_app(service: DecisionService, *, access: Access | None = None, rest: ASGIApp | None = None) -> App:
    """The application for one problem's service.

    Args:
        service: decides.
        access: says who may ask; everybody by default, which suits loopback only.
        rest: takes what is not on a hot path; by default the status alone.
    """
    return App(service, access or OpenAccess(), rest or status_app(service))


def status_app(service: DecisionService) -> Starlette:
    """Where the problem stands, and nothing else."""

    async def status(request: Request) -> Response:
        if request.path_params["problem"] != service.problem.name:
            raise HTTPException(404)
        control = await run_in_threadpool(service.store.control, service.problem.name)
        failures = dict(service.chooser.failures)
        return _json({"control": control, "counters": dict(service.counters), "failures": failures})

    async def health(_: Request) -> Response:
        return _json({"status": "ok"})

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, TenureError)
        return _json(error.as_dict(), error.http_status)

    async def no_route(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        body = RequestError(
            expected=f"GET /healthz; of the problem {service.problem.name!r} GET /v1/{service.problem.name}, or POST "
            "to its decisions, decisions:batch or outcomes",
            found=f"{request.method} {request.url.path}",
            where="the request line",
            fix="see docs/serving.md",
        )
        return _json(body.as_dict(), error.status_code)

    return Starlette(
        routes=[Route("/healthz", health), Route("/v1/{problem}", status)],
        exception_handlers={TenureError: refused, HTTPException: no_route},
    )


def _json(content: Any, status: int = 200) -> Response:
    return Response(encode(content), status, media_type="application/json")
