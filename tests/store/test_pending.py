"""Proposals that wait for a person: approved once, in time, before any kill; a row of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tenure.core.decision import Arm
from tenure.core.errors import MoveError, StoreError, UnknownError
from tenure.store import Event, Store
from tenure.store.pending import Pending, PendingDecision

from .rows import NOON, decision

UNTIL = NOON + timedelta(minutes=10)
ROW = PendingDecision("bikes", "d1", "v1", 5, 0.75, 0, "dear", NOON, UNTIL)


@pytest.fixture
def store(store: Store) -> Store:
    """A log whose candidate answers a tenth of the traffic."""
    event = Event("bikes", "promote", "ann", "test", NOON, {})
    store.append_event(event, control={"stage": "canary", "share": 0.1, "version": "v1"})
    return store


@pytest.fixture
def pending(store: Store) -> Pending:
    """One proposal, queued with the incumbent's decision."""
    found = Pending(store)
    incumbents = decision("d1", arm=Arm.INCUMBENT, version="rule", action=2, reason="pending")
    store.append_decisions([incumbents], beside=lambda connection, rows: found.queue(connection, [ROW]))
    return found


def test_what_is_queued_waits_until_its_deadline(pending: Pending) -> None:
    assert pending.open("bikes", NOON) == [ROW]
    assert pending.open("bikes", UNTIL - timedelta(microseconds=1)) == [ROW]
    assert pending.open("bikes", UNTIL) == []
    assert pending.open("other", NOON) == []
    assert (pending.find("bikes", "d1"), pending.find("bikes", "d2")) == (ROW, None)
    assert ROW.as_dict()["until"] == "2011-10-01T12:10:00.000000Z"


def test_the_most_urgent_comes_first(pending: Pending, store: Store) -> None:
    sooner = replace(ROW, decision_id="d2", until=NOON + timedelta(minutes=1))
    with store.database.writing() as connection:
        pending.queue(connection, [sooner, replace(ROW, action=9)])  # the second is a repeat, and changes nothing
    assert pending.open("bikes", NOON) == [sooner, ROW]


@pytest.mark.parametrize("by", ["kill", "rollback", "another version"])
def test_what_a_stop_has_voided_no_longer_waits(pending: Pending, store: Store, by: str) -> None:
    if by == "kill":
        store.kill("bikes", actor="ann", reason="odd", at=NOON)
    else:
        control = {"stage": "rolled_back"} if by == "rollback" else {"version": "v2"}
        store.append_event(Event("bikes", "rollback", "ann", "test", NOON, {}), control=control)
    assert pending.open("bikes", NOON) == []


def test_an_approval_is_a_decision_of_its_own_and_an_event_in_the_chain(pending: Pending, store: Store) -> None:
    at = NOON + timedelta(minutes=5)
    made = pending.approve("bikes", "d1", actor="bob", at=at, reason="looks right")
    first = store.decision("bikes", "d1")
    assert first is not None
    assert (first.arm, first.action) == (Arm.INCUMBENT, 2)
    assert store.decision("bikes", "d1:approved") == made
    assert (made.arm, made.action, made.version, made.reason) == (Arm.HUMAN, 5, "v1", "approved")
    assert (made.propensity, made.decided_at, made.explored, made.confidence) == (None, at, False, 0.75)
    assert (made.context, made.observation, made.unit_id) == (first.context, first.observation, first.unit_id)
    event = store.events("bikes")[-1]
    assert (event.kind, event.actor, event.reason) == ("pending_approved", "bob", "looks right")
    assert event.payload == {"decision_id": "d1", "approved": "d1:approved", "action": 5}
    assert store.verify("bikes").intact
    found = pending.find("bikes", "d1")
    assert found is not None
    assert (found.status, found.decided_by, found.decided_at) == ("approved", "bob", at)
    assert pending.open("bikes", NOON) == []


def test_a_client_that_took_the_id_of_an_approval_cannot_prevent_it(pending: Pending, store: Store) -> None:
    store.append_decisions([decision("d1:approved", arm=Arm.INCUMBENT, version="rule", action=2)])
    made = pending.approve("bikes", "d1", actor="bob", at=NOON)
    assert re.fullmatch("d1:approved-[0-9a-f]{16}", made.decision_id)
    assert (made.arm, made.action) == (Arm.HUMAN, 5)
    assert store.decision("bikes", made.decision_id) == made
    assert store.events("bikes")[-1].payload["approved"] == made.decision_id
    taken = store.decision("bikes", "d1:approved")
    assert taken is not None
    assert taken.arm is Arm.INCUMBENT


