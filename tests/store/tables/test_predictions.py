"""Policies and reward models as tables: matched by id or by order, refused when they are no distribution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tenure.core.errors import DataError
from tenure.core.logged import Logged
from tenure.store.tables.logfile import open_log
from tenure.store.tables.predictions import labels_in, open_predictions

LABELS = ("a", "b")


def log(**columns: Any) -> Logged:
    table = {"decision_id": ["d1", "d2", "d3"], "action": ["a", "b", "a"], "reward": [1.0, 0.0, 1.0], **columns}
    (batch,) = open_log(table).batches()
    return batch


@pytest.mark.parametrize("prefix", ["", "p_", "prob_", "pi_e_"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_column_is_a_label_or_a_prefix_and_the_label(tmp_path: Path, prefix: str, suffix: str) -> None:
    frame = pd.DataFrame({f"{prefix}b": [0.1, 0.2, 0.3], "note": "x", f"{prefix}a": [0.9, 0.8, 0.7]})
    path = tmp_path / f"pi{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    found = open_predictions(path, LABELS, probabilities=True, rows=3)
    assert found.left_out == ("note",)
    assert found(log()).tolist() == [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]


def test_rows_are_matched_by_id_in_any_order() -> None:
    found = open_predictions({"event_id": ["d3", "x", "d1", "d2"], "a": [3, 0, 1, 2], "b": [30, 0, 10, 20]}, LABELS)
    assert found(log()).tolist() == [[1, 10], [2, 20], [3, 30]]
    assert found(log().take(slice(1, 2))).tolist() == [[2, 20]]


def test_rows_are_matched_by_id_and_position() -> None:
    table = {"decision_id": ["d", "d"], "position": [2, 1], "a": [1, 2], "b": [3, 4]}
    slate = log(decision_id=["d", "d", "d"], position=[1, 2, 3]).take(slice(0, 2))
    assert open_predictions(table, LABELS)(slate).tolist() == [[2, 4], [1, 3]]
    with pytest.raises(DataError, match="'d' in position 3"):
        open_predictions(table, LABELS)(log(decision_id=["d", "d", "d"], position=[1, 2, 3]))


def test_a_decision_without_a_row_is_named() -> None:
    with pytest.raises(DataError, match="'d3'"):
        open_predictions({"decision_id": ["d1", "d2"], "a": [1, 2], "b": [1, 2]}, LABELS)(log())


def test_by_order_the_rejected_rows_of_the_log_have_a_row_too(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("action,reward\na,1\nb\nb,0\n")
    (batch,) = open_log(path).batches()
    assert open_predictions({"a": [1, 2, 3], "b": [4, 5, 6]}, LABELS)(batch).tolist() == [[1, 4], [3, 6]]


def test_another_length_is_an_error() -> None:
    short = {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(DataError, match="none for row 2"):
        open_predictions(short, LABELS)(log())
    with pytest.raises(DataError, match="3 rows"):
        open_predictions(short, LABELS, rows=3)


@pytest.mark.parametrize(
    ("a", "found"),
    [
        ([0.5, 0.6, 0.5], "row 2 sums to 1.1; 1 such"),
        ([0.5, -0.1, 0.5], "row 2 sums to 0.4, the smallest -0.1"),
        ([0.5, 0.5, np.nan], "row 3 sums to nan"),
    ],
)
def test_a_row_that_is_no_distribution_is_named_with_its_sum(a: list[float], found: str) -> None:
    with pytest.raises(DataError, match=found):
        open_predictions({"a": a, "b": [0.5] * 3}, LABELS, probabilities=True)
    with pytest.raises(DataError, match="row 1 sums to 1, the smallest"):
        open_predictions({"a": [1.5], "b": [-0.5]}, LABELS, probabilities=True)


def test_what_rounding_leaves_is_no_fault_and_nothing_is_rescaled() -> None:
    found = open_predictions({"a": [0.33333] * 3, "b": [0.66666] * 3}, LABELS, probabilities=True)
    assert found(log())[0].tolist() == [0.33333, 0.66666]


def test_predicted_rewards_may_be_anything_finite() -> None:
    assert open_predictions({"a": [-5.0, 0, 0], "b": [7.0, 0, 0]}, LABELS)(log())[0].tolist() == [-5, 7]
    with pytest.raises(DataError, match="finite"):
        open_predictions({"a": [np.inf], "b": [1.0]}, LABELS)


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ({"a": [1.0], "c": [1.0]}, "a column for each"),
        ({"p_a": [1.0], "p_b": [1.0], "q_a": [1.0], "q_b": [1.0]}, "one column for each"),
        ({"decision_id": ["d", "d"], "a": [1, 2], "b": [1, 2]}, "'d' more than once"),
        ({"a": ["x", "1"], "b": [1, 2]}, "'x' in column 'a', line 1"),
    ],
)
def test_a_table_that_cannot_be_meant_is_an_error(table: dict[str, Any], found: str) -> None:
    with pytest.raises(DataError, match=found):
        open_predictions(table, LABELS)


def test_a_broken_row_of_a_table_is_an_error_not_a_gap(tmp_path: Path) -> None:
    (tmp_path / "pi.csv").write_text("a,b\n1,0\n1\n1,0\n")
    with pytest.raises(DataError, match="line 3"):
        open_predictions(tmp_path / "pi.csv", LABELS)
    (tmp_path / "pi.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="a row per decision"):
        open_predictions(tmp_path / "pi.csv", LABELS)


def test_a_table_may_know_actions_the_log_never_shows() -> None:
    table = {"p_1": [0.5], "p_10": [0.25], "p_2": [0.25], "p_note": [0.0]}
    assert labels_in(table, ["1", "2"]) == ("1", "2", "10")
    assert labels_in({"p_a": [1.0], "p_b": [0.0], "p_c": [0.0]}, ["a", "b"]) == ("a", "b", "c")
    assert labels_in({"a": [1.0], "b": [0.0], "x": [0.0]}, ["a", "b"]) == ("a", "b")
    assert labels_in({"x": [0.0]}, ["a", "b"]) == ("a", "b")
