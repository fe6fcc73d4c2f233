"""A world driven through a server: requests and outcomes carry replayed time, refusals stop the replay."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from tenure.client import DecisionClient, drive
from tenure.core.errors import RequestError
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.simulator import Panel, Step
from tenure.core.spaces import Discrete, Feature

START = datetime(2011, 10, 1, 22, tzinfo=UTC)
PROBLEM = Problem(
    name="toy",
    about="for tests",
    observation=(Feature("x", "m"),),
    action=Discrete(("a", "b")),
    signals=(Signal("cost", "$", 0, 100),),
    reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)


class Counting:
    """The state counts the actions taken; the cost is the state."""

    def observe(self, state: Any) -> Any:
        return np.asarray(state, dtype=np.float32)[:, None]

    def step(self, state: Any, action: Any, rng: np.random.Generator) -> Step:
        after = state + action
        return Step(after, {"cost": after.astype(float)}, np.zeros(len(state), dtype=bool))


class Server:
    """Says b to the first world and a to all others, and remembers what it got."""

    def __init__(self, verdict: dict[str, Any] | None = None) -> None:
        self.decisions: list[dict[str, Any]] = []
        self.outcomes: list[dict[str, Any]] = []
        self.verdict = verdict or {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("outcomes"):
            lines = [json.loads(line) for line in request.content.splitlines()]
            self.outcomes += lines
            return httpx.Response(200, text="\n".join(json.dumps(self.verdict) for _ in lines))
        asked = json.loads(request.content)["decisions"]
        self.decisions += asked
        return httpx.Response(200, json={"answers": [{"action": int(one["episode_id"] == "w1")} for one in asked]})


class Masked(Counting):
    """Forbids b where two actions were taken."""

    def mask(self, state: Any) -> Any:
        return np.stack([np.ones(len(state), dtype=bool), state < 2], axis=1)


def run(server: Server, world: Any = None, interval: timedelta = timedelta(hours=1), **options: Any) -> list[datetime]:
    panel = Panel(np.zeros(2, dtype=int), 4, ("w1", "w2"), START, interval)
    simulator: Any = world or Counting()
    with DecisionClient("http://test", "toy", httpx.MockTransport(server)) as client:
        return list(drive(client, PROBLEM, simulator, panel, **options))


def test_every_midnight_and_the_end_are_handed_back() -> None:
    assert run(Server()) == [datetime(2011, 10, 2, tzinfo=UTC), datetime(2011, 10, 2, 2, tzinfo=UTC)]


def test_requests_carry_place_day_and_replayed_time() -> None:
    server = Server()
    run(server)
    assert len(server.decisions) == 8
    assert server.decisions[4] == {
        "decision_id": "w1/2011-10-02T00",
        "unit_id": "w1/2011-10-02",
        "episode_id": "w1",
        "step": 2,
        "at": "2011-10-02T00:00:00.000000Z",
        "context": {"x": 2.0},
    }


def test_decisions_within_an_hour_have_names_of_their_own_and_a_day_begins_once() -> None:
    server = Server()
    midnights = run(server, interval=timedelta(minutes=60 + 20))
    assert [one["decision_id"] for one in server.decisions[::2]] == [
        "w1/2011-10-01T22",
        "w1/2011-10-01T23:20",
        "w1/2011-10-02T00:40",
        "w1/2011-10-02T02",
    ]
    assert midnights == [datetime(2011, 10, 2, 0, 40, tzinfo=UTC), datetime(2011, 10, 2, 3, 20, tzinfo=UTC)]


def test_decisions_many_times_a_second_have_names_of_their_own() -> None:
    server = Server()
    run(server, interval=timedelta(milliseconds=20))
    names = [one["decision_id"] for one in server.decisions[::2]]
    assert names[:2] == ["w1/2011-10-01T22", "w1/2011-10-01T22:00:00.020000"]
    assert len(set(names)) == 4


def test_requests_carry_the_mask_of_a_simulator_that_has_one() -> None:
    server = Server()
    run(server, Masked())
    assert [one["mask"] for one in server.decisions[::2]] == [[True, True], [True, True], [True, False], [True, False]]


def test_outcomes_are_what_the_answers_led_to_one_interval_later() -> None:
    server = Server()
    states: list[Any] = []
    run(server, after_step=states.append)
    assert [one["signals"]["cost"] for one in server.outcomes] == [1, 0, 2, 0, 3, 0, 4, 0]
    assert server.outcomes[0]["observed_at"] == "2011-10-01T23:00:00.000000Z"
    assert server.outcomes[0]["decision_id"] == server.decisions[0]["decision_id"]
    assert [state.tolist() for state in states] == [[1, 0], [2, 0], [3, 0], [4, 0]]


def test_a_refused_outcome_stops_the_replay() -> None:
    with pytest.raises(RequestError, match="2 of 2 refused"):
        run(Server({"error": "RequestError"}))
