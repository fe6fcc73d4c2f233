"""Numbers with decimal commas and dates with the day first: read where a file leaves no doubt, else refused by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tenure.core.errors import DataError
from tenure.store.tables.logfile import open_log
from tenure.store.tables.notation import Notation, notations, rewritten


def kinds(separator: str = ";", **columns: list[str]) -> dict[str, str]:
    found = notations({name: pa.array(cells) for name, cells in columns.items()}, np.arange(2, 100), separator)
    return {name: each.kind for name, each in found.items()}


def log(folder: Path, text: str) -> Path:
    path = folder / "log.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_decimal_comma_that_cannot_be_thousands_is_one() -> None:
    assert kinds(x=["12,5", "3"]) == {"x": "comma"}
    assert kinds(x=["0,125"]) == {"x": "comma"}
    assert kinds(x=["1.234,567", "-2,25"]) == {"x": "comma"}


def test_numbers_with_points_stay_as_they_are_and_commas_between_thousands_go() -> None:
    assert kinds(x=["12.5", "1.234"], y=["7", "8"]) == {}
    assert kinds(",", x=["1,234.50", "12.5"]) == {"x": "point"}
    assert rewritten(pa.array(["1,234.50", "12.5", "n/a"]), "point").to_pylist() == ["1234.50", "12.5", "n/a"]


def test_one_group_of_three_digits_follows_what_the_rest_of_the_file_shows() -> None:
    assert kinds(x=["1,234"], y=["0,5"]) == {"x": "comma", "y": "comma"}
    assert kinds(x=["1,234"], y=["0.5"]) == {"x": "point"}
    assert kinds(x=["1.234"], y=["0,5"]) == {"x": "comma", "y": "comma"}
    assert kinds(x=["1.234"]) == {}


def test_one_group_of_three_digits_is_unclear_where_nothing_or_both_is_shown() -> None:
    assert kinds(x=["1,234"]) == {"x": "unclear"}
    assert kinds(x=["1,234"], y=["0,5"], z=["0.5"])["x"] == "unclear"
    assert kinds(",", x=["1.234"], y=["0,5"])["x"] == "unclear"
    assert kinds(x=["12,5", "12.5"]) == {"x": "unclear"}


def test_what_only_resembles_numbers_or_is_a_mask_stays_text() -> None:
    assert kinds(x=["3,14,15", "2,7"], y=["10.0.0.1", "1.2.3"], z=["12,5 EUR"], allowed=["0,1", "1,1"]) == {}


def test_dates_have_the_day_first_by_their_dots_or_by_a_day_above_12() -> None:
    assert kinds(at=["01.02.2026 7:05", "03.02.2026 12:00:30"]) == {"at": "day"}
    assert kinds(at=["01/02/2026", "13/02/2026"]) == {"at": "day"}
    assert kinds(at=["01/02/2026", "02/13/2026"]) == {"at": "month"}
    assert kinds(at=["2026-02-01"]) == {}


def test_dates_that_may_be_either_follow_another_column_or_are_unclear() -> None:
    assert kinds(at=["01/02/2026"], seen=["14/02/2026"]) == {"at": "day", "seen": "day"}
    assert kinds(at=["01/02/2026"]) == {"at": "unclear"}
    assert kinds(at=["13/02/2026", "02/13/2026"]) == {"at": "unclear"}


def test_dates_are_rewritten_with_their_time_and_zone() -> None:
    cells = pa.array(["1.2.2026", "01.02.2026 7:05", "31.12.2025 23:59:58.5+02:00", "later", None])
    assert rewritten(cells, "day").to_pylist() == [
        "2026-02-01",
        "2026-02-01T07:05:00",
        "2025-12-31T23:59:58.5+02:00",
        "later",
        None,
    ]
    assert rewritten(pa.array(["12/31/2025"]), "month").to_pylist() == ["2025-12-31"]


def test_the_first_cell_that_shows_it_is_named_with_its_line() -> None:
    found = notations({"x": pa.array(["7", "1.000,5"])}, np.array([2, 5]), ";")
    assert found == {"x": Notation("comma", 5, "1.000,5")}


def test_a_file_of_decimal_commas_is_read_as_what_it_says_and_says_so(tmp_path: Path) -> None:
    rows = "\n".join(f"{day:02d}.03.2026;{'a' if day % 2 else 'b'};1.00{day % 9},5;{day},25" for day in range(1, 21))
    opened = open_log(log(tmp_path, f"at;action;reward;x\n{rows}\n"))
    batch = next(iter(opened.batches()))
    assert batch.reward[:2].tolist() == [1001.5, 1002.5]
    assert batch.features[:2, 0].tolist() == [1.25, 2.25]
    assert str(batch.at[0]) == "2026-03-01T00:00:00.000000"
    told = "numbers with decimal commas: reward, x (such as '1.001,5' in line 2, read as 1001.5)"
    assert told in opened.summary


def test_an_unclear_column_is_refused_with_its_line_unless_it_is_left_out(tmp_path: Path) -> None:
    rows = "\n".join(f"{'a' if k % 2 else 'b'};{k % 3};1,23{k % 9}" for k in range(20))
    path = log(tmp_path, f"action;reward;x\n{rows}\n")
    with pytest.raises(DataError) as caught:
        open_log(path)
    assert caught.value.where == f"{path}:2"
    assert "'1,230' in column 'x'" in caught.value.found
    assert open_log(path, {"ignore": ["x"]}).rows == 20


def test_a_mask_that_a_mapping_names_is_no_decimal_comma(tmp_path: Path) -> None:
    rows = "\n".join(f"{k % 2};{k % 3};1,1" for k in range(20))
    opened = open_log(log(tmp_path, f"action;reward;may\n{rows}\n"), {"columns": {"allowed": "may"}})
    assert opened.rows == 20
    assert not any("comma" in line for line in opened.summary)


def test_a_cell_written_otherwise_than_its_column_is_rejected_by_its_line(tmp_path: Path) -> None:
    rows = "\n".join(f"{'a' if k % 2 else 'b'};{k},5" for k in range(20))
    opened = open_log(log(tmp_path, f"action;reward\n{rows}\na;five\n"))
    assert [(row.line, row.reason) for row in opened.rejected] == [(22, "'five' in column 'reward' is no number")]
