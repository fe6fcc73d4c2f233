"""A drill passes only if everything held, and brings a copy live from wherever its log stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tenure.rollout.drill import Heard, Rehearsed, go_live, rehearsed
from tenure.rollout.kill import Confirmation, Killed
from tenure.rollout.rules import AlertRule, BreakerRule, HumanRule
from tenure.rollout.settings import Settings
from tenure.rollout.stages import check_head, fold, head_columns
from tenure.store import Event, SqliteStore

AT = datetime(2026, 1, 1, tzinfo=UTC)
BOTH = (Confirmation("log", 3.0), Confirmation("server", 40.0))


def killed(replicas: Sequence[Confirmation]) -> Killed:
    return Killed(None, tuple(replicas))


GOOD = Rehearsed(
    heard=[Heard(0.9, 0.95, "candidate"), Heard(0.99, 1.02, "candidate"), Heard(2.0, 2.1, "incumbent")],
    began_at=1.0,
    ended_at=1.5,
    killed=killed(BOTH),
    learned_after=0,
    after_restore=["incumbent"],
)


def failed(seen: Rehearsed) -> list[str]:
    return [finding.gate for finding in seen.findings() if finding.verdict.word != "pass"]


def test_it_passes_when_everything_held_and_says_how_fast() -> None:
    assert GOOD.passed
    assert GOOD.confirmed_ms == 40.0
    assert GOOD.last_learned_ms == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("changed", "gate"),
    [
        ({"heard": [Heard(1.1, 1.2, "candidate"), Heard(2, 2.1, "incumbent")]}, "learned before"),
        ({"killed": killed([Confirmation("log", 3.0)])}, "server listed"),
        ({"killed": killed([Confirmation("log", 3.0), Confirmation("server", None)])}, "confirmed"),
        ({"learned_after": 1}, "no learned row"),
        ({"heard": [*GOOD.heard, Heard(2.0, 2.1, "candidate")]}, "no learned answer"),
        ({"heard": [*GOOD.heard, Heard(2.0, 2.1, "StoreError")]}, "no learned answer"),
        ({"heard": GOOD.heard[:2]}, "no learned answer"),
        ({"after_restore": []}, "restored"),
        ({"after_restore": ["incumbent", "candidate"]}, "restored"),
    ],
)
def test_each_thing_that_did_not_hold_fails_it(changed: dict[str, Any], gate: str) -> None:
    seen = replace(GOOD, **changed)
    assert failed(seen) == [gate]
    assert not seen.passed


def test_without_every_confirmation_there_is_no_time_of_confirmation() -> None:
    assert replace(GOOD, killed=killed([Confirmation("log", 3.0), Confirmation("s", None)])).confirmed_ms is None
    assert replace(GOOD, killed=killed([])).confirmed_ms is None


def test_without_a_learned_answer_after_the_kill_the_last_one_came_at_once() -> None:
    assert replace(GOOD, heard=GOOD.heard[:1]).last_learned_ms == 0.0


def test_the_payload_is_what_readiness_asks_for() -> None:
    payload = GOOD.payload("v1", {"server": "s"})
    assert {name: payload[name] for name in ("passed", "confirmed_ms", "version", "server")} == {
        "passed": True,
        "confirmed_ms": 40.0,
        "version": "v1",
        "server": "s",
    }


def test_a_drills_server_pages_nobody_asks_nobody_and_has_no_breaker() -> None:
    real = Settings(
        alerts=AlertRule(channels={"ops": "slack://x"}, expire="3h"),
        breaker=[BreakerRule(signal="cost", above=1.0, consecutive=1)],
        human=[HumanRule("big")],
    )
    quiet = rehearsed(real)
    assert (quiet.alerts.channels, quiet.breaker, quiet.human) == ({}, [], [])
    assert (quiet.alerts.expire, quiet.rollout) == ("3h", real.rollout)


STARTED = ("start", {"version": "v0"})
HISTORIES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "new": [],
    "shadow": [STARTED],
    "canary": [STARTED, ("promote", {"to": 0.1})],
    "paused": [STARTED, ("promote", {"to": 0.1}), ("pause", {})],
    "full": [STARTED, ("promote", {"to": 1.0}), ("complete", {})],
    "rolled back": [STARTED, ("rollback", {})],
    "asked": [STARTED, ("request", {"to": 0.1})],
    "tripped": [STARTED, ("promote", {"to": 0.1}), ("trip", {"breaker": "b"})],
}


@pytest.mark.parametrize("killed_too", [False, True])
@pytest.mark.parametrize("history", HISTORIES)
def test_a_copy_goes_live_from_wherever_its_log_stands(tmp_path: Path, history: str, killed_too: bool) -> None:
    with SqliteStore(tmp_path / "log.db", synchronous="OFF") as store:
        store.open_problem("toy", "salt")
        for kind, payload in HISTORIES[history]:
            event = Event("toy", kind, "ann", "because", AT, payload)
            state = fold([*store.events("toy"), event])
            if kind == "trip":
                with store.database.writing() as connection:
                    from tenure.store import events

                    events.move_epoch(connection, event, head_columns(state))
            else:
                store.append_event(event, control=head_columns(state))
        if killed_too:
            store.kill("toy", actor="ann", reason="because", at=AT)
        go_live(store, "toy", "v1", AT)
        control = store.control("toy")
        assert (control.stage, control.live_share, control.version) == ("full", 1.0, "v1")
        check_head(control, store.events("toy"))
