"""The control API: what is read, what is moved, who is named for it, and what a bundle must pass over HTTP."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from tenure.core.decision import Decision
from tenure.serving.access import Role
from tenure.store import Event, make_bundle
from tenure.store.pending import Pending, PendingDecision
from tenure.store.replicas import Replica, Replicas
from tenure.store.upload import LARGEST_UPLOAD

from ..toy import NOON, Fixed
from .conftest import Office, Open

V1 = "/v1/toy"


def refused(answer: Any, status: int, word: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "expected", "found", "where", "fix"}
    assert word in answer.text


def test_the_status_says_stage_share_and_what_holds_it(office: Office) -> None:
    found = office.get(f"{V1}/status").json()
    assert {"stage", "share", "live_share", "next", "blocked_by", "history", "breakers"} <= set(found)
    assert found["live_share"] == 1.0


def test_what_a_server_obeys_and_has_counted_is_read_under_the_problems_name(office: Office) -> None:
    office.world.one()
    found = office.get(V1).json()
    assert found["control"]["share"] == 1.0
    assert found["counters"]["answered"] == 1


def test_a_decision_is_read_as_it_is_in_the_log(office: Office) -> None:
    office.world.one("2026/d 1")
    found = office.get(f"{V1}/decisions/2026/d%201").json()
    assert found["decision_id"] == "2026/d 1"
    assert (found["action"], found["label"], found["observation"], found["mask"]) == (1, "b", [2.0, 3.0], None)
    assert found["context"] == {"x": 2.0, "y": 3.0}


def test_a_decision_nobody_made_is_not_found(office: Office) -> None:
    refused(office.get(f"{V1}/decisions/nobody"), 404, "'nobody'")
    assert office.get(f"{V1}/decisions/a%00b").status_code == 404


def test_events_are_read_after_a_number_and_at_most_so_many(office: Office) -> None:
    for number in range(3):
        office.store.append_event(Event("toy", "note", "ann", f"{number}", NOON, {"n": number}))
    everything = office.get(f"{V1}/events").json()["events"]
    assert [each["reason"] for each in everything[-3:]] == ["0", "1", "2"]
    since = everything[-3]["sequence"]
    rest = office.get(f"{V1}/events?since={since}&limit=1").json()["events"]
    assert [each["reason"] for each in rest] == ["1"]


@pytest.mark.parametrize("query", ["since=-1", "since=x", "limit=0", "limit=99999999", f"since={10**30}"])
def test_a_query_that_says_nothing_possible_is_refused(office: Office, query: str) -> None:
    refused(office.get(f"{V1}/events?{query}"), 422, "question mark")


def test_versions_are_read_as_of_a_moment(office: Office) -> None:
    office.store.register_version("v1", "toy", NOON, {"n": 1})
    office.store.register_version("v2", "toy", NOON + timedelta(days=1), {"n": 2})
    now = office.get(f"{V1}/versions").json()
    assert ([each["version"] for each in now["versions"]], now["live"]) == (["v1", "v2"], "v1")
    before = office.get(f"{V1}/versions", params={"as_of": "2011-10-01T12:00:00"}).json()
    assert [each["version"] for each in before["versions"]] == ["v1"]


@pytest.mark.parametrize(
    "as_of", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9500-01-01T00:00:00Z", "soon", ""]
)
def test_a_moment_no_calendar_holds_is_the_senders_to_mend(office: Office, as_of: str) -> None:
    refused(office.get(f"{V1}/versions", params={"as_of": as_of}), 422, "time")


def test_servers_heard_of_lately_are_listed_with_the_epoch_they_answer_under(office: Office) -> None:
    Replicas(office.store).seen(Replica("toy", "east", NOON, NOON, 3, "v1", "1", None))
    Replicas(office.store).seen(Replica("toy", "gone", NOON, NOON - timedelta(hours=1), 3, "v1", "1", None))
    found = office.get(f"{V1}/replicas").json()
    assert found["epoch"] == 0
    assert [(each["replica"], each["epoch"]) for each in found["replicas"]] == [("east", 3)]


def test_breakers_alerts_and_approvals_are_there_even_when_empty(office: Office) -> None:
    assert office.get(f"{V1}/breakers").json() == {"breakers": []}
    assert office.get(f"{V1}/alerts").json() == {"alerts": [], "channels": []}
    assert office.get(f"{V1}/approvals").json() == {"requested": None, "pending": []}


def test_a_kill_stops_at_once_and_lists_who_confirmed(office: Office) -> None:
    found = office.post(f"{V1}/kill", json={"reason": "odd prices", "actor": "ann"}).json()
    assert found["epoch"] == 1
    assert [each["id"] for each in found["replicas"]] == ["log"]
    assert office.store.events("toy")[-1].actor == "ann"
    answer = office.post(f"{V1}/decisions", json={"unit_id": "u", "context": {"x": 1.0}})
    assert (answer.json()["arm"], answer.json()["reason"]) == ("incumbent", "killed")


def test_restoring_lifts_a_kill_and_nothing_else(office: Office) -> None:
    refused(office.post(f"{V1}/restore", json={"reason": "mended"}), 409)
    office.world.store.stop()
    found = office.post(f"{V1}/restore", json={"reason": "mended"}).json()
    assert (found["killed"], found["share"]) == (False, 0.0)


@pytest.mark.parametrize("verb", ["pause", "resume", "rollback", "abort", "approve", "reject", "promote"])
def test_a_move_the_rollout_does_not_have_is_a_conflict_with_words(open_office: Open, verb: str) -> None:
    refused(open_office().post(f"{V1}/rollout/{verb}", json={"reason": "why not"}), 409)


def test_a_move_the_rollout_has_is_made_in_the_name_of_who_asks(guarded: Office) -> None:
    event = Event("toy", "start", "zoe", "test", NOON, {"version": "v1"})
    guarded.store.append_event(event, control={"stage": "shadow", "share": 0.0, "version": "v1"})
    found = guarded.post(f"{V1}/rollout/pause", Role.OPERATOR, json={"reason": "a holiday"}).json()
    assert found["paused"] is True
    assert guarded.store.events("toy")[-1].actor == "operator"
    guarded.post(f"{V1}/rollout/resume", Role.OPERATOR, json={"reason": "back"})
    found = guarded.post(f"{V1}/rollout/explore", Role.OPERATOR, json={"rate": 0.05, "reason": "learn"}).json()
    assert found["exploration"]["rate"] == 0.05
    assert (
        guarded.post(f"{V1}/rollout/rollback", Role.OPERATOR, json={"reason": "bad"}).json()["stage"] == "rolled_back"
    )


def test_a_start_that_cannot_be_judged_here_says_where_it_can(office: Office) -> None:
    asked = {"version": "v1", "reason": "new"}
    refused(office.post(f"{V1}/rollout/start", json=asked), 404, "'v1'")
    office.store.register_version("v1", "toy", NOON, {})
    refused(office.post(f"{V1}/rollout/start", json=asked), 409, "tenure rollout start")


def test_nobody_acts_in_anothers_name(guarded: Office) -> None:
    forged = {"reason": "odd", "actor": "somebody else"}
    refused(guarded.post(f"{V1}/kill", Role.OPERATOR, json=forged), 403, "somebody else")
    assert not guarded.store.control("toy").killed
    assert guarded.post(f"{V1}/kill", Role.OPERATOR, json={"reason": "odd", "actor": "operator"}).status_code == 200


@pytest.mark.parametrize("reason", ["", "   ", "\x00", "x" * 2001, None, 7])
def test_a_reason_is_words(office: Office, reason: Any) -> None:
    refused(office.post(f"{V1}/kill", json={"reason": reason}), 422)
    assert not office.store.control("toy").killed


def wait(office: Office) -> None:
    office.world.candidate = Fixed(0)
    office.world.one("d1")
    row = PendingDecision("toy", "d1", "v1", 1, 0.5, 0, "big", NOON, NOON + timedelta(minutes=10))
    with office.store.database.writing() as connection:
        Pending(office.store).queue(connection, [row])


def test_a_single_decision_is_approved_once_and_listed_until_then(office: Office) -> None:
    wait(office)
    (listed,) = office.get(f"{V1}/approvals").json()["pending"]
    assert (listed["decision_id"], listed["proposal"]) == ("d1", "b")
    found = office.post(f"{V1}/approvals/d1/approve", json={"actor": "bob"}).json()
    assert found == {"decision_id": "d1:approved", "action": 1, "arm": "human"}
    refused(office.post(f"{V1}/approvals/d1/approve", json={"actor": "bob"}), 409)
    assert office.get(f"{V1}/approvals").json()["pending"] == []


def test_a_single_decision_is_rejected_with_a_reason(office: Office) -> None:
    wait(office)
    refused(office.post(f"{V1}/approvals/d1/reject", json={}), 422)
    assert office.post(f"{V1}/approvals/d1/reject", json={"reason": "no"}).json() == {"decision_id": "d1"}
    refused(office.post(f"{V1}/approvals/nobody/approve", json={}), 404)


def test_a_test_alert_goes_through_every_channel_under_the_name_of_who_asks(guarded: Office) -> None:
    asked: list[str] = []

    def tried(actor: str) -> list[dict[str, str]]:
        asked.append(actor)
        return [{"channel": "pager"}]

    object.__setattr__(guarded.desk, "try_alerts", tried)
    found = guarded.post(f"{V1}/alerts/test", Role.OPERATOR, json={}).json()
    assert found == {"channels": [{"channel": "pager"}]}
    assert asked == ["operator"]


def test_without_channels_a_test_alert_says_so(office: Office) -> None:
    assert office.post(f"{V1}/alerts/test", json={}).json() == {"channels": []}


def packed(office: Office) -> tuple[bytes, str]:
    import numpy as np
    from tests.store.graphs import linear
    from tests.store.test_upload import zipped

    weights = np.eye(2, 4, dtype=np.float32)
    golden = np.array([[1, 0], [0, 1]], dtype=np.float32)
    made = make_bundle(
        office.world.problem,
        linear(weights),
        golden,
        golden @ weights,
        {"run": "r1", "seed": 1},
        {"score": 1.0},
    )
    return zipped(made), made.version


def upload(office: Office, body: bytes, sha256: str | None = None, role: Role | None = None) -> Any:
    told = sha256 or hashlib.sha256(body).hexdigest()
    return office.post(f"{V1}/bundles?sha256={told}", role, content=body)


def test_an_uploaded_bundle_becomes_a_version_once(guarded: Office) -> None:
    body, version = packed(guarded)
    assert upload(guarded, body, role=Role.OPERATOR).json() == {"version": version, "registered": True}
    assert upload(guarded, body, role=Role.OPERATOR).json() == {"version": version, "registered": False}
    assert [row.version for row in guarded.store.versions("toy")] == [version]
    (event,) = [event for event in guarded.store.events("toy") if event.kind == "upload"]
    assert (event.actor, event.payload["version"]) == ("operator", version)
    assert (guarded.desk.bundles / version / "policy.onnx").is_file()


def test_a_damaged_or_unnamed_upload_is_refused(office: Office) -> None:
    body, _ = packed(office)
    refused(upload(office, body + b"x", hashlib.sha256(body).hexdigest()), 422, "SHA-256")
    refused(office.post(f"{V1}/bundles", content=body), 422, "sha256")
    refused(upload(office, body, "z" * 64), 422)
    refused(upload(office, b"garbage"), 422, "zip")
    assert office.store.versions("toy") == []
    assert not office.desk.bundles.exists()


def test_an_upload_beyond_the_limit_is_cut(office: Office) -> None:
    refused(upload(office, bytes(LARGEST_UPLOAD + 1)), 413)


def test_a_body_is_read_only_of_whom_may_send_one(guarded: Office) -> None:
    refused(upload(guarded, b"x" * 1000, role=Role.VIEWER), 403)
    refused(upload(guarded, b"x" * 1000), 401)


def test_every_field_of_a_decision_is_told_or_left_out_on_purpose() -> None:
    from dataclasses import fields

    from tenure.serving.api.bodies import DecisionBody

    left_out = {"problem", "request_hash", "candidates", "position"}
    assert {field.name for field in fields(Decision)} - left_out | {"label"} == set(DecisionBody.__struct_fields__)
