"""Forgetting a unit: nothing says who it was, the chain still proves what was done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import apsw
import numpy as np
import pytest

from tenure.core.decision import Arm, Decision, Outcome
from tenure.core.errors import UnknownError
from tenure.store import SqliteStore, Store
from tenure.store.erasure import FORGET, Forgotten, forget
from tenure.store.outcomes import FORGOTTEN

from .rows import NOON, SIGNALS, WAIT, decision, outcome, proposal

UNIT = "Wilhelmina Roßkamp"
CONTEXT = {"bikes": 4.0, "street": "Zeppelinstraße 12"}


@pytest.fixture
def filled(store: Store) -> Store:
    """Decisions a and c of the unit, b of another; a and b have outcomes and proposals."""
    rows = [decision(name, unit_id=UNIT, episode_id=UNIT, context=CONTEXT, candidates='[{"x":1}]') for name in "ac"]
    store.append_decisions([rows[0], decision("b"), rows[1]])
    send(store, outcome("o", "a", cost=777.125), outcome("o", "b"))
    store.append_proposals("bikes", [proposal("a"), proposal("b")])
    return store


def send(store: Store, *outcomes: Outcome) -> list[str]:
    receipts = store.append_outcomes("bikes", outcomes, received_at=NOON, wait=WAIT, signals=SIGNALS)
    return [f"{receipt.status} {receipt.place.value}" for receipt in receipts]


def forgotten(store: Store, unit: str = UNIT) -> Forgotten:
    return forget(store, "bikes", unit, actor="ann", at=NOON)


def found(store: Store, name: str) -> Decision:
    row = store.decision("bikes", name)
    assert row is not None
    return row


def test_what_says_who_it_was_is_gone_and_what_was_done_stays(filled: Store) -> None:
    before = found(filled, "a")
    done = forgotten(filled)
    after = found(filled, "a")
    assert done.decisions == 2
    assert done.pseudonym.startswith("forgotten-")
    assert (after.unit_id, after.episode_id) == (done.pseudonym, done.pseudonym)
    assert (after.context, after.observation, after.candidates, after.request_hash) == ({}, b"", None, "")
    assert (after.action, after.propensity, after.arm, after.decided_at, after.sequence) == (
        before.action, before.propensity, before.arm, before.decided_at, before.sequence,
    )  # fmt: skip
    assert found(filled, "c").unit_id == done.pseudonym
    assert found(filled, "b").context == {"bikes": 4.0, "hour": 12.0}


def test_the_chain_is_intact_before_and_after(filled: Store) -> None:
    forgotten(filled)
    filled.append_decisions([decision("d")])
    assert filled.verify("bikes").intact


def test_the_event_counts_the_decisions_and_never_names_the_unit(filled: Store) -> None:
    forgotten(filled)
    [event] = [event for event in filled.events("bikes") if event.kind == FORGET]
    assert event.payload == {"decisions": 2}
    assert UNIT not in str(event)


def test_readers_leave_out_what_was_forgotten(filled: Store) -> None:
    forgotten(filled)
    assert filled.read_log("bikes").decision_id == ["b"]
    assert [row.decision.decision_id for row in filled.read_rows("bikes", limit=10)] == ["b"]
    counts = filled.counts("bikes")
    assert (counts["decisions"], counts["joined"], counts["proposals"]) == (3, 2, 1)


def test_a_repeat_of_a_forgotten_outcome_exists_and_brings_nothing_back(filled: Store) -> None:
    forgotten(filled)
    assert send(filled, outcome("o", "a", cost=777.125), outcome("o", "b")) == ["exists joined", "exists joined"]
    with filled.database.reading() as connection:
        kept = connection.execute("SELECT signals, counted, note FROM outcome WHERE decision_id = 'a'").fetchall()
    assert kept == [("{}", 0, FORGOTTEN)]


def test_a_new_outcome_of_a_forgotten_decision_is_kept_without_its_content(filled: Store) -> None:
    forgotten(filled)
    assert send(filled, outcome("o", "c", cost=777.125)) == ["created quarantine"]
    assert send(filled, outcome("o", "c", cost=777.125)) == ["exists quarantine"]
    with filled.database.reading() as connection:
        assert connection.execute("SELECT signals FROM outcome WHERE decision_id = 'c'").get == "{}"


def test_the_same_decision_again_is_still_known(filled: Store) -> None:
    forgotten(filled)
    again = filled.append_decisions([decision("a", unit_id=UNIT)])
    assert again.written == ()
    assert again.existing[0].context == {}


def test_a_correction_of_a_forgotten_decision_is_still_applied_and_proved(filled: Store) -> None:
    filled.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="expired", at=NOON)
    forgotten(filled)
    assert found(filled, "a").arm is Arm.INCUMBENT
    assert filled.verify("bikes").intact


def test_forgetting_again_or_a_stranger_changes_nothing(filled: Store) -> None:
    forgotten(filled)
    before = filled.control("bikes").sequence
    assert (forgotten(filled).decisions, forgotten(filled, "nobody").decisions) == (0, 0)
    assert filled.control("bikes").sequence == before


def test_a_unit_seen_again_after_it_was_forgotten_is_forgotten_again_under_another_name(filled: Store) -> None:
    first = forgotten(filled)
    filled.append_decisions([decision("d", unit_id=UNIT)])
    second = forgotten(filled)
    assert second.decisions == 1
    assert second.pseudonym != first.pseudonym


def test_what_people_wrote_on_the_decisions_stays_and_is_counted(filled: Store) -> None:
    filled.append_note("bikes", "a", "she called", actor="ann", at=NOON)
    filled.append_note("bikes", "b", "odd", actor="ann", at=NOON)
    assert forgotten(filled).notes == 1


def test_an_unknown_problem_is_refused(store: Store) -> None:
    with pytest.raises(UnknownError):
        forget(store, "other", UNIT, actor="ann", at=NOON)


@pytest.mark.parametrize(
    ("edit", "first_bad"),
    [
        ("UPDATE decision SET action = 3 WHERE decision_id = 'a'", 1),
        ("UPDATE decision SET propensity = 0.5 WHERE decision_id = 'c'", 1),
        ("UPDATE decision SET erased = zeroblob(32) WHERE decision_id = 'a'", 1),
        ("UPDATE decision SET erased = NULL, nonce = zeroblob(16) WHERE decision_id = 'a'", 1),
    ],
)
def test_an_edit_of_a_forgotten_row_is_still_found(store: Store, path: Path, edit: str, first_bad: int) -> None:
    store.append_decisions([decision(name, unit_id=UNIT) for name in "ac"])
    forgotten(store)
    raw = apsw.Connection(str(path))
    raw.execute(edit)
    raw.close()
    verification = store.verify("bikes")
    assert (verification.intact, verification.first_bad) == (False, first_bad)


def traces(folder: Path, words: Sequence[bytes]) -> dict[str, int]:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: count for name, data in files.items() if (count := sum(data.count(word) for word in words))}


def test_no_byte_of_the_unit_is_left_in_any_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    words = [UNIT.encode(), "Zeppelinstraße".encode(), b"personal-hash", b"777.125"]
    observation = np.array([1234.5, 6789.25], dtype="<f4").tobytes()
    with SqliteStore(tmp_path / "log.db", synchronous="OFF") as store:
        store.open_problem("bikes", "salt")
        for commit in range(60):  # rows of many sizes, so that pages split and rows move
            noise = {"noise": "y" * int(rng.integers(0, 300))}
            rows = [decision(f"{commit}-{row}", unit_id=f"u{row}", context=noise) for row in range(50)]
            about = {**CONTEXT, **noise}
            changes = {"unit_id": UNIT, "context": about, "request_hash": "personal-hash", "observation": observation}
            store.append_decisions([*rows, decision(f"{commit}-x", **changes)])
            send(store, outcome(f"o{commit}", f"{commit}-x", cost=777.125))
        assert sum(traces(tmp_path, [*words, observation]).values()) > 5 * 60
        done = forgotten(store)
        assert (done.decisions, done.scrubbed) == (60, True)
        assert traces(tmp_path, [*words, observation]) == {}
        assert store.verify("bikes").intact


def test_a_reader_that_still_needs_the_write_ahead_log_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with SqliteStore(path, synchronous="OFF", busy_timeout_s=0.01) as store, SqliteStore(path) as other:
        store.open_problem("bikes", "salt")
        store.append_decisions([decision("a", unit_id=UNIT)])
        with other.database.snapshot() as connection:
            assert connection.execute("SELECT count(*) FROM decision").get == 1
            assert not forgotten(store).scrubbed
        assert store.database.scrub()
        assert traces(tmp_path, [UNIT.encode()]) == {}


def test_on_postgresql_the_files_are_the_administrators(request: pytest.FixtureRequest) -> None:
    from tenure.store.opening import open_store

    with open_store(request.getfixturevalue("postgres").fresh()) as store:
        store.open_problem("bikes", "salt")
        assert not forgotten(store).scrubbed
