"""Group commits: numbered without gaps, fenced, each id once; corrections hold for every reader."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from tenure.core.decision import Arm
from tenure.core.errors import UnknownError
from tenure.store import Event, SqliteStore, Store

from .rows import NOON, SIGNALS, WAIT, decision, outcome, proposal


def test_a_decision_comes_back_as_it_was_written(store: Store) -> None:
    row = decision("a", mask=b"\x01\x00", episode_id=None, step=None, propensity=None, explored=True)
    written = store.append_decisions([row]).written
    assert written == (
        decision("a", mask=b"\x01\x00", episode_id=None, step=None, propensity=None, explored=True, sequence=1),
    )
    assert store.decision("bikes", "a") == written[0]
    assert store.decision("bikes", "b") is None
    assert store.decision("other", "a") is None


def test_a_moment_in_another_zone_is_stored_as_the_same_moment_in_utc(store: Store) -> None:
    store.append_decisions([decision("a", decided_at=datetime(2011, 10, 1, 14, tzinfo=timezone(timedelta(hours=2))))])
    found = store.decision("bikes", "a")
    assert found is not None
    assert found.decided_at == NOON
    assert found.decided_at.tzinfo is UTC


def test_a_context_keeps_what_json_cannot_say(store: Store) -> None:
    store.append_decisions([decision("a", context={"x": math.inf, "y": math.nan, "z": np.float32(0.5)})])
    found = store.decision("bikes", "a")
    assert found is not None
    assert found.context["x"] == math.inf
    assert math.isnan(found.context["y"])
    assert found.context["z"] == 0.5


def test_a_context_of_anything_but_numbers_is_refused(store: Store) -> None:
    with pytest.raises(TypeError, match="not a JSON value"):
        store.append_decisions([decision("a", context={"x": object()})])
    assert store.control("bikes").sequence == 0


def test_decisions_and_events_share_one_order_without_gaps(store: Store) -> None:
    first = store.append_decisions([decision("a"), decision("b")]).written
    event = store.append_event(Event("bikes", "pause", "ann", "look", NOON, {}))
    store.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="expired", at=NOON)
    second = store.append_decisions([decision("c")]).written
    assert [row.sequence for row in first + second] == [1, 2, 5]
    assert event.sequence == 3
    assert [(row.kind, row.sequence) for row in store.events("bikes")] == [("pause", 3), ("correction", 4)]
    assert store.control("bikes").sequence == 5


def test_an_id_is_written_once_and_takes_no_second_number(store: Store) -> None:
    (first,) = store.append_decisions([decision("a")]).written
    again = store.append_decisions([decision("b"), decision("a", action=9), decision("c")])
    assert again.existing == (first,)
    assert [(row.decision_id, row.sequence) for row in again.written] == [("b", 2), ("c", 3)]
    assert store.counts("bikes")["decisions"] == 3


def test_what_a_repeat_undoes_is_written_once_by_the_second_attempt(store: Store) -> None:
    store.append_decisions([decision("a")])
    store.append_outcomes("bikes", [outcome("o", "b")], received_at=NOON, wait=WAIT, signals=SIGNALS)
    beside: list[list[str]] = []
    found = store.append_decisions(
        [decision("b"), decision("a")], beside=lambda _, rows: beside.append([row.decision_id for row in rows])
    )
    assert ([row.decision_id for row in found.written], beside) == (["b"], [["b"]])
    assert store.counts("bikes")["early"] == 1
    assert store.verify("bikes").rows == 2


def test_of_two_rows_with_one_id_in_a_batch_the_first_wins(store: Store) -> None:
    found = store.append_decisions([decision("a", action=1), decision("a", action=2)])
    assert [row.action for row in found.written] == [1]
    assert found.existing == found.written
    assert store.control("bikes").sequence == 1


def test_two_equal_rows_in_a_batch_are_one_written_and_one_existing(store: Store) -> None:
    row = decision("a")
    found = store.append_decisions([row, row, decision("a")])
    assert [len(found.written), len(found.existing), len(found.fenced)] == [1, 2, 0]


def test_the_same_id_may_be_used_in_two_problems_each_with_its_own_order(store: Store) -> None:
    store.open_problem("trades", "salt")
    found = store.append_decisions([decision("a"), decision("a", problem="trades")])
    assert [(row.problem, row.sequence) for row in found.written] == [("bikes", 1), ("trades", 1)]
    assert store.verify("bikes").intact
    assert store.verify("trades").intact


def test_nothing_is_written_for_no_rows(store: Store) -> None:
    assert store.append_decisions([]).written == ()
    assert store.control("bikes").sequence == 0


def test_nothing_learned_is_written_while_killed_whatever_epoch_its_server_believes_in(store: Store) -> None:
    epoch = store.kill("bikes", actor="ann", reason="drill", at=NOON).kill_epoch
    learned, ruled = decision("a", kill_epoch=epoch), decision("b", kill_epoch=epoch, arm=Arm.INCUMBENT)
    assert store.append_decisions([ruled, learned]).fenced == (ruled, learned)
    assert len(store.append_decisions([ruled]).written) == 1
    epoch = store.restore("bikes", actor="ann", reason="drill", at=NOON).kill_epoch
    assert len(store.append_decisions([decision("a", kill_epoch=epoch)]).written) == 1


def test_rows_of_a_passed_epoch_are_fenced_and_not_written(store: Store) -> None:
    store.kill("bikes", actor="ann", reason="drill", at=NOON)
    stale, current = decision("a"), decision("b", kill_epoch=1, arm=Arm.INCUMBENT)
    found = store.append_decisions([stale, current, decision("a")])
    assert found.fenced == (stale, stale)
    assert [(row.decision_id, row.sequence) for row in found.written] == [("b", 2)]
    assert store.decision("bikes", "a") is None
    assert store.verify("bikes").rows == 2


def test_a_kill_fences_a_second_store_on_the_same_file(store: SqliteStore, path: Path) -> None:
    with SqliteStore(path, synchronous="OFF") as replica:
        seen = replica.control("bikes")
        replica.append_decisions([decision("before", kill_epoch=seen.kill_epoch)])
        killed = store.kill("bikes", actor="ann", reason="drill", at=NOON)
        found = replica.append_decisions([decision("after", kill_epoch=seen.kill_epoch)])
        assert [row.decision_id for row in found.fenced] == ["after"]
        assert replica.control("bikes") == killed
        assert replica.learned_after("bikes", killed.sequence) == 0
        assert replica.control("bikes").sequence == killed.sequence


def test_a_retry_after_a_kill_gets_the_stored_row_not_a_fence(store: Store) -> None:
    (row,) = store.append_decisions([decision("a")]).written
    store.kill("bikes", actor="ann", reason="drill", at=NOON)
    again = store.append_decisions([decision("a")])
    assert (again.existing, again.fenced) == ((row,), ())


def test_a_commit_stands_until_a_kill_a_restore_or_a_correction(store: Store) -> None:
    (row,) = store.append_decisions([decision("a")]).written
    assert store.still_stands("bikes", 0, row.sequence)
    store.append_correction(
        "bikes", "a", action=0, arm=Arm.FALLBACK, propensity=None, reason="expired", at=NOON, unless_measured=True
    )
    assert not store.still_stands("bikes", 0, row.sequence)
    (row,) = store.append_decisions([decision("b")]).written
    assert store.still_stands("bikes", 0, row.sequence)
    killed = store.kill("bikes", actor="ann", reason="drill", at=NOON)
    assert not store.still_stands("bikes", 0, row.sequence)
    assert store.still_stands("bikes", killed.kill_epoch, killed.sequence)
    with pytest.raises(UnknownError, match="other"):
        store.still_stands("other", 0, 0)


def test_a_problem_that_was_never_opened_is_unknown_not_fenced(store: Store) -> None:
    with pytest.raises(UnknownError, match="other"):
        store.append_decisions([decision("a"), decision("a", problem="other")])
    assert store.decision("bikes", "a") is None


def test_every_reader_applies_the_latest_correction(store: Store) -> None:
    store.append_decisions([decision("a"), decision("b")])
    store.append_correction("bikes", "a", action=7, arm=Arm.FALLBACK, propensity=0.5, reason="first", at=NOON)
    store.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=None, reason="expired", at=NOON)
    corrected = decision("a", action=0, arm=Arm.INCUMBENT, propensity=None, reason="expired", sequence=1)
    assert store.decision("bikes", "a") == corrected
    assert store.append_decisions([decision("a")]).existing == (corrected,)
    log = store.read_log("bikes")
    assert log.action.tolist() == [0, 2]
    assert log.arm == ["incumbent", "candidate"]
    assert np.isnan(log.propensity[0])
    assert store.learned_after("bikes", 0) == 1
    counts = store.counts("bikes")
    assert (counts["learned"], counts["corrections"], counts["decisions"]) == (1, 2, 2)


def test_a_correction_names_what_was_done_in_its_event(store: Store) -> None:
    store.append_decisions([decision("a")])
    store.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=0.5, reason="expired", at=NOON)
    (event,) = store.events("bikes")
    assert event.payload == {"decision_id": "a", "action": 0, "arm": "incumbent", "propensity": 0.5}
    assert (event.reason, event.sequence) == ("expired", 2)


def test_a_correction_is_written_even_after_a_kill(store: Store) -> None:
    store.append_decisions([decision("a")])
    store.kill("bikes", actor="ann", reason="drill", at=NOON)
    store.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="killed", at=NOON)
    assert store.learned_after("bikes", 0) == 0


def test_a_correction_of_an_unknown_decision_is_refused(store: Store) -> None:
    with pytest.raises(UnknownError, match="'a'"):
        store.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="x", at=NOON)
    assert store.control("bikes").sequence == 0


def test_a_proposal_is_kept_once_per_decision_arm_and_version(store: Store) -> None:
    store.append_decisions([decision("a")])
    store.append_proposals("bikes", [proposal("a"), proposal("a", action=6)])
    store.append_proposals("bikes", [proposal("a", action=7), proposal("a", version="v3", action=8)])
    assert store.counts("bikes")["proposals"] == 2
    log = store.read_log("bikes")
    assert (log.shadow_action.tolist(), log.shadow_version) == ([8], ["v3"])


def test_a_decision_adopts_the_outcomes_that_came_before_it_and_the_first_counts(store: Store) -> None:
    batch = [outcome("o1", "a", cost=1.0), outcome("o2", "a", cost=2.0)]
    store.append_outcomes("bikes", batch, received_at=NOON, wait=WAIT, signals=SIGNALS)
    store.append_decisions([decision("a")])
    assert store.read_log("bikes").signals["cost"].tolist() == [1.0]
    counts = store.counts("bikes")
    assert (counts["early"], counts["orphan"]) == (2, 0)
