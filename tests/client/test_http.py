"""The client: answers in order, one verdict per outcome, retries under one id, and clear words when nobody answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tenure.client import DecisionClient
from tenure.client.http import RETRIES
from tenure.core.errors import RequestError, StoreError

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, url: str = "http://test") -> DecisionClient:
    return DecisionClient(url, "toy", httpx.MockTransport(handler))


def test_it_asks_in_one_batch_and_gives_the_answers_in_order() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://test/v1/toy/decisions:batch"
        asked = json.loads(request.content)["decisions"]
        return httpx.Response(200, json={"answers": [{"decision_id": one["decision_id"]} for one in asked]})

    with client(answer, "http://test/") as asking:
        found = asking.decide([{"decision_id": "d1"}, {"decision_id": "d2"}])
    assert [answer["decision_id"] for answer in found] == ["d1", "d2"]


def test_a_request_without_id_gets_one_so_that_it_can_be_repeated() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.extend(one["decision_id"] for one in json.loads(request.content)["decisions"])
        if len(seen) < 3:
            raise httpx.ReadError("the connection broke")
        return httpx.Response(200, json={"answers": []})

    client(answer).decide([{"unit_id": "u"}])
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_outcomes_travel_by_line_and_get_a_verdict_each() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in request.content.splitlines()]
        return httpx.Response(200, text="\n".join(json.dumps({"outcome_id": one["outcome_id"]}) for one in lines))

    assert client(answer).report([{"outcome_id": "o1"}, {"outcome_id": "o2"}]) == [
        {"outcome_id": "o1"},
        {"outcome_id": "o2"},
    ]


def test_the_status_is_asked_of_the_problem_itself() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("GET", "/v1/toy")
        return httpx.Response(200, json={"control": {"stage": "full"}})

    assert client(answer).status() == {"control": {"stage": "full"}}


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
def test_a_broken_connection_is_tried_again_and_then_a_store_error(error: type[httpx.TransportError]) -> None:
    tries: list[int] = []

    def broken(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        raise error("gone")

    with pytest.raises(StoreError, match="tenure serve") as caught:
        client(broken).status()
    assert len(tries) == RETRIES + 1
    assert error.__name__ in caught.value.found


def test_a_server_that_is_too_slow_is_not_asked_again() -> None:
    tries: list[int] = []

    def slow(_: httpx.Request) -> httpx.Response:
        tries.append(1)
        raise httpx.ReadTimeout("10 s passed")

    with pytest.raises(StoreError, match="ReadTimeout"):
        client(slow).decide([{}])
    assert len(tries) == 1


@pytest.mark.parametrize(("status", "error"), [(404, RequestError), (422, RequestError), (307, RequestError)])
def test_a_refused_batch_is_the_callers_error(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"status {status}: why"):
        client(lambda _: httpx.Response(status, text="why")).decide([{}])


def test_a_server_error_is_a_store_error() -> None:
    with pytest.raises(StoreError, match="status 503"):
        client(lambda _: httpx.Response(503, text="away")).report([{}])


def test_another_program_that_listens_there_is_told_apart() -> None:
    with pytest.raises(StoreError, match="something else listens"):
        client(lambda _: httpx.Response(200, text="<html>")).status()


def test_the_connection_closes_with_the_client() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={})

    with client(answer) as asking:
        asking.status()
    with pytest.raises(RuntimeError, match="closed"):
        asking.status()


def test_what_is_not_json_is_not_sent() -> None:
    never: Any = object()
    with pytest.raises(TypeError):
        client(lambda _: httpx.Response(200)).decide([{"context": never}])