def test_approving_twice_is_void(pending: Pending, store: Store) -> None:
    pending.approve("bikes", "d1", actor="bob", at=NOON)
    with pytest.raises(MoveError, match="was approved by bob"):
        pending.approve("bikes", "d1", actor="cid", at=NOON)
    with pytest.raises(MoveError, match="was approved"):
        pending.reject("bikes", "d1", actor="cid", reason="no", at=NOON)
    assert store.counts("bikes")["decisions"] == 2


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=1)])
def test_approving_late_is_void(pending: Pending, store: Store, late: timedelta) -> None:
    with pytest.raises(MoveError, match="deadline"):
        pending.approve("bikes", "d1", actor="bob", at=UNTIL + late)
    assert store.counts("bikes")["decisions"] == 1


def test_approving_after_a_kill_is_void_and_after_the_restore_too(pending: Pending, store: Store) -> None:
    store.kill("bikes", actor="ann", reason="enough", at=NOON)
    with pytest.raises(MoveError, match="before a kill"):
        pending.approve("bikes", "d1", actor="bob", at=NOON)
    store.restore("bikes", actor="ann", reason="fine", at=NOON)
    with pytest.raises(MoveError, match="before a kill"):
        pending.approve("bikes", "d1", actor="bob", at=NOON)
    assert store.counts("bikes")["decisions"] == 1


@pytest.mark.parametrize("control", [{"stage": "rolled_back", "share": 0.0}, {"version": "v2"}])
def test_approving_what_a_candidate_proposed_that_was_taken_off_is_void(
    pending: Pending, store: Store, control: dict[str, object]
) -> None:
    store.append_event(Event("bikes", "rollback", "ann", "", NOON, {}), control=control)
    with pytest.raises(MoveError, match="taken off"):
        pending.approve("bikes", "d1", actor="bob", at=NOON)


def test_a_rejection_leaves_the_incumbents_action(pending: Pending, store: Store) -> None:
    row = pending.reject("bikes", "d1", actor="bob", reason="too dear", at=NOON)
    assert (row.status, row.decided_by) == ("rejected", "bob")
    assert pending.find("bikes", "d1") == row
    event = store.events("bikes")[-1]
    assert (event.kind, event.reason) == ("pending_rejected", "too dear")
    assert store.counts("bikes")["decisions"] == 1
    with pytest.raises(MoveError, match="was rejected by bob"):
        pending.approve("bikes", "d1", actor="bob", at=NOON)


def test_nobody_and_what_never_waited_are_refused(pending: Pending) -> None:
    with pytest.raises(MoveError, match="nobody"):
        pending.approve("bikes", "d1", actor=" ", at=NOON)
    with pytest.raises(UnknownError):
        pending.approve("bikes", "d9", actor="bob", at=NOON)


def test_what_nobody_answered_expires(pending: Pending) -> None:
    pending.expire("bikes", UNTIL - timedelta(seconds=1))
    assert pending.open("bikes", NOON) == [ROW]
    pending.expire("bikes", UNTIL)
    found = pending.find("bikes", "d1")
    assert found is not None
    assert (found.status, found.decided_at) == ("expired", UNTIL)
    with pytest.raises(MoveError, match="expired by nobody"):
        pending.approve("bikes", "d1", actor="bob", at=NOON)


def test_an_approval_whose_event_cannot_be_written_is_none(
    pending: Pending, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision, status and event are one transaction."""

    def fail(*_: object) -> None:
        raise StoreError(expected="a disk", found="none", where="here", fix="mount it")

    monkeypatch.setattr("tenure.store.pending.events.append_numbered", fail)
    with pytest.raises(StoreError):
        pending.approve("bikes", "d1", actor="bob", at=NOON)
    assert store.counts("bikes")["decisions"] == 1
    assert pending.open("bikes", NOON) == [ROW]


def test_an_approval_moves_no_rollout(pending: Pending, store: Store) -> None:
    """A step decided before it still holds after it."""
    last = store.events("bikes")[-1].sequence
    pending.approve("bikes", "d1", actor="bob", at=NOON)
    store.append_event(Event("bikes", "pause", "ann", "", NOON, {}), expect_last_event=last)
