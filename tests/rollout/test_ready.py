"""Nothing leaves SHADOW until alerts reach somebody, the stop was rehearsed, and outcomes arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tenure.core.evidence import Verdict
from tenure.rollout import Unit
from tenure.rollout.ready import ready_findings
from tenure.rollout.rules import Ready
from tenure.store import Event

from .world import World, settings

NOW = datetime(2011, 10, 31, tzinfo=UTC)
PASS, HOLDS, FAIL = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL


def event(kind: str, days_ago: float = 0, **payload: Any) -> Event:
    return Event("toy", kind, "ann", "test", NOW - timedelta(days=days_ago), payload)


def unit(decisions: int, joined: int, stage: str = "shadow") -> Unit:
    return Unit("u", 0, "e", stage, "rule", np.zeros(1), decisions=decisions, joined=joined)


def one(ready: Ready, events: list[Event], units: list[Unit]) -> Verdict:
    (finding,) = ready_findings(ready, events, units, NOW)
    return finding.verdict


@pytest.mark.parametrize(
    ("payloads", "verdict"),
    [([], HOLDS), ([{"delivered": False}], HOLDS), ([{"delivered": True}], PASS), ([{"delivered": "yes"}], HOLDS)],
)
def test_a_test_alert_must_have_been_delivered(payloads: list[dict[str, Any]], verdict: Verdict) -> None:
    events = [event("alert_test", **payload) for payload in payloads]
    assert one(Ready(drill_days=0, outcomes=0.0), events, []) is verdict


@pytest.mark.parametrize(
    ("drills", "verdict"),
    [
        ([], HOLDS),
        ([(30, True)], PASS),
        ([(30.001, True)], HOLDS),
        ([(1, False)], FAIL),
        ([(5, True), (1, False)], FAIL),
        ([(5, False), (1, True)], PASS),
    ],
)
def test_the_last_drill_must_have_passed_lately(drills: list[tuple[float, bool]], verdict: Verdict) -> None:
    events = [event("drill", days, passed=passed) for days, passed in drills]
    assert one(Ready(alert=False, drill_days=30, outcomes=0.0), events, []) is verdict


@pytest.mark.parametrize(
    ("units", "verdict"),
    [
        ([], HOLDS),
        ([unit(10, 5)], PASS),
        ([unit(10, 4)], HOLDS),
        ([unit(10, 0), unit(10, 10)], PASS),
        ([unit(10, 10, "none"), unit(10, 1)], HOLDS),
    ],
)
def test_outcomes_of_shadowed_decisions_must_arrive(units: list[Unit], verdict: Verdict) -> None:
    assert one(Ready(alert=False, drill_days=0, outcomes=0.5), [], units) is verdict


def test_what_is_not_asked_for_gives_no_finding() -> None:
    assert ready_findings(Ready(alert=False, drill_days=0, outcomes=0.0), [], [], NOW) == []


def test_the_shadow_gate_asks_for_it(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(settings(), ready=Ready())
    world = World(tmp_path / "log.db", limits)
    world.controller.start("v1", "alice")
    for _ in range(12):
        world.day()
        tick = world.controller.tick()
    assert (tick.step, world.kinds()) == (None, ["start"])
    assert {finding.gate for finding in tick.gate if finding.verdict is not PASS} == {"ready alert", "ready drill"}
    world.store.append_event(Event("toy", "alert_test", "ann", "", world.clock.now(), {"delivered": True}))
    world.store.append_event(Event("toy", "drill", "ann", "", world.clock.now(), {"passed": True}))
    step = world.controller.tick().step
    assert step is not None
    world.store.close()
