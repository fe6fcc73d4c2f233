"""Cells of any type as texts, numbers, moments and features."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tenure.store.tables.features import FeatureColumn, Tally, feature_column, look
from tenure.store.tables.understanding import read_mask
from tenure.store.tables.values import arrow, to_matrix, to_numbers, to_texts, to_times

NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array(["a", "", None]), ["a", None, None]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.chunked_array([pa.array(["a"]), pa.array(["b"])]), ["a", "b"]),
        (pa.array([1, None]), ["1", None]),
        (pa.array([3.0, None, float("nan")]), ["3", None, None]),
        (pa.array([3.5, 3.0]), ["3.5", "3.0"]),
        (pa.array([1e300]), ["1e+300"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([Decimal("1.50"), None]), ["1.50", None]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_texts(values: Any, texts: list[str | None]) -> None:
    assert to_texts(values).to_pylist() == texts


@pytest.mark.parametrize(
    ("values", "numbers", "bad"),
    [
        (pa.array([" 1.5 ", "NA", "None", "", None, "-inf"]), [1.5, *[np.nan] * 4, -np.inf], []),
        (pa.array(["true", "FALSE", "x", "1_0", "0x1"]), [1, 0, np.nan, np.nan, np.nan], [2, 3, 4]),
        (pa.array([True, None]), [1, np.nan], []),
        (pa.array([Decimal("1.5")]), [1.5], []),
        (pa.array([NOON, None]), [1_577_880_000, np.nan], []),
        (pa.array([[1.0], None]), [np.nan, np.nan], [0]),
    ],
)
def test_numbers(values: Any, numbers: list[float], bad: list[int]) -> None:
    found, wrong = to_numbers(values)
    np.testing.assert_array_equal(found, numbers)
    assert np.flatnonzero(wrong).tolist() == bad


@pytest.mark.parametrize(
    ("values", "hours", "bad", "naive"),
    [
        (pa.array([NOON, None]), ["2020-01-01T12", "NaT"], [], False),
        (pa.array([NOON.replace(tzinfo=None)]), ["2020-01-01T12"], [], True),
        (pa.array([date(2020, 1, 1)]), ["2020-01-01T00"], [], True),
        (pa.array(["2020-01-01T12:00+01:00", None]), ["2020-01-01T11", "NaT"], [], False),
        (pa.array(["2020-01-01 12:00:00", None]), ["2020-01-01T12", "NaT"], [], True),
        (pa.array(["1577880000", "2020-01-01"]), ["2020-01-01T12", "2020-01-01T00"], [], True),
        (pa.array(["2020-01-01T12:00:00.123456789Z", "2020-01-01"]), ["2020-01-01T12", "2020-01-01T00"], [], True),
        (pa.array(["2020-01-01T12:00:00Z", "1577880000", "soon"]), [*["2020-01-01T12"] * 2, "NaT"], [2], False),
        (pa.array([1577880000 * 10**power for power in (0, 3, 6, 9)]), ["2020-01-01T12"] * 4, [], False),
        (pa.array([float("nan"), float("inf"), 1e300]), ["NaT", "NaT", "1970-01-01T00"], [], False),
    ],
)  # fmt: skip
def test_times(values: Any, hours: list[str], bad: list[int], naive: bool) -> None:
    moments, wrong, found = to_times(values)
    assert moments.dtype == "datetime64[us]"
    assert moments.astype("datetime64[h]").astype(str).tolist() == hours
    assert (np.flatnonzero(wrong).tolist(), found) == (bad, naive)


def test_lists_of_another_length_or_content_are_marked_and_missing_ones_are_not() -> None:
    found, bad = to_matrix(pa.array([[1.0, 2.0], None, [3.0], [4.0, None]]), 2)
    np.testing.assert_array_equal(found, [[1, 2], [np.nan] * 2, [np.nan] * 2, [4, np.nan]])
    assert bad.tolist() == [False, False, True, False]
    found, bad = to_matrix(pa.array([["1", "x"]]), 2)
    assert bad.tolist() == [True]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], pa.float64()),
        ([True, None], pa.bool_()),
        (["a", None], pa.string()),
        ([1, "a"], pa.string()),
        ([[1, 2.5], None], pa.list_(pa.float64())),
        ([[True], [False]], pa.list_(pa.float64())),
        ([["a"], [1]], pa.string()),
        ([2**70], pa.string()),
        ([None], pa.string()),
    ],
)
def test_json_values_become_one_type(values: list[Any], kind: Any) -> None:
    assert arrow(values).type == kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([None, ""]), "empty"),
        (pa.array(["1", "2", "3", *["4"] * 10, "x"]), "number"),
        (pa.array(["1", "x"]), "text"),
        (pa.array(["True", "false", None]), "boolean"),
        (pa.array(["2020-01-01", "2020-01-02T10:00:00Z"]), "time"),
        (pa.array([NOON]), "time"),
        (pa.array([True]), "boolean"),
        (pa.array([Decimal(1)]), "number"),
        (pa.array([[1.0]]), "list"),
        (pa.array([["a"]]), "texts"),
        (pa.array([{"a": 1}]), "texts"),
    ],
)
def test_what_a_column_holds(values: Any, kind: str) -> None:
    assert look(values) == kind


def test_times_and_lists_are_features() -> None:
    at = feature_column("at", "time", pa.array(["2020-01-01T12:00:00Z"]))
    numbers, bad = at.numbers(pa.array(["2020-01-01T12:00:00Z", None, "x"]))
    np.testing.assert_array_equal(numbers, [[1_577_880_000.0], [np.nan], [np.nan]])
    assert bad.tolist() == [False, False, True]
    vector = feature_column("v", "list", pa.array([[1.0, 2.0], [3.0], [4.0, 5.0]]))
    assert vector.names == ("v_0", "v_1")


def test_a_category_without_a_value_has_no_feature() -> None:
    assert FeatureColumn("c", "category").numbers(pa.array(["a"]))[0].shape == (1, 0)


def test_a_category_of_too_many_values_forgets_the_rare_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.store.tables.features.COUNTED", 4)
    tally = Tally()
    for _ in range(3):
        tally.update(pa.array(["x", "y", None]))
    tally.update(pa.array(["a", "b", "c"]))
    assert tally.column("c").values == ("x", "y")
    assert tally.column("c").names[-1] == "c=other"


@pytest.mark.parametrize(
    ("cell", "mask"),
    [
        (None, None),
        ("", None),
        ("101", [True, False, True]),
        ("[1, 0]", [True, False]),
        ("true,false", [True, False]),
        ("buy|sell", ["buy", "sell"]),
        ('["buy", "sell"]', ["buy", "sell"]),
        ([2.0, 3.0], ["2", "3"]),
        ("[", []),
        ("[]", []),
    ],
)
def test_masks(cell: Any, mask: list[Any] | None) -> None:
    assert read_mask(cell) == mask
