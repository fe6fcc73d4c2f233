"""One decision: asked for under one id, acted on only in time, the caller's own when nothing usable comes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenure.client import Answer, AsyncDecisionClient, DecisionClient, Retry
from tenure.core.clock import ManualClock
from tenure.core.errors import RequestError, StoreError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Reply = httpx.Response | Exception


def answered(request: httpx.Request, *, date: str = "Sun, 01 Mar 2026 12:00:00 GMT", **fields: Any) -> httpx.Response:
    body = {
        "decision_id": json.loads(request.content)["decision_id"], "label": "learned", "action": 1,
        "arm": "candidate", "stage": "full", "version": "v1", "propensity": 0.5, "confidence": 0.9,
        "reason": "candidate", "explored": False, "valid_until": "2026-03-01T12:00:30Z",
    }  # fmt: skip
    return httpx.Response(200, json={**body, **fields}, headers={"date": date})


@dataclass
class World:
    """A server that follows a script, a clock moved by hand, and both clients over them."""

    asynchronous: bool
    script: list[Callable[[httpx.Request], httpx.Response]]
    spool: Path | None = None
    repeat: int = 1
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    asked: list[dict[str, Any]] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    fallbacks: list[dict[str, Any]] = field(default_factory=list)

    def serve(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/fallbacks"):
            self.fallbacks += [json.loads(line) for line in request.content.splitlines()]
            return httpx.Response(200, text="\n".join('{"status": "created"}' for _ in request.content.splitlines()))
        assert request.url.path == "/v1/toy/decisions"
        self.headers = request.headers
        self.asked.append(json.loads(request.content))
        return self.script[min(len(self.asked), len(self.script)) - 1](request)

    def wait(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def wait_async(self, seconds: float) -> None:
        self.wait(seconds)

    def decide(self, fallback: Any = None, retry: Retry | None = None, **optional: Any) -> Answer:
        manner = {
            "clock": self.clock, "rng": random.Random(1), "fallback": fallback, "spool": self.spool,
            "retry": retry or Retry(), "token": "tnr_secret", "flush_every_s": 0.01,
        }  # fmt: skip
        transport = httpx.MockTransport(self.serve)
        if not self.asynchronous:
            with DecisionClient("http://test", "toy", transport, self.wait, **manner) as client:
                return [client.decide_one("u1", {"x": 1.0}, **optional) for _ in range(self.repeat)][-1]

        async def run() -> Answer:
            sleep = self.wait_async
            async with AsyncDecisionClient("http://test", "toy", transport, transport, sleep, **manner) as client:
                return [await client.decide_one("u1", {"x": 1.0}, **optional) for _ in range(self.repeat)][-1]

        return asyncio.run(run())


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Callable[..., World]:
    return lambda *script, **fields: World(request.param, list(script), **fields)


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def test_it_asks_with_what_was_given_and_the_token(make: Callable[..., World]) -> None:
    world = make(answered)
    answer = world.decide(decision_id="d1", incumbent_action="own", step=3)
    assert (answer.label, answer.action, answer.propensity, answer.is_fallback) == ("learned", 1, 0.5, False)
    assert world.asked == [
        {"decision_id": "d1", "unit_id": "u1", "context": {"x": 1.0}, "incumbent_action": "own", "step": 3}
    ]
    assert world.headers["authorization"] == "Bearer tnr_secret"


@pytest.mark.parametrize("trouble", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, 503, 429, 502])
def test_trouble_is_tried_again_under_the_same_id(make: Callable[..., World], trouble: Any) -> None:
    def bad(_: httpx.Request) -> httpx.Response:
        if isinstance(trouble, int):
            return httpx.Response(trouble)
        raise trouble("gone")

    world = make(bad, bad, answered)
    assert world.decide().label == "learned"
    assert len({one["decision_id"] for one in world.asked}) == 1
    assert len(world.asked) == 3


def test_pauses_are_jittered_under_a_ceiling_that_doubles(make: Callable[..., World]) -> None:
    world = make(away)
    world.decide(fallback=lambda _: "own")
    rng = random.Random(1)
    assert world.paused == [rng.random() * ceiling for ceiling in (0.05, 0.1, 0.2)]


def test_no_attempt_begins_after_the_callers_patience(make: Callable[..., World]) -> None:
    world = make(away)
    world.decide(fallback=lambda _: "own", retry=Retry(attempts=1000, first_s=0.5, patience_s=2.0))
    assert sum(world.paused) < 2.0
    assert len(world.asked) < 20


def test_an_unreachable_server_gives_the_callers_own_action_and_the_log_hears_of_it(
    make: Callable[..., World], tmp_path: Path
) -> None:
    world = make(away, spool=tmp_path)
    answer = world.decide(fallback=lambda context: f"own for {context['x']}", decision_id="d1")
    assert (answer.label, answer.arm, answer.reason) == ("own for 1.0", "fallback", "unreachable")
    assert (answer.propensity, answer.action) == (None, None)
    (told,) = world.fallbacks
    assert told["request"] == {"decision_id": "d1", "unit_id": "u1", "context": {"x": 1.0}}
    assert (told["action"], told["reason"]) == ("own for 1.0", "unreachable")


def test_the_action_named_in_the_request_stands_before_the_fallback(make: Callable[..., World]) -> None:
    assert make(away).decide(fallback=lambda _: "other", incumbent_action="own").label == "own"


def test_an_action_named_by_its_index_is_reported_by_its_index(make: Callable[..., World], tmp_path: Path) -> None:
    world = make(away, spool=tmp_path)
    answer = world.decide(incumbent_action=2)
    assert (answer.action, answer.label) == (2, "2")
    assert world.fallbacks[0]["action"] == 2


def test_with_neither_an_unreachable_server_is_an_error(make: Callable[..., World]) -> None:
    with pytest.raises(StoreError, match="ConnectError"):
        make(away).decide()


def test_an_answer_held_up_too_long_is_not_acted_on_but_asked_for_again(make: Callable[..., World]) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        world.clock.advance(timedelta(seconds=29))
        return answered(request, label="stale")

    world = make(slow, answered)
    answer = world.decide(retry=Retry(patience_s=60.0))
    assert answer.label == "learned"
    assert len(world.asked) == 2


def test_an_answer_that_only_ever_comes_too_late_is_never_acted_on(make: Callable[..., World], tmp_path: Path) -> None:
    def frozen(request: httpx.Request) -> httpx.Response:
        world.clock.advance(timedelta(minutes=10))
        return answered(request)  # with the Date of before it was frozen

    world = make(frozen, spool=tmp_path)
    answer = world.decide(fallback=lambda _: "own")
    assert (answer.label, answer.reason) == ("own", "expired")
    assert world.fallbacks[0]["reason"] == "expired"


def test_a_clock_years_off_voids_no_answer(make: Callable[..., World]) -> None:
    world = make(answered, clock=ManualClock(datetime(1999, 1, 1, tzinfo=UTC)))
    assert world.decide().label == "learned"


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_request_that_is_wrong_is_the_callers_error_at_once(make: Callable[..., World], status: int) -> None:
    world = make(lambda _: httpx.Response(status, text="why"))
    with pytest.raises(RequestError, match=f"status {status}: why"):
        world.decide(fallback=lambda _: "own")
    assert len(world.asked) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_door_that_is_shut_leaves_the_callers_own_action_at_once(make: Callable[..., World], status: int) -> None:
    world = make(lambda _: httpx.Response(status))
    answer = world.decide(fallback=lambda _: "own")
    assert (answer.label, answer.reason, len(world.asked)) == ("own", "refused", 1)


def test_a_wrong_problem_is_said_once_with_the_one_that_is_served(
    make: Callable[..., World], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = {"expected": "the problem 'bikes'", "found": "'toy'", "where": "path", "fix": "send to /v1/bikes/..."}
    world = make(lambda _: httpx.Response(404, json=said), repeat=3, spool=tmp_path)
    assert world.decide(fallback=lambda _: "own").reason == "refused"
    (record,) = caplog.records
    assert (record.name, record.levelname, len(world.asked)) == ("tenure.client", "WARNING", 3)
    for words in ("http://test/v1/toy", "expected the problem 'bikes'", "send to /v1/bikes/"):
        assert words in record.getMessage()


def test_a_server_that_is_away_is_no_wrong_setting(
    make: Callable[..., World], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(away, spool=tmp_path).decide(fallback=lambda _: "own")
    assert not caplog.records


@pytest.mark.parametrize("text", ["<html>", "[]", "{}", '{"valid_until": "soon"}', '{"valid_until": 3}'])
def test_something_else_that_listens_there_is_no_answer(make: Callable[..., World], text: str) -> None:
    world = make(lambda _: httpx.Response(200, text=text))
    assert world.decide(fallback=lambda _: "own").reason == "unreachable"


def test_a_context_that_is_no_json_is_refused_before_anything_is_sent(make: Callable[..., World]) -> None:
    world = make(answered)
    with pytest.raises(ValueError, match="JSON"):
        world.decide(decision_id=float("nan"))
    assert world.asked == []


def test_without_a_spool_a_fallback_is_counted_as_lost() -> None:
    with DecisionClient(
        "http://test", "toy", httpx.MockTransport(away), lambda _: None, fallback=lambda _: "own"
    ) as client:
        assert client.decide_one("u", {}).label == "own"
        assert client.waiting.lost == 1
        with pytest.raises(RequestError, match="spool"):
            client.record("d1", {"cost": 1.0})
        assert client.flush()
