"""The application driven in process: httpx over ASGI, on one event loop, with the lifespan around it."""

from __future__ import annotations

import asyncio
from typing import Any, Self

import httpx
from starlette.applications import Starlette


class Http:
    """A client of an application that runs in this thread."""

    def __init__(self, app: Starlette) -> None:
        self._loop = asyncio.Runner()
        self._lifespan = app.router.lifespan_context(app)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    def __enter__(self) -> Self:
        self._loop.run(self._enter())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._exit())
        self._loop.close()

    def get(self, path: str) -> httpx.Response:
        return self._loop.run(self._client.get(path))

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self._loop.run(self._client.post(path, **body))

    async def _enter(self) -> None:
        await self._lifespan.__aenter__()

    async def _exit(self) -> None:
        await self._client.aclose()
        await self._lifespan.__aexit__(None, None, None)
