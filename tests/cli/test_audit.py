"""`tenure log verify` and `log forget` as their users meet them."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tenure.cli.audit import sign_now
from tenure.cli.workspace import keys_of
from tenure.core.clock import SystemClock
from tenure.store import SqliteStore
from tenure.store.keys import signing_key
from tenure.store.records import Event

from .test_log import csv, run

LINES = ("decision_id,action,propensity,reward,unit_id,x", "d1,a,0.5,1,ann,3", "d2,b,0.5,0,bob,4", "d3,b,0.5,0,ann,5")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    run("import", "shop", csv(tmp_path, *LINES), home=tmp_path)
    with SqliteStore(tmp_path / "shop" / "log.sqlite") as store:
        sign_now(store, "shop", SystemClock().now(), tmp_path)
    return tmp_path


def test_verify_says_how_many_checkpoints_it_held_the_log_against(home: Path) -> None:
    code, found = run("verify", "shop", home=home)
    assert (code, found["intact"], found["checkpoints"], found["erased"]) == (0, True, 1, 0)


def test_verify_finds_a_tail_cut_with_a_consistent_head(home: Path) -> None:
    raw = apsw.Connection(str(home / "shop" / "log.sqlite"))
    last = raw.execute("SELECT max(first_sequence) FROM commit_log").get
    for table, column in (("decision", "sequence"), ("event", "sequence"), ("commit_log", "first_sequence")):
        raw.execute(f"DELETE FROM {table} WHERE {column} >= ?", (last,))
    raw.execute(
        "UPDATE head SET sequence = coalesce((SELECT max(last_sequence) FROM commit_log), 0), "
        "hash = coalesce((SELECT hash FROM commit_log ORDER BY last_sequence DESC LIMIT 1), zeroblob(32))"
    )
    raw.close()
    code, found = run("verify", "shop", home=home)
    assert (code, found["intact"], found["first_bad"]) == (4, False, last)


def test_forget_empties_the_units_decisions_and_verify_counts_them(home: Path) -> None:
    code, found = run("forget", "shop", "ann", "--actor", "officer", home=home)
    assert (code, found["decisions"], found["scrubbed"], found["notes"]) == (0, 2, True, 0)
    code, found = run("verify", "shop", home=home)
    assert (code, found["erased"], found["checkpoints"]) == (0, 2, 2)
    assert run("export", "shop", home / "out.csv", home=home)[1]["rows"] == 1
    assert "ann" not in (home / "out.csv").read_text()


def test_a_unit_nobody_knows_is_no_error(home: Path) -> None:
    assert run("forget", "shop", "carl", home=home)[1]["decisions"] == 0


def edited(home: Path, statement: str) -> None:
    raw = apsw.Connection(str(home / "shop" / "log.sqlite"))
    raw.execute(statement)
    raw.close()


@pytest.mark.parametrize("change", ["killed = 1", "share = 1.0", "kill_epoch = 7", "cap = 0.5", "version = 'v9'"])
def test_verify_finds_a_head_that_says_other_than_the_events(home: Path, change: str) -> None:
    edited(home, f"UPDATE head SET {change}")
    code, found = run("verify", "shop", home=home)
    assert (code, found["intact"], found["first_bad"]) == (4, False, None)
    assert change.split(" ")[0] in found["reason"]


def test_checkpoints_by_another_key_are_told_and_alone_prove_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = keys_of(home)
    keys.rename(home / "lost")
    code, found = run("verify", "shop", home=home)  # no key at all
    assert (code, found["checkpoints"], found["checkpoints_unchecked"]) == (3, 0, 1)
    signing_key(keys)
    assert run("verify", "shop", home=home)[0] == 3  # a key that signed none of them
    with SqliteStore(home / "shop" / "log.sqlite") as store:
        store.append_event(Event("shop", "note", "ann", "one row more", SystemClock().now(), {}))
        sign_now(store, "shop", SystemClock().now(), home)
    code, found = run("verify", "shop", home=home)
    assert (code, found["intact"], found["checkpoints"], found["checkpoints_unchecked"]) == (0, True, 1, 1)
