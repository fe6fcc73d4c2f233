"""The chain finds an edited, moved, missing or added row."""

from __future__ import annotations

import hashlib
from pathlib import Path

import apsw
import pytest

from tenure.core.decision import Arm
from tenure.core.errors import UnknownError
from tenure.store import Event, SqliteStore
from tenure.store.chain import GENESIS, Link, chained, verify_chain

from .rows import NOON, decision


@pytest.fixture
def written(store: SqliteStore) -> SqliteStore:
    """Rows 1-3 one commit, 4 an event, 5 a correction, 6-7 one commit, 8 a kill."""
    store.append_decisions([decision("a"), decision("b"), decision("c")])
    store.append_event(Event("bikes", "start", "ann", "ready", NOON, {"n": 3}))
    store.append_correction("bikes", "a", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="expired", at=NOON)
    store.append_decisions([decision("d"), decision("e")])
    store.kill("bikes", actor="ann", reason="drill", at=NOON)
    return store


def test_a_hash_covers_the_hash_before_it_and_the_rows_in_order() -> None:
    assert chained(GENESIS, [b"one", b"two"]) == hashlib.sha256(bytes(32) + b"onetwo").digest()


def test_an_empty_log_is_intact(store: SqliteStore) -> None:
    found = store.verify("bikes")
    assert (found.intact, found.rows, found.first_bad) == (True, 0, None)


def test_an_untouched_log_is_intact(written: SqliteStore) -> None:
    found = written.verify("bikes")
    assert (found.intact, found.rows, found.first_bad) == (True, 8, None)
    assert found.reason == "all 8 rows are as they were committed"


def test_a_problem_that_was_never_opened_cannot_be_verified(store: SqliteStore) -> None:
    with pytest.raises(UnknownError):
        store.verify("other")


SWAP = """UPDATE decision SET sequence = 100 WHERE sequence = 6; UPDATE decision SET sequence = 6 WHERE sequence = 7;
UPDATE decision SET sequence = 7 WHERE sequence = 100"""
COPY = """INSERT INTO decision SELECT 'x', problem, problem_version, unit_id, episode_id, step, decided_at, context,
observation, mask, stage, arm, version, action, propensity, explored, confidence, kill_epoch, reason, latency_us,
request_hash, density, candidates, position, 9, nonce, erased, vector FROM decision WHERE sequence = 1"""


@pytest.mark.parametrize(
    ("edit", "first_bad", "rows", "reason"),
    [
        ("UPDATE decision SET action = 3 WHERE sequence = 2", 1, 0, "rows 1 to 3 are not what was committed"),
        ("UPDATE decision SET propensity = NULL WHERE sequence = 7", 6, 5, "rows 6 to 7 are not"),
        ("UPDATE event SET actor = 'bob' WHERE sequence = 4", 4, 3, "rows 4 to 4 are not"),
        ("UPDATE correction SET arm = 'candidate'", 5, 4, "rows 5 to 5 are not"),
        ("DELETE FROM correction", 5, 4, "rows 5 to 5 are not"),
        ("DELETE FROM decision WHERE sequence = 2", 2, 0, "row 2 is missing"),
        ("DELETE FROM event WHERE sequence = 8", 8, 7, "row 8 is missing"),
        (SWAP, 6, 5, "rows 6 to 7 are not"),
        (COPY, 9, 8, "row 9 belongs to no commit"),
        ("DELETE FROM commit_log WHERE first_sequence = 4", 4, 3, "the commit that starts with row 4 is missing"),
        ("UPDATE commit_log SET prev_hash = hash WHERE first_sequence = 4", 4, 3, "does not follow the one before"),
        (
            "DELETE FROM event WHERE sequence = 8; DELETE FROM commit_log WHERE first_sequence = 8",
            8,
            7,
            "its head says 8",
        ),
        ("UPDATE head SET hash = zeroblob(32)", 9, 8, "the log ends at row 8"),
        (
            "INSERT INTO correction VALUES ('bikes', 2, 'b', 0, 'incumbent', 1.0, 'forged', NULL)",
            2,
            8,
            "the correction at 2 was never committed",
        ),
        (
            "INSERT INTO correction VALUES ('bikes', 4, 'b', 0, 'incumbent', 1.0, 'forged', NULL)",
            4,
            3,
            "rows 4 to 4 are not",
        ),
    ],
)
def test_an_edit_behind_the_stores_back_is_found_where_it_was_made(
    written: SqliteStore, path: Path, edit: str, first_bad: int, rows: int, reason: str
) -> None:
    raw = apsw.Connection(str(path))
    raw.execute(edit)
    raw.close()
    found = written.verify("bikes")
    assert (found.intact, found.first_bad, found.rows) == (False, first_bad, rows)
    assert reason in found.reason


def test_a_commit_that_ends_before_it_starts_is_not_accepted() -> None:
    backwards = Link(1, 0, GENESIS, chained(GENESIS, []))
    assert not verify_chain([backwards], [], backwards).intact
