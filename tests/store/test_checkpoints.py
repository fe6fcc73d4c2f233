"""Signed checkpoints find what a chain alone cannot: a log that was rewritten or cut as a whole."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tenure.core.errors import StoreError, UnknownError
from tenure.store import Store
from tenure.store.chain import GENESIS, chained
from tenure.store.checkpoints import Checkpoint, Signer, read_checkpoints, sign, verify_log
from tenure.store.erasure import forget
from tenure.store.keys import PRIVATE, PUBLIC, key_id, public_key, signing_key
from tenure.store.records import Verification
from tenure.store.rows import decision_bytes, personal_digest

from .rows import NOON, decision


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bikes" / "checkpoints.jsonl"


@pytest.fixture
def signed(store: Store, keys: Path, file: Path) -> Store:
    """Rows a, b, c, each a commit; checkpoints after b and after c."""
    store.append_decisions([decision("a")])
    for name in "bc":
        store.append_decisions([decision(name)])
        sign(store, "bikes", signing_key(keys), NOON, file)
    return store


def verified(store: Store, keys: Path, file: Path) -> Verification:
    return verify_log(store, "bikes", read_checkpoints(store, "bikes", file), public_key(keys))


def edit(store: Store, *statements: str) -> None:
    with store.database.writing() as connection:
        for statement in statements:
            connection.execute(statement)


def rewrite_from(store: Store, first: int) -> None:
    """What somebody does who owns the database: compute every link and the head anew."""
    with store.database.writing() as connection:
        digest = GENESIS
        for values in connection.execute("SELECT * FROM decision ORDER BY sequence").fetchall():
            before, digest = digest, chained(digest, [decision_bytes(values)])
            if values[24] >= first:
                connection.execute(
                    "UPDATE commit_log SET prev_hash = ?, hash = ? WHERE first_sequence = ?",
                    (before, digest, values[24]),
                )
        connection.execute("UPDATE head SET hash = ?", (digest,))


def test_an_untouched_log_agrees_with_all_that_was_signed(signed: Store, keys: Path, file: Path) -> None:
    assert verified(signed, keys, file) == Verification(
        True, 3, None, "all 3 rows are as they were committed", checkpoints=2, erased=0
    )


def test_without_a_key_or_checkpoints_the_chain_alone_speaks(signed: Store, keys: Path, file: Path) -> None:
    everything = read_checkpoints(signed, "bikes", file)
    assert verify_log(signed, "bikes", everything, None).checkpoints == 0
    assert verify_log(signed, "bikes", [], public_key(keys)).intact


def test_an_edit_with_all_that_follows_rewritten_is_found(signed: Store, keys: Path, file: Path) -> None:
    edit(signed, "UPDATE decision SET action = 5 WHERE decision_id = 'c'")
    rewrite_from(signed, 3)
    assert signed.verify("bikes").intact
    found = verified(signed, keys, file)
    assert (found.intact, found.first_bad, found.rows) == (False, 3, 2)
    assert "rows up to 3 are not those that were signed on 2011-10-01" in found.reason


def test_rows_in_another_order_are_found(signed: Store, keys: Path, file: Path) -> None:
    edit(
        signed,
        "UPDATE decision SET sequence = 9 WHERE sequence = 1",
        "UPDATE decision SET sequence = 1 WHERE sequence = 2",
        "UPDATE decision SET sequence = 2 WHERE sequence = 9",
    )
    rewrite_from(signed, 1)
    assert signed.verify("bikes").intact
    assert verified(signed, keys, file).first_bad == 1


CUT = (
    "DELETE FROM decision WHERE sequence = 3",
    "DELETE FROM commit_log WHERE first_sequence = 3",
    "UPDATE head SET sequence = 2, hash = (SELECT hash FROM commit_log WHERE last_sequence = 2)",
)


def test_a_cut_tail_with_a_consistent_head_is_found(signed: Store, keys: Path, file: Path) -> None:
    edit(signed, *CUT)
    assert signed.verify("bikes").intact
    found = verified(signed, keys, file)
    assert (found.intact, found.first_bad) == (False, 3)
    assert "the log ends at row 2; row 3 was signed" in found.reason


def test_a_cut_tail_is_found_by_the_file_where_the_table_was_cut_too(signed: Store, keys: Path, file: Path) -> None:
    edit(signed, *CUT, "DELETE FROM checkpoint WHERE sequence = 3")
    assert verified(signed, keys, file).first_bad == 3


def test_a_cut_tail_is_found_by_the_table_where_the_file_is_lost(signed: Store, keys: Path, file: Path) -> None:
    file.unlink()
    edit(signed, *CUT)
    assert verified(signed, keys, file).first_bad == 3


def test_an_edit_before_the_first_checkpoint_is_found_where_the_chain_finds_it(
    signed: Store, keys: Path, file: Path
) -> None:
    edit(signed, "UPDATE decision SET action = 5 WHERE decision_id = 'a'")
    assert verified(signed, keys, file).first_bad == 1


@pytest.mark.parametrize("change", [{"hash": "00" * 32}, {"at": "2012"}, {"sequence": 1}, {"signature": "zz"}])
def test_a_checkpoint_that_was_changed_is_found(signed: Store, keys: Path, file: Path, change: dict[str, str]) -> None:
    first, last = read_checkpoints(signed, "bikes", file)
    found = verify_log(signed, "bikes", [first, replace(last, **change)], public_key(keys))  # type: ignore[arg-type]
    assert (found.intact, found.first_bad) == (False, 3)
    assert "changed after it was signed" in found.reason


def test_checkpoints_by_another_key_are_counted_apart(signed: Store, tmp_path: Path, keys: Path, file: Path) -> None:
    other = signing_key(tmp_path / "other")
    signed.append_decisions([decision("d")])
    sign(signed, "bikes", other, NOON, file)
    found = verified(signed, keys, file)
    assert (found.checkpoints, found.checkpoints_unchecked) == (2, 1)
    found = verify_log(signed, "bikes", read_checkpoints(signed, "bikes", file), other.public_key())
    assert (found.checkpoints, found.checkpoints_unchecked) == (1, 2)


def test_a_forgotten_unit_breaks_no_checkpoint(signed: Store, keys: Path, file: Path) -> None:
    forget(signed, "bikes", "station-7", actor="ann", at=NOON)
    found = verified(signed, keys, file)
    assert (found.intact, found.erased) == (True, 3)


def test_a_row_emptied_without_an_event_of_erasure_is_found(signed: Store, keys: Path, file: Path) -> None:
    with signed.database.writing() as connection:
        values = connection.execute("SELECT * FROM decision WHERE sequence = 2").fetchone()
        assert values is not None
        emptied = "UPDATE decision SET erased = ?, nonce = NULL, context = '{}' WHERE sequence = 2"
        connection.execute(emptied, (personal_digest(values),))
    assert signed.verify("bikes").intact
    found = verified(signed, keys, file)
    assert not found.intact
    assert "1 rows are erased, the events of erasure say 0" in found.reason


@pytest.mark.parametrize(
    "change",
    [
        "unit_id = 'Wilhelmina'",
        "unit_id = 'forgotten-Wilhelmina Rosk'",
        "unit_id = 'forgotten-0123456789abcde'",
        "episode_id = 'Wilhelmina'",
        """context = '{"street": 1}'""",
        "observation = nonce_of_another",
        "request_hash = 'x'",
        "candidates = '[]'",
        "nonce = nonce_of_another",
    ],
)
def test_an_erased_row_that_was_filled_by_hand_is_found(signed: Store, keys: Path, file: Path, change: str) -> None:
    signed.append_decisions([decision("d", unit_id="other")])
    forget(signed, "bikes", "station-7", actor="ann", at=NOON)
    assert verified(signed, keys, file).intact
    of_another = "(SELECT nonce FROM decision WHERE decision_id = 'd')"
    edit(signed, f"UPDATE decision SET {change.replace('nonce_of_another', of_another)} WHERE sequence = 2")
    assert signed.verify("bikes").intact
    found = verified(signed, keys, file)
    assert (found.intact, found.first_bad, found.rows) == (False, 2, 1)
    assert "says more than an erasure leaves" in found.reason


def test_an_empty_log_has_nothing_to_sign(store: Store, keys: Path, file: Path) -> None:
    assert sign(store, "bikes", signing_key(keys), NOON, file) is None
    assert read_checkpoints(store, "bikes", file) == []
    with pytest.raises(UnknownError):
        sign(store, "other", signing_key(keys), NOON, file)


def test_the_file_and_the_table_tell_the_same_once(signed: Store, file: Path, keys: Path) -> None:
    both = read_checkpoints(signed, "bikes", file)
    file.rename(file.with_name("away"))
    assert read_checkpoints(signed, "bikes", file) == both
    assert [one.sequence for one in both] == [2, 3]


def test_a_line_torn_off_by_a_crash_is_passed_over_and_the_next_begins_anew(
    signed: Store, keys: Path, file: Path
) -> None:
    with file.open("a") as lines:
        lines.write('{"problem": "bikes", "seq')
    assert verified(signed, keys, file).checkpoints == 2
    signed.append_decisions([decision("d")])
    sign(signed, "bikes", signing_key(keys), NOON, file)
    assert [one.sequence for one in lines_of(signed, file)] == [2, 3, 4]


def lines_of(store: Store, file: Path) -> Sequence[Checkpoint]:
    edit(store, "DELETE FROM checkpoint")
    return read_checkpoints(store, "bikes", file)


def test_a_whole_line_that_is_no_checkpoint_is_an_error(signed: Store, file: Path) -> None:
    with file.open("a") as lines:
        lines.write('{"problem": "bikes"}\n')
    with pytest.raises(StoreError, match="line 3"):
        read_checkpoints(signed, "bikes", file)


def test_the_key_is_made_once_and_is_its_owners_alone(keys: Path) -> None:
    first, again = signing_key(keys), signing_key(keys)
    assert key_id(first.public_key()) == key_id(again.public_key()) == key_id(public_key(keys))
    assert stat.S_IMODE((keys / PRIVATE).stat().st_mode) == 0o600
    assert sorted(path.name for path in keys.iterdir()) == [PRIVATE, PUBLIC]


@pytest.mark.parametrize("name", [PRIVATE, PUBLIC])
def test_a_file_that_holds_no_such_key_is_an_error(keys: Path, name: str) -> None:
    signing_key(keys)
    (keys / name).write_text("something else")
    with pytest.raises(StoreError, match="Ed25519"):
        signing_key(keys) if name == PRIVATE else public_key(keys)


def test_a_signer_signs_at_its_start_then_after_so_many_rows_or_so_long(store: Store, keys: Path, file: Path) -> None:
    signer = Signer(store, "bikes", keys, file, every_rows=3, every=timedelta(minutes=1))
    store.append_decisions([decision("a")])

    def signs(sequence: int, seconds: int) -> bool:
        return signer.maybe(NOON + timedelta(seconds=seconds), sequence) is not None

    assert signs(1, 0)
    assert not signs(1, 3600)
    store.append_decisions([decision("b")])
    assert not signs(2, 59)
    assert signs(2, 60)
    store.append_decisions([decision("c"), decision("d"), decision("e")])
    assert not signs(4, 61)
    assert signs(5, 61)
    assert len(read_checkpoints(store, "bikes", file)) == 3
