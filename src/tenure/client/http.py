"""A client of the decision server over HTTP."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tenure.client.answer import Answer
from tenure.client.asking import Asking, Fallback, Retry, question
from tenure.client.waiting import Waiting
from tenure.core.clock import Clock, SystemClock
from tenure.core.decision import Kind
from tenure.core.errors import RequestError, StoreError

RETRIES = 3
"""Times a batch is sent again, under the same ids, when the connection cannot be made or breaks."""
TIMEOUT_S = 10.0
"""Of a batch, a report or a status; one decision has `Retry.patience_s`."""


@dataclass(frozen=True)
class Manner:
    """How a client behaves when things go wrong; the defaults suit most services.

    Args:
        token: sent as bearer token.
        fallback: from a context to the label the caller's own system would take; without one, `incumbent_action` of
            the request stands in, and without either an unreachable server is a StoreError.
        spool: folder in which outcomes and fallbacks wait for the server; survives crashes, may be shared by processes.
        retry: of one decision.
        flush_every_s: seconds between two deliveries in the background.
        clock: monotonic for spans.
        rng: of the pauses between attempts.
    """

    token: str | None = None
    fallback: Fallback | None = None
    spool: Path | None = None
    retry: Retry = field(default_factory=Retry)
    flush_every_s: float = 1.0
    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.Random)

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}

    def waiting(self, base: str, transport: httpx.BaseTransport | None) -> Waiting:
        """The spool with a connection of its own."""
        http = httpx.Client(transport=transport, timeout=TIMEOUT_S, headers=self.headers)
        return Waiting(base, self.spool, http, self.flush_every_s, self.rng)


class DecisionClient:
    """Asks for decisions and reports outcomes of one problem. Threads may share it; after a fork make another.

    Args:
        url: where the server listens, such as http://127.0.0.1:8080.
        problem: name of the problem.
        transport: of httpx, for tests.
        sleep: waits between attempts; for tests.
        manner: token, fallback, spool and the like; see `Manner`.
    """

    def __init__(
        self,
        url: str,
        problem: str,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        **manner: Any,
    ) -> None:
        self._url, self._sleep, self._manner = f"{url.rstrip('/')}/v1/{problem}", sleep, Manner(**manner)
        self._http = httpx.Client(transport=transport, timeout=TIMEOUT_S, headers=self._manner.headers)
        self.waiting = self._manner.waiting(self._url, transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decide_one(self, unit_id: str, context: Mapping[str, Any], **optional: Any) -> Answer:
        """One decision: the server's while it can be acted on, else the caller's own, which the log is told later.

        An attempt may spend what is left of `patience_s` on each of connecting, sending and waiting for the next byte.

        Args:
            unit_id: who or what it is for.
            context: the features by name.
            optional: decision_id, episode_id, step, mask, incumbent_action, at; as the server's request has them.

        Raises:
            RequestError: the server refuses this request; it would refuse it again.
            StoreError: no usable answer, and neither a fallback nor an incumbent_action.
        """
        asking = Asking(question(unit_id, context, **optional), *self._ways)
        while True:
            answer = self._attempt(asking)
            if answer is not None:
                return answer
            pause = asking.pause()
            if pause is None:
                return self._fall_back(asking)
            self._sleep(pause)

    def record(
        self,
        decision_id: str,
        signals: Mapping[str, float],
        *,
        outcome_id: str | None = None,
        observed_at: datetime | None = None,
        kind: Kind = Kind.OBSERVED,
    ) -> str:
        """Report an outcome by way of the spool: durable on return, delivered behind; returns the outcome's id.

        Raises:
            RequestError: the client was made without a spool.
            StoreError: the disk refuses, or the spool is full.
        """
        moment = observed_at or self._manner.clock.now()
        return self.waiting.outcome(decision_id, signals, outcome_id, moment, kind)

    def flush(self) -> bool:
        """Deliver what waits in the spool; False when the server would not take it all now."""
        return self.waiting.flush()

    def close(self) -> None:
        """Deliver what can be, leave the rest on disk, and close the connections."""
        self.waiting.close()
        self._http.close()

    def decide(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answers in order; a refused request has the key `error`. A request without an id gets one here.

        Raises:
            RequestError: the whole batch was refused.
            StoreError: no server answers.
        """
        named = [{"decision_id": uuid.uuid4().hex, **request} for request in requests]
        body = json.dumps({"decisions": named}).encode()
        answers: list[dict[str, Any]] = _json(self._send("POST", "/decisions:batch", body, "application/json"))[
            "answers"
        ]
        return answers

    def report(self, outcomes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One verdict per outcome, in order; a refused one has the key `error`.

        Raises:
            StoreError: no server answers.
        """
        lines = "\n".join(json.dumps(outcome) for outcome in outcomes)
        response = self._send("POST", "/outcomes", lines.encode(), "application/x-ndjson")
        return [json.loads(line) for line in response.text.splitlines()]

    def status(self) -> dict[str, Any]:
        """Where the problem stands.

        Raises:
            RequestError: the server does not know the problem.
            StoreError: no server answers.
        """
        found: dict[str, Any] = _json(self._send("GET", "", b"", "application/json"))
        return found

    @property
    def _ways(self) -> tuple[Retry, Clock, random.Random]:
        return self._manner.retry, self._manner.clock, self._manner.rng

    def _attempt(self, asking: Asking) -> Answer | None:
        try:
            response = self._http.post(
                f"{self._url}/decisions",
                content=asking.content,
                headers={"content-type": "application/json"},
                timeout=asking.send(),
            )
        except httpx.TransportError as error:
            asking.broke(error)
            return None
        return asking.hear(response)

    def _fall_back(self, asking: Asking) -> Answer:
        answer = asking.give_up(self._manner.fallback)
        self.waiting.warn(asking.shut)
        self.waiting.fallback(asking.report(answer))
        return answer

    def _send(self, method: str, path: str, body: bytes, kind: str) -> httpx.Response:
        """The answer to a request; every one may be repeated, since all ids are given."""
        for attempt in range(1, RETRIES + 2):
            try:
                response = self._http.request(method, self._url + path, content=body, headers={"content-type": kind})
                break
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                if attempt > RETRIES:
                    raise self._silent(f"{type(error).__name__}: {error}") from error
                self._sleep(self._manner.retry.pause_s(attempt, self._manner.rng))
            except httpx.TransportError as error:
                raise self._silent(f"{type(error).__name__}: {error}") from error
        if response.is_server_error:
            raise self._silent(f"status {response.status_code}: {response.text[:300]}")
        if not response.is_success:
            raise RequestError(
                expected="a request the server can answer",
                found=f"status {response.status_code}: {response.text[:300]}",
                where=str(response.url),
                fix="see the server's message",
            )
        return response

    def _silent(self, found: str) -> StoreError:
        return StoreError(
            expected="an answer of the decision server",
            found=found,
            where=self._url,
            fix="let the incumbent decide, and start the server with `tenure serve`",
        )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise StoreError(
            expected="JSON from the decision server",
            found=f"{response.text[:100]!r}",
            where=str(response.url),
            fix="check the address: something else listens there",
        ) from error
