"""Control events: the head row changes only with the event that records it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenure.core.decision import Arm
from tenure.core.errors import FencedError, MoveError, UnknownError
from tenure.store import Control, Event, Store

from .rows import NOON, decision

START = Event(
    "bikes", "start", "ann", "gates passed", NOON, {"gates": ["reward", "shadow"], "ess": 812.5, "note": None}
)


def test_a_fresh_problem_has_no_rollout(store: Store) -> None:
    expected = Control("bikes", 0, 0, False, "none", 0.0, None, False, "salt", None)
    assert store.control("bikes") == expected


def test_the_stored_salt_wins_so_that_units_keep_their_arm(store: Store) -> None:
    assert store.open_problem("bikes", "another").salt == "salt"


def test_an_unknown_problem_has_no_control_row(store: Store) -> None:
    with pytest.raises(UnknownError, match="open the problem first"):
        store.control("other")
    with pytest.raises(UnknownError):
        store.kill("other", actor="ann", reason="drill", at=NOON)


def test_an_event_and_the_columns_it_sets_are_one_step(store: Store) -> None:
    written = store.append_event(START, control={"stage": "canary", "share": 0.01, "version": "v1", "paused": True})
    assert store.control("bikes") == Control("bikes", 1, 0, False, "canary", 0.01, "v1", True, "salt", NOON)
    assert store.events("bikes") == [written]
    assert (written.sequence, written.payload) == (1, START.payload)


def test_an_event_without_columns_leaves_the_moment_of_change_alone(store: Store) -> None:
    store.append_event(START, control={"stage": "shadow"})
    store.append_event(Event("bikes", "hold", "tick", "too few", NOON + timedelta(days=1), {}))
    assert store.control("bikes").changed_at == NOON


def test_an_event_may_not_set_the_order_or_the_salt(store: Store) -> None:
    with pytest.raises(ValueError, match="salt"):
        store.append_event(START, control={"salt": "x"})
    assert store.events("bikes") == []


def test_a_step_decided_under_a_passed_epoch_changes_nothing(store: Store) -> None:
    store.append_event(START, expect_sequence_epoch=0)
    killed = store.kill("bikes", actor="ann", reason="drill", at=NOON)
    with pytest.raises(FencedError, match="kill epoch 1; found kill epoch 0"):
        store.append_event(START, control={"stage": "full"}, expect_sequence_epoch=0)
    assert store.control("bikes") == killed
    assert [event.kind for event in store.events("bikes")] == ["start", "kill"]


def test_a_kill_stops_and_moves_the_epoch_in_the_same_order(store: Store) -> None:
    store.append_event(START, control={"stage": "canary", "share": 0.1, "version": "v1"})
    later = NOON + timedelta(hours=1)
    control = store.kill("bikes", actor="ann", reason="harm seen", at=later)
    assert control == Control("bikes", 2, 1, True, "canary", 0.1, "v1", False, "salt", later)
    assert control == store.control("bikes")
    assert store.events("bikes", 1) == [Event("bikes", "kill", "ann", "harm seen", later, {"kill_epoch": 1}, 2)]


def test_a_restore_gives_no_traffic_back_and_fences_what_was_decided_before_it(store: Store) -> None:
    store.append_event(START, control={"stage": "full", "share": 1.0, "version": "v1"})
    store.kill("bikes", actor="ann", reason="harm seen", at=NOON)
    control = store.restore("bikes", actor="bob", reason="mended", at=NOON)
    assert (control.killed, control.stage, control.share, control.kill_epoch) == (False, "rolled_back", 0.0, 2)
    assert len(store.append_decisions([decision("a", kill_epoch=1)]).fenced) == 1
    assert store.events("bikes", 2) == [Event("bikes", "restore", "bob", "mended", NOON, {"kill_epoch": 2}, 3)]


def test_decisions_learned_after_a_number_are_those_of_the_candidate(store: Store) -> None:
    store.append_decisions([decision("a"), decision("b"), decision("c", arm=Arm.HUMAN)])
    assert [store.learned_after("bikes", number) for number in (0, 1, 2)] == [2, 1, 0]


def test_a_step_decided_before_anothers_is_fenced_and_changes_nothing(store: Store) -> None:
    first = store.append_event(START, control={"stage": "shadow"}, expect_last_event=0)
    with pytest.raises(FencedError, match="somebody else moved the rollout"):
        store.append_event(START, control={"share": 1.0}, expect_last_event=0)
    assert store.control("bikes").share == 0
    store.append_event(START, control={"share": 0.1}, expect_last_event=first.sequence)
    assert store.control("bikes").share == 0.1


def test_a_correction_between_two_moves_fences_nothing(store: Store) -> None:
    first = store.append_event(START)
    store.append_decisions([decision("d1")])
    store.append_correction("bikes", "d1", action=0, arm=Arm.FALLBACK, propensity=None, reason="killed", at=NOON)
    assert store.append_event(START, expect_last_event=first.sequence).sequence == 4


def test_a_note_between_two_moves_fences_nothing(store: Store) -> None:
    first = store.append_event(START)
    store.append_decisions([decision("d1")])
    store.append_note("bikes", "d1", "the bridge was closed", actor="ann", at=NOON)
    assert store.append_event(START, expect_last_event=first.sequence).sequence == 4


def test_what_is_not_killed_cannot_be_restored_and_keeps_its_share(store: Store) -> None:
    store.append_event(START, control={"stage": "full", "share": 1.0, "version": "v1"})
    with pytest.raises(MoveError, match="a kill to lift"):
        store.restore("bikes", actor="ann", reason="typo", at=NOON)
    assert (store.control("bikes").stage, store.control("bikes").share) == ("full", 1.0)
