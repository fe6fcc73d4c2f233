"""The HTTP face: right status, clear errors, nothing lost or logged for what was refused, never a 5xx for bad input."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.core.errors import RequestError
from tenure.serving import DecisionRequest, create_app
from tenure.serving.wire import LARGEST_BATCH, LARGEST_BODY, decode

from .conftest import Make
from .http import Http
from .toy import Fixed, World

GOOD = {"decision_id": "d1", "unit_id": "u1", "context": {"x": 2.0, "y": 3.0}}


@pytest.fixture
def http(world: World) -> Iterator[Http]:
    with Http(create_app(world.service)) as client:
        yield client


def post(http: Http, path: str, body: bytes | str, kind: str = "application/json") -> Any:
    return http.post(path, content=body, headers={"content-type": kind})


def refused(response: Any, status: int) -> dict[str, str]:
    assert response.status_code == status
    error: dict[str, str] = response.json()
    assert set(error) == {"error", "expected", "found", "where", "fix"}
    assert all(error.values())
    return error


def test_a_decision_is_answered_and_in_the_log(http: Http, world: World) -> None:
    answer = http.post("/v1/toy/decisions", json=GOOD).json()
    assert answer == {
        "decision_id": "d1",
        "action": 1,
        "label": "b",
        "arm": "candidate",
        "stage": "full",
        "version": "v1",
        "propensity": 1.0,
        "confidence": 0.5,
        "reason": "candidate",
        "explored": False,
        "valid_until": "2011-10-01T12:00:30.000000Z",
    }
    assert world.row().action == 1
    assert http.post("/v1/toy/decisions", json=GOOD).json() == answer
    assert world.count() == 1


CASES = {
    "empty": b"",
    "truncated": b'{"unit_id": "u1", "context": {"x": 2.0',
    "garbage": b"\x00\x01\x02",
    "not UTF-8": b'{"unit_id": "\xff", "context": {"x": 2.0}}',
    "half a surrogate": rb'{"unit_id": "\ud800", "context": {"x": 2.0}}',
    "a list": b"[]",
    "deep": b"[" * 60_000,
    "deep inside": b'{"unit_id": "u1", "context": {"x": ' + b"[" * 60_000,
    "not a number": b'{"unit_id": "u1", "context": {"x": NaN}}',
    "infinity": b'{"unit_id": "u1", "context": {"x": Infinity}}',
    "too large a number": b'{"unit_id": "u1", "context": {"x": 1e999}}',
    "null": b'{"unit_id": "u1", "context": {"x": null}}',
    "text for a number": b'{"unit_id": "u1", "context": {"x": "2"}}',
    "out of bounds": b'{"unit_id": "u1", "context": {"x": 11}}',
    "unknown field": b'{"unit_id": "u1", "context": {"x": 2}, "extra": 1}',
    "unknown feature": b'{"unit_id": "u1", "context": {"x": 2, "z": 2}}',
    "missing feature": b'{"unit_id": "u1", "context": {}}',
    "no unit": b'{"context": {"x": 2}}',
    "empty unit": b'{"unit_id": "", "context": {"x": 2}}',
    "empty id": b'{"unit_id": "u1", "decision_id": "", "context": {"x": 2}}',
    "endless id": b'{"unit_id": "u1", "decision_id": "' + b"a" * 257 + b'", "context": {"x": 2}}',
    "step beyond 64 bits": b'{"unit_id": "u1", "step": 9223372036854775808, "context": {"x": 2}}',
    "negative step": b'{"unit_id": "u1", "step": -1, "context": {"x": 2}}',
    "mask of numbers": b'{"unit_id": "u1", "context": {"x": 2}, "mask": [1, 1, 1, 1]}',
    "short mask": b'{"unit_id": "u1", "context": {"x": 2}, "mask": [true]}',
    "mask without an action": b'{"unit_id": "u1", "context": {"x": 2}, "mask": [false, false, false, false]}',
    "unknown action": b'{"unit_id": "u1", "context": {"x": 2}, "incumbent_action": "e"}',
    "no action": b'{"unit_id": "u1", "context": {"x": 2}, "incumbent_action": true}',
    "no time": b'{"unit_id": "u1", "context": {"x": 2}, "at": "now"}',
}


@pytest.mark.parametrize("body", CASES.values(), ids=list(CASES))
def test_a_bad_body_is_422_with_what_where_and_what_to_do(http: Http, world: World, body: bytes) -> None:
    refused(post(http, "/v1/toy/decisions", body), 422)
    assert world.count() == 0


def test_the_same_id_with_another_body_is_409(http: Http) -> None:
    http.post("/v1/toy/decisions", json=GOOD)
    assert refused(http.post("/v1/toy/decisions", json=GOOD | {"unit_id": "u2"}), 409)["error"] == "ConflictError"


@pytest.mark.parametrize("path", ["decisions", "decisions:batch", "outcomes"])
def test_another_problem_is_404_whatever_the_body(http: Http, path: str) -> None:
    assert "'toy'" in refused(post(http, f"/v1/other/{path}", b"garbage"), 404)["expected"]


def test_another_path_or_method_is_told_what_there_is(http: Http) -> None:
    assert "GET /healthz" in refused(http.get("/v2"), 404)["expected"]
    response = http.get("/v1/toy/decisions")
    refused(response, 405)
    assert "POST" in response.headers["allow"]


@pytest.mark.parametrize(
    ("path", "limit", "kind"),
    [
        ("decisions", LARGEST_BODY, "application/json"),
        ("outcomes", LARGEST_BODY, "application/json"),
        ("outcomes", LARGEST_BATCH, "application/x-ndjson"),
        ("decisions:batch", LARGEST_BATCH, "application/json"),
    ],
)
def test_a_body_beyond_the_limit_is_413(http: Http, path: str, limit: int, kind: str) -> None:
    assert str(limit) in refused(post(http, f"/v1/toy/{path}", b" " * (limit + 1), kind), 413)["expected"]


def test_a_body_that_never_ends_is_408(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    monkeypatch.setattr("tenure.serving.hot.BODY_TIMEOUT_S", 0.01)
    refused(http.post("/v1/toy/decisions", content=endless()), 408)


def test_every_request_of_a_batch_is_answered_in_order(http: Http, world: World) -> None:
    bad = {"decision_id": "bad", "unit_id": "u1", "context": {"x": 11}}
    batch = [GOOD, bad, GOOD | {"decision_id": "d2"}, GOOD | {"unit_id": "u9"}]
    response = http.post("/v1/toy/decisions:batch", json={"decisions": batch})
    first, second, third, fourth = response.json()["answers"]
    assert response.status_code == 200
    assert (first["decision_id"], third["decision_id"]) == ("d1", "d2")
    assert (second["error"], fourth["error"]) == ("RequestError", "ConflictError")
    assert world.count() == 2
    assert http.post("/v1/toy/decisions:batch", json={"decisions": []}).json() == {"answers": []}


def test_a_batch_of_the_wrong_form_is_refused_whole(http: Http, world: World) -> None:
    refused(http.post("/v1/toy/decisions:batch", json={"decisions": [GOOD, {"context": {}}]}), 422)
    assert world.count() == 0


def outcome(name: str, **fields: Any) -> str:
    return json.dumps({"outcome_id": name, "decision_id": "d1", "signals": {"cost": 1.0}} | fields)


def test_an_outcome_is_receipted_and_a_repeat_exists(http: Http) -> None:
    http.post("/v1/toy/decisions", json=GOOD)
    first, again = (post(http, "/v1/toy/outcomes", outcome("o1")).json() for _ in range(2))
    assert first == {"outcome_id": "o1", "decision_id": "d1", "status": "created", "place": "joined", "note": ""}
    assert again == first | {"status": "exists"}


def test_an_outcome_of_no_decision_is_an_orphan_with_a_note(http: Http) -> None:
    receipt = post(http, "/v1/toy/outcomes", outcome("o1")).json()
    assert (receipt["place"], bool(receipt["note"])) == ("orphan", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        outcome("o1", observed_at="never"),
        outcome("o1", observed_at="0001-01-01T00:00:00+10:00"),
        outcome("o1", signals={"cost": None}),
        outcome("o1", kind="guess"),
        outcome(""),
    ],
)
def test_a_bad_outcome_is_422(http: Http, world: World, body: bytes) -> None:
    refused(post(http, "/v1/toy/outcomes", body), 422)
    assert world.count("orphan") == 0


def test_an_outcome_with_another_body_is_409(http: Http) -> None:
    post(http, "/v1/toy/outcomes", outcome("o1"))
    refused(post(http, "/v1/toy/outcomes", outcome("o1", signals={"cost": 2.0})), 409)


def test_outcomes_by_line_get_one_verdict_each_and_a_bad_line_spoils_no_other(http: Http, world: World) -> None:
    http.post("/v1/toy/decisions", json=GOOD)
    lines = [outcome("o1"), "{broken", outcome("o2"), "", outcome("o3", observed_at="never"), outcome("o4")]
    response = post(http, "/v1/toy/outcomes", "\n".join(lines), "application/x-ndjson")
    verdicts = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["content-type"] == "application/x-ndjson"
    assert [verdict.get("place", "refused") for verdict in verdicts] == [
        "joined",
        "refused",
        "repeated",
        "refused",
        "refused",
        "repeated",
    ]
    assert world.count("joined") + world.count("repeated") == 3


def test_a_conflict_affects_only_its_line(http: Http) -> None:
    post(http, "/v1/toy/outcomes", outcome("o1"))
    lines = [outcome("o0"), outcome("o1", signals={"cost": 2.0}), "{", outcome("o2")]
    response = post(http, "/v1/toy/outcomes", "\n".join(lines), "application/x-ndjson")
    verdicts = [json.loads(line) for line in response.text.splitlines()]
    assert [verdict.get("status", verdict.get("error")) for verdict in verdicts] == [
        "created",
        "ConflictError",
        "RequestError",
        "created",
    ]
    named = [(verdict.get("line"), verdict.get("outcome_id")) for verdict in verdicts[1:3]]
    assert named == [(2, "o1"), (3, None)]  # a refused line says which it is


def test_no_lines_get_no_verdicts(http: Http) -> None:
    assert post(http, "/v1/toy/outcomes", "", "application/x-ndjson").text == ""


def test_the_status_says_where_the_problem_stands(http: Http) -> None:
    http.post("/v1/toy/decisions", json=GOOD)
    status = http.get("/v1/toy").json()
    assert (status["control"]["stage"], status["control"]["share"]) == ("full", 1.0)
    assert status["counters"]["answered"] == 1
    assert http.get("/healthz").json() == {"status": "ok"}


def test_a_log_that_is_away_is_503_for_outcomes_and_status_and_answered_for_decisions(http: Http, world: World) -> None:
    world.store.close()
    refused(post(http, "/v1/toy/outcomes", outcome("o1")), 503)
    refused(http.get("/v1/toy"), 503)
    answer = http.post("/v1/toy/decisions", json=GOOD).json()
    assert (answer["label"], answer["arm"], answer["reason"]) == ("a", "fallback", "log_unavailable")


def test_a_rule_that_cannot_decide_is_503(make: Make) -> None:
    world = make(incumbent=Fixed(9)).at("shadow", 0.0)
    with Http(create_app(world.service)) as http:
        assert refused(http.post("/v1/toy/decisions", json=GOOD), 503)["error"] == "IncumbentError"


def test_the_shadow_is_written_before_the_application_ends(make: Make) -> None:
    world = make().at("shadow", 0.0)
    with Http(create_app(world.service)) as http:
        for number in range(50):
            http.post("/v1/toy/decisions", json=GOOD | {"decision_id": f"d{number}"})
    assert world.count("proposals") == 50


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*GOOD, "mask", "incumbent_action", "at", "step", "episode_id", "signals", "outcome_id", "observed_at", "kind"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(["decisions", "outcomes"]), st.booleans())
def test_no_body_makes_the_server_fail(http: Http, changes: dict[str, Any], path: str, batch: bool) -> None:
    base = GOOD if path == "decisions" else json.loads(outcome("o1"))
    body: Any = base | changes
    if batch and path == "decisions":
        path, body = "decisions:batch", {"decisions": [body, GOOD]}
    kind = "application/x-ndjson" if batch else "application/json"
    assert post(http, f"/v1/toy/{path}", json.dumps(body), kind).status_code in (200, 409, 413, 422)


@pytest.mark.parametrize("value", [b"NaN", b"-Infinity", b"1e999"])
def test_what_is_no_finite_number_is_called_by_its_feature(value: bytes) -> None:
    with pytest.raises(RequestError, match=f"'stock' is {value.decode()}: send a finite number"):
        decode(b'{"unit_id": "u", "context": {"price": 2e3, "stock": ' + value + b"}}", DecisionRequest)


@pytest.mark.parametrize("name", ["decision_id", "unit_id", "episode_id"])
def test_an_id_no_database_takes_is_refused(http: Http, name: str) -> None:
    assert refused(post(http, "/v1/toy/decisions", json.dumps(GOOD | {name: "a\0b"})), 422)["found"]
