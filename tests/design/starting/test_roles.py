"""Which column is what: by what a person says, then by name, then by behaviour; else an error names the choices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.design.starting.tables import offers, written

from tenure.core.errors import DataError
from tenure.design.starting.roles import Roles, Told, guess_roles
from tenure.design.starting.table import read_table
from tenure.store.tables.words import lower_is_better


def roles(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], told: Told | None = None) -> Roles:
    return guess_roles(read_table(written(path / "log.csv", header, rows)), told or Told())


def test_words_of_the_field_are_understood(tmp_path: Path) -> None:
    found = guess_roles(read_table(offers(tmp_path / "log.csv")), Told())
    assert (found.action, found.outcome, found.time) == ("offer", "revenue", "time")
    assert found.rest == ("age", "segment")
    assert {guess.column: guess.role for guess in found.guesses} == {
        "time": "time",
        "offer": "action",
        "revenue": "outcome",
    }


def test_what_a_person_says_goes_before_names(tmp_path: Path) -> None:
    found = guess_roles(
        read_table(offers(tmp_path / "log.csv")), Told(action="segment", outcome="age", ignore=("offer",))
    )
    assert (found.action, found.outcome) == ("segment", "age")
    assert found.left_out["offer"] == "as you said"


def test_without_names_the_one_text_of_few_values_is_the_action_and_the_last_number_the_outcome(tmp_path: Path) -> None:
    rows = [(i / 7, "left" if i % 3 else "right", i % 5) for i in range(40)]
    found = roles(tmp_path, ("a", "b", "c"), rows)
    assert (found.action, found.outcome, found.rest) == ("b", "c", ("a",))


def test_two_texts_of_few_values_are_no_guess_but_a_question(tmp_path: Path) -> None:
    rows = [(i / 7, "left" if i % 3 else "right", "x" if i % 2 else "y") for i in range(40)]
    with pytest.raises(DataError, match=r"b \(2 values\), c \(2 values\).*--action"):
        roles(tmp_path, ("a", "b", "c"), rows)


def test_ids_constants_row_numbers_and_empty_columns_say_nothing(tmp_path: Path) -> None:
    rows = [(i, f"n-{i}", 7, "", i % 2, i % 3, (i * i) % 11) for i in range(60)]
    found = roles(tmp_path, ("nr", "code", "same", "void", "action", "reward", "load"), rows)
    assert found.rest == ("load",)
    assert set(found.left_out) == {"nr", "code", "same", "void"}


def test_empty_columns_of_an_export_play_no_role(tmp_path: Path) -> None:
    rows = [("", "", i % 2, i % 3) for i in range(20)]
    found = roles(tmp_path, ("episode_id", "step", "action", "reward"), rows)
    assert (found.episode, found.step) == (None, None)


def test_a_number_called_tenure_is_how_long_a_customer_has_been_one(tmp_path: Path) -> None:
    rows = [(i % 7, i % 2, i % 3) for i in range(20)]
    assert roles(tmp_path, ("tenure", "action", "reward"), rows).rest == ("tenure",)


def test_a_propensity_in_its_range_is_taken(tmp_path: Path) -> None:
    rows = [(i % 2, i % 3, 0.5 if i else 0.25) for i in range(20)]
    assert roles(tmp_path, ("action", "reward", "propensity"), rows).propensity == "propensity"


@pytest.mark.parametrize(
    ("rows", "told", "said"),
    [
        ([("a", i % 3) for i in range(20)], Told(), "only 'a'"),
        ([("a", 1), ("b", 1)] * 10, Told(), "the same number in every row"),
        ([("a", "x"), ("b", "y")] * 10, Told(outcome="reward"), "a column of text"),
        ([(f"a{i}", i % 3) for i in range(300)], Told(action="action"), "300 different values"),
        ([("a", 1), ("b", 2)] * 10, Told(time="when"), r"\['when'\]"),
        ([("a", 1), ("b", 2)] * 10, Told(action="action", ignore=("action",)), "'action' in two options"),
    ],
)
def test_what_cannot_be_a_log_of_decisions_is_refused_with_its_place(
    tmp_path: Path, rows: list[Any], told: Told, said: str
) -> None:
    with pytest.raises(DataError, match=said) as error:
        roles(tmp_path, ("action", "reward"), rows, told)
    assert "log.csv" in error.value.where
    assert error.value.fix


@pytest.mark.parametrize(("name", "lower"), [("delivery_cost", True), ("waitingTime", True), ("revenue", False)])
def test_names_say_which_way_is_better(name: str, lower: bool) -> None:
    assert lower_is_better(name) is lower


def test_a_flag_that_says_yes_and_no_is_an_ordinary_column_and_one_with_reasons_is_the_logs(tmp_path: Path) -> None:
    header = ("action", "reward", "flag")
    assert roles(tmp_path, header, [(i % 2, i % 3, "ny"[i % 5 == 0]) for i in range(40)]).rest == ("flag",)
    found = roles(tmp_path, header, [(i % 2, i % 3, ("", "late")[i % 5 == 0]) for i in range(40)])
    assert found.left_out == {"flag": "a log's flag"}
