"""What a client did itself is in the log once, as what was done, and as nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenure.core.decision import Arm
from tenure.core.errors import StoreError
from tenure.core.spaces import Box
from tenure.serving.fallbacks import record_fallbacks

from .toy import NOON, Fixed, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def line(name: str = "d1", *, action: Any = "b", at: str = "2011-10-01T11:59:00Z", **request: Any) -> bytes:
    asked = {"decision_id": name, "unit_id": "u1", "context": {"x": 2.0, "y": 3.0}, **request}
    return json.dumps({"request": asked, "action": action, "reason": "unreachable", "taken_at": at}).encode()


def statuses(world: World, *lines: bytes) -> list[Any]:
    return [
        verdict.get("status", verdict.get("error")) for verdict in record_fallbacks(world.service, b"\n".join(lines))
    ]


def test_it_becomes_a_row_that_pretends_nothing(world: World) -> None:
    assert statuses(world, line()) == ["created"]
    row = world.row()
    assert (row.arm, row.version, row.action, row.reason) == (Arm.FALLBACK, "caller", 1, "unreachable")
    assert (row.propensity, row.confidence, row.explored) == (None, 0.0, False)
    assert row.decided_at.isoformat() == "2011-10-01T11:59:00+00:00"


def test_sent_again_it_is_there_once(world: World) -> None:
    assert statuses(world, line(), line()) == ["created", "exists"]
    assert statuses(world, line()) == ["exists"]
    assert (world.count(), world.count("corrections")) == (1, 0)


def test_what_the_server_answered_too_late_is_corrected_to_what_was_done(world: World) -> None:
    world.at("full", 1.0)
    learned = world.one()
    assert learned.arm == "candidate"
    assert statuses(world, line(action="c"), line(action="c")) == ["corrected", "exists"]
    row = world.row()
    assert (row.arm, row.action, row.propensity, row.reason) == (Arm.FALLBACK, 2, None, "unreachable")
    assert world.count("corrections") == 1


def test_a_callers_own_vector_is_recorded_and_corrects_what_came_too_late(tmp_path: Path) -> None:
    space = Box(("u", "v"), ("m", "m"), (0.0, 0.0), (1.0, 2.0))
    world = World(tmp_path, candidate=Fixed((0.5, 1.0), 1.0), incumbent=Fixed((0.0, 0.0), 1.0), action=space)
    assert statuses(world, line("d0", action=[0.25, 2.0]), line("d0", action=[0.25, 2.0])) == ["created", "exists"]
    assert (world.row("d0").action, world.row("d0").propensity, world.row("d0").density) == ((0.25, 2.0), None, None)
    world.at("full", 1.0)
    assert world.one().arm == "candidate"
    own = [line(action=[0.25, 1.0]), line(action=[0.25, 1.0]), line(action=[0.25, 1.5])]
    assert statuses(world, *own) == ["corrected", "exists", "corrected"]
    assert world.row().action == (0.25, 1.5)
    assert statuses(world, line("d9", action=[0.25, 3.0])) == ["RequestError"]
    world.store.close()


def test_the_same_action_done_by_the_caller_does_not_keep_the_learned_propensity(world: World) -> None:
    world.at("full", 1.0)
    world.one()
    assert statuses(world, line(action="b")) == ["corrected"]
    assert (world.row().arm, world.row().propensity) == (Arm.FALLBACK, None)


def test_a_clock_that_runs_ahead_dates_nothing_into_the_future(world: World) -> None:
    statuses(world, line(at="2031-01-01T00:00:00Z"))
    assert world.row().decided_at == NOON


def test_after_a_kill_it_is_recorded_under_the_new_epoch(world: World) -> None:
    world.at("full", 1.0)
    world.store.stop()
    assert statuses(world, line()) == ["created"]
    assert world.row().kill_epoch == 1
    assert world.learned_after_kill() == 0


def test_a_kill_in_between_fences_nothing_for_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = world.store.control, list[int]()

    def control(problem: str) -> Any:
        found = real(problem)
        if not seen:
            seen.append(1)
            world.store.stop()
        return found

    monkeypatch.setattr(world.store, "control", control)
    assert statuses(world, line()) == ["created"]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (line(action="nothing"), "label"),
        (line(x=1), "unknown field"),
        (line(context={"x": 99.0}), "x"),
        (line(mask=[True]), "booleans"),
        (line(at="yesterday"), "ISO 8601"),
        (b"{}", "fields"),
        (b"[" * 100_000, "fields"),
        (b'{"request": {"unit_id": "u", "context": {}}, "action": 1, "reason": "r", "taken_at": "t"}', "decision_id"),
    ],
)
def test_a_wrong_line_is_refused_by_itself(world: World, bad: bytes, named: str) -> None:
    refused, good = record_fallbacks(world.service, bad + b"\n" + line())
    assert refused["error"] == "RequestError"
    assert named in json.dumps(refused)
    assert good["status"] == "created"


def test_a_refused_line_says_which_it_is(world: World) -> None:
    body = b"\n".join([line(), line("d2", action="nothing"), b"{", line("d3", at="yesterday")])
    refused = [verdict for verdict in record_fallbacks(world.service, body) if "error" in verdict]
    assert [(verdict["line"], verdict.get("decision_id")) for verdict in refused] == [(2, "d2"), (3, None), (4, "d3")]


def test_another_body_under_the_same_id_is_a_conflict(world: World) -> None:
    world.one()
    assert statuses(world, line(unit_id="other")) == ["ConflictError"]
    assert world.count("corrections") == 0


def test_without_the_log_nothing_is_acknowledged(world: World) -> None:
    world.store.away = frozenset({"append_decisions"})
    with pytest.raises(StoreError):
        record_fallbacks(world.service, line())
