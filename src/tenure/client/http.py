"""A client of the decision server over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from tenure.core.errors import RequestError, StoreError

RETRIES = 3
"""Times a request is sent again, under the same ids, when the connection breaks."""
TIMEOUT_S = 10.0


class DecisionClient:
    """Asks for decisions and reports outcomes of one problem.

    Args:
        url: where the server listens, such as http://127.0.0.1:8080.
        problem: name of the problem.
        transport: of httpx, for tests.
    """

    def __init__(self, url: str, problem: str, transport: httpx.BaseTransport | None = None) -> None:
        transport = transport or httpx.HTTPTransport(retries=RETRIES)
        self._http = httpx.Client(base_url=f"{url}/v1/{problem}", transport=transport, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def decide(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answers in order; a refused request has the key `error`.

        Raises:
            RequestError: the whole batch was refused.
            StoreError: no server answers.
        """
        answers: list[dict[str, Any]] = self._post("decisions:batch", {"decisions": list(requests)}).json()["answers"]
        return answers

    def report(self, outcomes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One verdict per outcome, in order; a refused one has the key `error`.

        Raises:
            StoreError: no server answers.
        """
        lines = "\n".join(json.dumps(outcome) for outcome in outcomes)
        response = self._send("outcomes", lines.encode(), "application/x-ndjson")
        return [json.loads(line) for line in response.text.splitlines()]

    def status(self) -> dict[str, Any]:
        """Where the problem stands."""
        found: dict[str, Any] = self._http.get("").json()
        return found

    def _post(self, path: str, body: Any) -> httpx.Response:
        return self._send(path, json.dumps(body).encode(), "application/json")

    def _send(self, path: str, body: bytes, kind: str) -> httpx.Response:
        try:
            response = self._http.post(f"/{path}", content=body, headers={"content-type": kind})
        except httpx.TransportError as error:
            raise StoreError(
                expected="an answer of the decision server",
                found=f"{type(error).__name__}: {error}",
                where=str(self._http.base_url),
                fix="let the incumbent decide, and start the server with `tenure serve`",
            ) from error
        if response.is_error:
            raise RequestError(
                expected="a request the server can answer",
                found=f"status {response.status_code}: {response.text[:300]}",
                where=str(response.url),
                fix="see the server's message",
            )
        return response
