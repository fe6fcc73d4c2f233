"""The application driven in process: httpx over ASGI, on one event loop, with the lifespan around it."""

from __future__ import annotations

import asyncio
from typing import Any, Self

import httpx

from tenure.serving.hot import ASGIApp


class Http:
    """A client of an application that runs in this thread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    def __enter__(self) -> Self:
        self._loop.run(self._enter())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._exit())
        self._loop.close()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._loop.run(self._client.get(path, **more))

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self._loop.run(self._client.post(path, **body))

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._loop.run(self._client.request(method, path, **more))

    async def _enter(self) -> None:
        self._said: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self._life = asyncio.ensure_future(self._app(scope, self._said.get, self._heard.put))
        await self._say("startup")

    async def _exit(self) -> None:
        await self._client.aclose()
        await self._say("shutdown")
        await self._life

    async def _say(self, word: str) -> None:
        await self._said.put({"type": f"lifespan.{word}"})
        assert (await self._heard.get())["type"] == f"lifespan.{word}.complete"
