"""The same client for asyncio: decisions are awaited, the spool is written in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from tenure.client.answer import Answer
from tenure.client.asking import Asking, question
from tenure.client.http import Manner
from tenure.core.decision import Kind


class AsyncDecisionClient:
    """Asks for decisions and reports outcomes of one problem, from one event loop.

    Args:
        url: where the server listens.
        problem: name of the problem.
        transport: of httpx, for tests.
        delivery: transport of the spool's own connection, for tests.
        sleep: waits between attempts; for tests.
        manner: token, fallback, spool and the like; see `Manner`.
    """

    def __init__(
        self,
        url: str,
        problem: str,
        transport: httpx.AsyncBaseTransport | None = None,
        delivery: httpx.BaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        **manner: Any,
    ) -> None:
        self._url, self._sleep, self._manner = f"{url.rstrip('/')}/v1/{problem}", sleep, Manner(**manner)
        self._http = httpx.AsyncClient(transport=transport, headers=self._manner.headers)
        self.waiting = self._manner.waiting(self._url, delivery)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def decide_one(self, unit_id: str, context: Mapping[str, Any], **optional: Any) -> Answer:
        """As `DecisionClient.decide_one`; here `patience_s` bounds an attempt as a whole.

        Raises:
            RequestError: the server refuses this request; it would refuse it again.
            StoreError: no usable answer, and neither a fallback nor an incumbent_action.
        """
        manner = self._manner
        asking = Asking(question(unit_id, context, **optional), manner.retry, manner.clock, manner.rng)
        while True:
            answer = await self._attempt(asking)
            if answer is not None:
                return answer
            pause = asking.pause()
            if pause is None:
                return await self._fall_back(asking)
            await self._sleep(pause)

    async def record(
        self,
        decision_id: str,
        signals: Mapping[str, float],
        *,
        outcome_id: str | None = None,
        observed_at: datetime | None = None,
        kind: Kind = Kind.OBSERVED,
    ) -> str:
        """As `DecisionClient.record`.

        Raises:
            RequestError: the client was made without a spool.
            StoreError: the disk refuses, or the spool is full.
        """
        moment = observed_at or self._manner.clock.now()
        return await asyncio.to_thread(self.waiting.outcome, decision_id, signals, outcome_id, moment, kind)

    async def flush(self) -> bool:
        """Deliver what waits in the spool; False when the server would not take it all now."""
        return await asyncio.to_thread(self.waiting.flush)

    async def close(self) -> None:
        """Deliver what can be, leave the rest on disk, and close the connections."""
        await asyncio.to_thread(self.waiting.close)
        await self._http.aclose()

    async def _attempt(self, asking: Asking) -> Answer | None:
        left = asking.send()
        try:
            async with asyncio.timeout(left):
                response = await self._http.post(
                    f"{self._url}/decisions",
                    content=asking.content,
                    headers={"content-type": "application/json"},
                    timeout=left,
                )
        except (httpx.TransportError, TimeoutError) as error:
            asking.broke(error)
            return None
        return asking.hear(response)

    async def _fall_back(self, asking: Asking) -> Answer:
        answer = asking.give_up(self._manner.fallback)
        self.waiting.warn(asking.shut)
        await asyncio.to_thread(self.waiting.fallback, asking.report(answer))
        return answer
