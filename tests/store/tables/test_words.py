"""Roles by one word of a name: what `tenure init` understands, every reader of logs understands, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.core.errors import DataError
from tenure.store.tables.logfile import open_log
from tenure.store.tables.words import FirstRows, propensity_of


def log(folder: Path, header: str, row: str, n: int = 40) -> Path:
    path = folder / "log.csv"
    lines = [row.format(k=k, ab="ab"[k % 2], hour=k % 24, unit=k % 5, y=k % 3) for k in range(n)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_roles_are_told_by_a_word_and_by_what_the_column_holds(tmp_path: Path) -> None:
    path = log(
        tmp_path, "when,client id,offer_shown,revenue_eur,age", "2026-01-01T{hour:02d}:00:00Z,{unit},{ab},{y},{k}"
    )
    opened = open_log(path)
    assert {role: taken.columns[0] for role, taken in opened.mapping.roles.items()} == {
        "decided_at": "when",
        "unit_id": "client id",
        "action": "offer_shown",
        "reward": "revenue_eur",
    }
    assert opened.names == ("age",)
    assert "action: offer_shown (its name says 'offer', and it has 2 different values)" in opened.summary


def test_an_outcome_of_which_less_is_better_is_turned_and_says_so(tmp_path: Path) -> None:
    opened = open_log(log(tmp_path, "action,waiting cost,x", "{ab},{y},{k}"))
    assert next(iter(opened.batches())).reward[:3].tolist() == [0.0, -1.0, -2.0]
    assert "reward: -waiting cost (its name says so, and it is a number; less is better)" in opened.summary


def test_a_whole_name_goes_before_a_word(tmp_path: Path) -> None:
    opened = open_log(log(tmp_path, "action,policy,reward,revenue", "{ab},{unit},{y},{k}"))
    assert (opened.mapping.column("action"), opened.mapping.column("reward")) == ("action", "reward")
    assert opened.mapping.features == ("policy", "revenue")


def test_an_import_guesses_by_whole_names_only_since_what_it_keeps_stays(tmp_path: Path) -> None:
    opened = open_log(log(tmp_path, "action,revenue", "{ab},{y}"), whole=True)
    assert set(opened.mapping.roles) == {"action"}


def test_a_column_that_a_policy_needs_as_a_feature_stays_one(tmp_path: Path) -> None:
    path = log(tmp_path, "action,reward,client id", "{ab},{y},{unit}")
    assert open_log(path).mapping.column("unit_id") == "client id"
    assert open_log(path, features=["client id"]).names == ("client id",)


@pytest.mark.parametrize(("name", "taken"), [("offer_probability", True), ("fraud_probability", False)])
def test_a_probability_is_a_propensity_only_beside_a_word_for_the_action(name: str, taken: bool) -> None:
    import pyarrow as pa

    rows = FirstRows({name: "number"}, {name: pa.array(["0.5", "0.25"])})
    assert (propensity_of(rows, [name])[0] == name) is taken


def test_where_names_do_not_tell_the_error_shows_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_log(log(tmp_path, "what,came", "{ab},{y}"))
    assert caught.value.fix.splitlines() == [
        "say which column is which in a file, and give it with --mapping FILE; its three lines:",
        "[columns]",
        'action = "COLUMN"',
        'reward = "COLUMN"',
    ]
