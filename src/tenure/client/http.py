"""A client of the decision server over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from tenure.core.errors import RequestError, StoreError

RETRIES = 3
"""Times a request is sent again, under the same ids, when the connection cannot be made or breaks."""
TIMEOUT_S = 10.0


class DecisionClient:
    """Asks for decisions and reports outcomes of one problem.

    Args:
        url: where the server listens, such as http://127.0.0.1:8080.
        problem: name of the problem.
        transport: of httpx, for tests.
    """

    def __init__(self, url: str, problem: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = f"{url.rstrip('/')}/v1/{problem}"
        self._http = httpx.Client(transport=transport, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    def _send(self, method: str, path: str, body: bytes, kind: str) -> httpx.Response:
        """The answer to a request; every one may be repeated, since all ids are given."""
        for attempt in range(RETRIES + 1):
            try:
                response = self._http.request(method, self._url + path, content=body, headers={"content-type": kind})
                break
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                if attempt == RETRIES:
                    raise self._silent(f"{type(error).__name__}: {error}") from error
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
