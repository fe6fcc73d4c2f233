"""Both logs as the shop wrote them: every row in order, every column where it belongs."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenure.cases.recommender import data
from tenure.cases.recommender.data import (
    CATEGORIES,
    FEATURES,
    FILES,
    ITEMS_CSV,
    Name,
    categories,
    category_number,
    item_features,
    log,
    observations,
    week,
)
from tenure.core.errors import DataError

BOTH: tuple[Name, ...] = ("uniform", "thompson")


def recorded(name: Name) -> list[dict[str, str]]:
    """The file's rows, read without the code under test."""
    with gzip.open(FILES[name], "rt", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "clicks"), [("uniform", 46), ("thompson", 69)])
def test_a_week_has_the_published_rows_and_clicks(name: Name, clicks: int) -> None:
    found = week(name)
    assert len(found.item) == 10_000
    assert found.click.sum() == clicks
    assert np.array_equal(np.unique(found.day), np.arange(7))
    assert (np.diff(found.at) >= np.timedelta64(0)).all()


def test_the_uniform_log_was_drawn_uniformly() -> None:
    assert week("uniform").propensity == pytest.approx(np.full(10_000, 1 / 34))


@pytest.mark.parametrize("name", BOTH)
def test_a_row_of_the_log_is_the_row_of_the_file(name: Name) -> None:
    rows, file = log(name).rows, recorded(name)
    for index in (0, 4711, 9999):
        line = file[index]
        assert rows.labels[rows.action[index]] == line["item_id"]
        assert rows.position is not None
        assert rows.position[index] == int(line["position"]) == rows.features[index, 0]
        assert rows.reward[index] == float(line["click"])
        assert rows.propensity[index] == float(line["propensity_score"])
        assert str(rows.at[index]) == line["timestamp"].removesuffix("+00:00").replace(" ", "T")
        for column, feature in enumerate(CATEGORIES, start=1):
            assert categories()[feature][int(rows.features[index, column])] == line[feature]
        affinity = [float(line[f"user-item_affinity_{item}"]) for item in range(34)]
        assert rows.features[index, 5:].tolist() == affinity


def test_names_and_ids_are_those_of_the_problem() -> None:
    rows = log("uniform").rows
    assert rows.names == FEATURES
    assert rows.features.shape == (10_000, 39)
    assert len(set(rows.decision_id)) == 10_000
    assert observations("uniform").dtype == np.float32


def test_rows_of_one_moment_are_one_unit_and_show_different_items() -> None:
    expected: dict[Name, int] = {"uniform": 9989, "thompson": 9998}
    for name, visits in expected.items():
        rows = log(name).rows
        assert len(np.unique(rows.unit)) == visits
        for moment in np.unique(rows.at[1:][rows.at[1:] == rows.at[:-1]]):
            together = rows.at == moment
            assert len(np.unique(rows.unit[together])) == 1
            assert len(np.unique(rows.action[together])) == together.sum()


def test_the_batches_of_a_log_are_its_rows() -> None:
    batches = list(log("thompson").batches())
    assert sum(len(batch) for batch in batches) == 10_000


def test_categories_are_as_many_as_the_problem_says_and_an_unknown_value_has_its_own_number() -> None:
    assert {feature: len(known) for feature, known in categories().items()} == CATEGORIES
    for feature, known in categories().items():
        assert [category_number(feature, value) for value in known] == list(range(len(known)))
        assert category_number(feature, "no such hash") == len(known)


def test_items_are_told_apart_by_their_features() -> None:
    found = item_features()
    assert found.shape == (34, 1 + 7 + 16 + 4)
    assert (found[:, 1:].sum(axis=1) == 3).all()
    assert found[0, 0] == pytest.approx(-0.6771831139635117)


def packed(lines: list[str], path: Path) -> None:
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


def with_field(line: str, index: int, value: str) -> str:
    fields = line.split(",")
    fields[index] = value
    return ",".join(fields)


CHANGES: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "cut off": (lambda lines: lines[:-1], "10000 rows"),
    "a column renamed": (lambda lines: [lines[0].replace("click", "klick"), *lines[1:]], "KeyError('click')"),
    "not a number": (lambda lines: [*lines[:9], with_field(lines[9], 3, "yes"), *lines[10:]], "line 10"),
    "an item too many": (lambda lines: [*lines[:9], with_field(lines[9], 1, "34"), *lines[10:]], "items 0 to 33"),
    "a fourth position": (lambda lines: [*lines[:9], with_field(lines[9], 2, "4"), *lines[10:]], "positions 1 to 3"),
    "two clicks": (lambda lines: [*lines[:9], with_field(lines[9], 3, "2"), *lines[10:]], "clicks 0 or 1"),
    "no chance": (lambda lines: [*lines[:9], with_field(lines[9], 4, "0.0"), *lines[10:]], "propensities in (0, 1]"),
    "disordered": (lambda lines: [*lines[:9], lines[10], lines[9], *lines[11:]], "in order"),
}


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=list(CHANGES))
def test_another_file_is_refused_with_what_is_wrong_in_it(
    change: Callable[[list[str]], list[str]], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "week.csv.gz"
    packed(change(gzip.decompress(FILES["uniform"].read_bytes()).decode().splitlines()), path)
    monkeypatch.setitem(data.FILES, "uniform", path)
    with pytest.raises(DataError) as refused:
        week.__wrapped__("uniform")
    assert says in str(refused.value)
    assert str(path) in refused.value.where


@pytest.mark.parametrize(
    "content", [None, b"no gzip", FILES["uniform"].read_bytes()[:-1000]], ids=["not there", "no gzip", "cut short"]
)
def test_a_file_that_cannot_be_read_is_refused(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "week.csv.gz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setitem(data.FILES, "uniform", path)
    with pytest.raises(DataError, match="a readable file"):
        week.__wrapped__("uniform")


def test_missing_items_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "items.csv"
    path.write_text("\n".join(ITEMS_CSV.read_text().splitlines()[:-1]) + "\n")
    monkeypatch.setattr(data, "ITEMS_CSV", path)
    with pytest.raises(DataError, match="items 0 to 33"):
        item_features.__wrapped__()
