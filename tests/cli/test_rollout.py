"""`tenure rollout`, `tenure approvals` and `tenure tick`: JSON, exit codes, and who may say yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tenure.cases.bikes.problem import problem as bikes
from tenure.cli.approvals import approvals_app
from tenure.cli.output import Output
from tenure.cli.rollout import rollout_app
from tenure.cli.rollout_moves import run_tick
from tenure.core.decision import Arm, Decision, Outcome
from tenure.store import Event, SqliteStore, save_bundle
from tenure.store.pending import Pending, PendingDecision
from tenure.store.standin import stand_in

KEYS = {"stage", "share", "next", "blocked_by", "history"}
WHY = ("--reason", "test", "--actor", "ann")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """The log of the bikes, in a home of its own."""
    monkeypatch.setenv("TENURE_HOME", str(tmp_path))
    (tmp_path / "bikes").mkdir()
    with SqliteStore(tmp_path / "bikes" / "log.sqlite", synchronous="OFF") as store:
        store.open_problem("bikes", "salt")
        yield store


def run(app: typer.Typer, *words: str) -> tuple[int, dict[str, Any]]:
    """A command with --json; standard output must be one object and nothing else."""
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, found


def shown(app: typer.Typer, *words: str) -> str:
    """What people read."""
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == 0, done.output
    return done.stdout


def move(store: SqliteStore, kind: str, actor: str = "controller", **payload: Any) -> None:
    store.append_event(Event("bikes", kind, actor, "test", datetime.now(UTC), payload))


def in_shadow(store: SqliteStore) -> None:
    event = Event("bikes", "start", "ann", "test", datetime.now(UTC), {"version": "v1"})
    store.append_event(event, control={"stage": "shadow", "version": "v1"})


def test_the_status_of_nothing_is_no_error(log: SqliteStore) -> None:
    code, found = run(rollout_app, "status", "bikes")
    assert code == 0
    assert found.keys() >= KEYS
    assert (found["stage"], found["next"], found["blocked_by"]) == ("none", None, ["no rollout is under way"])
    assert "stage        none" in shown(rollout_app, "status", "bikes")


def test_people_read_a_status_in_short_aligned_lines_and_programs_the_whole(log: SqliteStore) -> None:
    in_shadow(log)
    words = "every gate said a lot; " * 40
    log.append_event(Event("bikes", "pause", "ann", words, datetime.now(UTC), {}))
    text = shown(rollout_app, "status", "bikes").splitlines()
    assert max(map(len, text)) < 140
    assert text[1] == "version      v1"
    began, paused = (line for line in text if line.startswith("20"))
    assert began.index("ann  test") == paused.index("ann  every gate")
    assert run(rollout_app, "status", "bikes")[1]["history"][-1]["reason"] == words


def test_a_share_that_no_rule_guards_is_named_in_the_status(log: SqliteStore) -> None:
    in_shadow(log)
    assert "no promote rule" not in shown(rollout_app, "status", "bikes")
    move(log, "promote", to=0.01)  # of bikes, rules guard 1 % and 100 %
    assert "next         10.0 %, no promote rule: sizes and health only" in shown(rollout_app, "status", "bikes")


def test_moves_are_recorded_under_the_name_given(log: SqliteStore) -> None:
    in_shadow(log)
    code, found = run(rollout_app, "pause", "bikes", *WHY)
    assert (code, found["paused"], found["history"][-1]["actor"]) == (0, True, "ann")
    assert run(rollout_app, "resume", "bikes", *WHY)[1]["paused"] is False
    assert run(rollout_app, "explore", "bikes", "--rate", "0.2", *WHY)[1]["exploration"]["rate"] == 0.2
    assert run(rollout_app, "explore", "bikes", *WHY)[1]["exploration"]["rate"] == 0.001
    assert run(rollout_app, "abort", "bikes", *WHY)[1]["stage"] == "rolled_back"
    in_shadow(log)
    assert run(rollout_app, "rollback", "bikes", *WHY)[1]["stage"] == "rolled_back"


@pytest.mark.parametrize("verb", ["pause", "resume", "rollback", "abort", "approve", "reject"])
def test_a_move_that_is_none_is_refused_with_exit_2(log: SqliteStore, verb: str) -> None:
    code, found = run(rollout_app, verb, "bikes", *WHY)
    assert (code, found["error"]) == (2, "MoveError")
    assert log.events("bikes") == []


def test_a_start_of_what_was_never_trained_is_refused(log: SqliteStore) -> None:
    code, found = run(rollout_app, "start", "bikes", "--version", "v9", *WHY)
    assert (code, found["error"]) == (2, "UnknownError")
    assert found["fix"] == "train one first: tenure train"


def test_a_start_of_an_unknown_version_lists_those_there_are(log: SqliteStore, tmp_path: Path) -> None:
    version = save_bundle(stand_in(bikes, 3), tmp_path / "bikes" / "bundles").name
    code, found = run(rollout_app, "start", "bikes", "--version", "deadbeef", *WHY)
    assert (code, found["expected"], found["found"]) == (2, f"one of the versions ['{version}']", "'deadbeef'")


def test_a_promotion_that_a_gate_holds_says_which_with_exit_3(log: SqliteStore) -> None:
    in_shadow(log)
    code, found = run(rollout_app, "promote", "bikes", *WHY)
    assert (code, found["verdict"], found["stage"]) == (3, "inconclusive", "shadow")
    assert any(reason.startswith("shadow size: missing") for reason in found["blocked_by"])
    assert "shadow size" in found["found"]


def test_a_tick_says_what_it_did_and_what_holds(log: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    in_shadow(log)
    assert run_tick(Output(json=True), "bikes", None) == 3
    found = json.loads(capsys.readouterr().out)
    assert found.keys() >= {"steps", "version", "verdict", "blocked_by"}
    assert (found["steps"], found["verdict"], found["version"]) == ([], "inconclusive", "v1")
    assert [event.kind for event in log.events("bikes")] == ["start", "hold"]


def test_a_tick_outside_a_rollout_has_nothing_to_do(log: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tick(Output(json=True), "bikes", None) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"


def test_a_tick_while_killed_says_by_whom_and_how_to_restore(
    log: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    in_shadow(log)
    log.kill("bikes", actor="ann", reason="smells odd", at=datetime.now(UTC))
    run_tick(Output(json=False), "bikes", None)
    text = capsys.readouterr().out
    assert "No step in stage shadow at 0.0 %, KILLED." in text
    assert "killed by ann: smells odd; only a person restores: tenure restore bikes" in text


def test_a_tick_takes_the_step_that_is_due(log: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    in_shadow(log)
    old = Event("bikes", "request", "controller", "test", datetime.now(UTC) - timedelta(days=8), {"to": 0.01})
    log.append_event(old)
    assert run_tick(Output(json=True), "bikes", None) == 0
    assert json.loads(capsys.readouterr().out)["steps"][0]["move"] == "expire"


def test_a_share_is_approved_by_another_than_who_asked(log: SqliteStore) -> None:
    in_shadow(log)
    assert run(approvals_app, "list", "bikes")[1] == {"requested": None, "requested_by": None, "pending": []}
    move(log, "request", to=0.01)
    assert run(approvals_app, "list", "bikes")[1]["requested"] == 0.01
    assert "share 0.01 of version v1, asked for by controller" in shown(approvals_app, "list", "bikes")
    assert run(approvals_app, "approve", "bikes", *WHY)[0] == 2  # ann started it
    code, found = run(approvals_app, "approve", "bikes", "--reason", "fine", "--actor", "bob")
    assert (code, found) == (0, {"approved": 0.01, "by": "bob"})
    assert run(approvals_app, "list", "bikes")[1]["requested"] is None


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_with_nothing_asked_for_it_says_so_and_where_to_look(log: SqliteStore, verb: str) -> None:
    in_shadow(log)
    code, found = run(approvals_app, verb, "bikes", *WHY)
    assert (code, found["error"]) == (2, "MoveError")
    assert found["found"] == "no request for a share; 0 single decision(s) wait"
    assert "tenure approvals list" in found["fix"]


def test_a_share_that_is_rejected_pauses_the_rollout(log: SqliteStore) -> None:
    in_shadow(log)
    move(log, "request", to=0.01)
    assert run(approvals_app, "reject", "bikes", *WHY) == (0, {"rejected": "share", "by": "ann"})
    assert run(rollout_app, "status", "bikes")[1]["paused"] is True


def incumbents(name: str, at: datetime) -> Decision:
    """A decision of the incumbent for one district."""
    width = len(bikes.observation)
    context = dict.fromkeys(bikes.feature_names, 1.0)
    fields: dict[str, Any] = {
        "problem_version": bikes.version, "unit_id": f"north/{at:%Y-%m-%d}", "episode_id": "north", "step": None,
        "decided_at": at, "context": context, "observation": np.ones(width, dtype="<f4").tobytes(), "mask": None,
        "stage": "shadow", "arm": Arm.INCUMBENT, "version": "rule", "action": 12, "propensity": 1.0,
        "explored": False, "confidence": 1.0, "kill_epoch": 0, "reason": "shadow", "latency_us": 1,
        "request_hash": name,
    }  # fmt: skip
    return Decision(decision_id=name, problem="bikes", **fields)


def test_single_decisions_are_listed_approved_and_rejected(log: SqliteStore) -> None:
    in_shadow(log)
    now = datetime.now(UTC)
    rows = [PendingDecision("bikes", name, "v1", 13, 0.5, 0, "dear", now, now + timedelta(hours=1)) for name in "ab"]
    log.append_decisions(
        [incumbents(name, now) for name in "ab"],
        beside=lambda connection, _: Pending(log).queue(connection, rows),
    )
    pending = run(approvals_app, "list", "bikes")[1]["pending"]
    assert [row["decision_id"] for row in pending] == ["a", "b"]
    assert "dear" in shown(approvals_app, "list", "bikes")
    code, found = run(approvals_app, "approve", "bikes", "a", *WHY)
    assert (code, found["decision_id"], found["action"]) == (0, "a:approved", 13)
    assert run(approvals_app, "reject", "bikes", "b", *WHY)[0] == 0
    assert run(approvals_app, "approve", "bikes", "b", *WHY)[1]["error"] == "MoveError"
    assert "Nothing waits" in shown(approvals_app, "list", "bikes")


def test_a_plan_of_an_empty_log_could_not_be_measured(log: SqliteStore) -> None:
    code, found = run(rollout_app, "plan", "bikes")
    assert (code, found["error"]) == (5, "EvidenceError")


def test_a_plan_is_made_from_the_log(log: SqliteStore) -> None:
    began = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=5)
    for day in range(4):
        at = began + timedelta(days=day)
        name = f"d{day}"
        log.append_decisions([incumbents(name, at)])
        signals = dict.fromkeys(bikes.signal_names, 1.0)
        log.append_outcomes(
            "bikes",
            [Outcome.observed("o", name, signals, at)],
            received_at=at,
            wait=timedelta(hours=1),
            signals=bikes.signal_names,
        )
    code, found = run(rollout_app, "plan", "bikes", "--harm", "0.5", "--kpi", "cost")
    assert (code, found["harm"], found["kpi"]) == (0, 0.5, "cost")
    assert [stage["share"] for stage in found["stages"]] == [0.0, 0.01, 0.1, 1.0]
    assert found["days"] == sum(stage["days"] for stage in found["stages"])
    assert found["tripped"] == []
    assert "closed days" in shown(rollout_app, "plan", "bikes")
