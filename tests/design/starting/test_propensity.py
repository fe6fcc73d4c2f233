"""A column named like the propensity is one, or is asked about: never a feature in silence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.design.starting.tables import written

from tenure.core.errors import DataError
from tenure.design.starting.roles import Roles, Told, guess_roles
from tenure.design.starting.table import read_table


def roles(folder: Path, cells: Sequence[Any], told: Told | None = None, name: str = "propensity") -> Roles:
    rows = [(i % 2, i % 3, cell) for i, cell in enumerate(cells)]
    return guess_roles(read_table(written(folder / "log.csv", ("action", "reward", name), rows)), told or Told())


@pytest.mark.parametrize("name", ["propensity", "pscore", "action_prob", "offerProbability", "logging propensity"])
@pytest.mark.parametrize("wrong", [0, 1.5, -0.2, "inf"])
def test_one_cell_outside_is_refused_with_its_column_and_line_and_what_to_do(
    tmp_path: Path, name: str, wrong: object
) -> None:
    with pytest.raises(DataError) as error:
        roles(tmp_path, [0.5] * 5 + [wrong] + [0.25] * 14, Told(action="action"), name)
    assert name in error.value.expected
    assert error.value.found == str(wrong)
    assert error.value.where.endswith("log.csv:7")
    assert error.value.fix


def test_percent_are_told_as_percent_also_where_all_are_the_same(tmp_path: Path) -> None:
    for cells in ([33.3] * 20, [0.5, 40.0] + [59.5] * 18):
        with pytest.raises(DataError, match=r"look like percent.*divide the column by 100"):
            roles(tmp_path, cells)


def test_texts_under_the_whole_name_are_refused_and_an_empty_column_plays_no_role(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a column of text"):
        roles(tmp_path, ["high", "low"] * 10)
    assert roles(tmp_path, [""] * 20).propensity is None


def test_what_a_person_names_the_propensity_is_looked_at_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found 2, and 9 more outside") as error:
        roles(tmp_path, [0.5, 2] * 10, Told(propensity="q"), name="q")
    assert error.value.where.endswith("log.csv:3")


def test_an_empty_cell_is_no_fault_and_a_price_called_p_or_a_crowds_density_no_propensity(tmp_path: Path) -> None:
    assert roles(tmp_path, ["", 0.5, 1] * 7).propensity == "propensity"
    for name in ("p", "density"):
        assert roles(tmp_path, [7.5, 3, 0] * 7, name=name).rest == (name,)


def test_a_person_can_say_that_it_is_something_else(tmp_path: Path) -> None:
    cells = [0.5, 3, 0] * 7
    assert roles(tmp_path, cells, Told(features=("propensity",))).rest == ("propensity",)
    assert roles(tmp_path, cells, Told(ignore=("propensity",))).left_out == {"propensity": "as you said"}
