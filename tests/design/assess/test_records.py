"""Reading a log to be measured: what follows what, what was known afterwards, and what cannot be measured at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenure.core.errors import DataError
from tenure.design.assess.records import MOST_ROWS, read_records
from tenure.design.starting.leaks import Leak
from tenure.store.tables.logfile import open_log


def columns(n: int = 500, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "unit_id": [f"u{k % 50}" for k in range(n)],
        "decided_at": np.datetime64("2025-01-01", "us") + np.arange(n) * np.timedelta64(1, "h"),
        "age": rng.normal(size=n),
        "action": [f"a{k}" for k in rng.integers(0, 2, n)],
        "propensity": np.full(n, 0.5),
        "reward": rng.normal(size=n),
        **more,
    }


def test_rows_of_a_unit_follow_each_other_in_time() -> None:
    records = read_records(open_log(columns()))
    assert records.units == 50
    goes_on = records.following >= 0
    assert goes_on.sum() == 450
    assert (records.unit[goes_on] == records.unit[records.following[goes_on]]).all()
    assert (records.order[records.following[goes_on]] > records.order[goes_on]).all()


def test_a_day_has_as_many_decisions_as_the_logs_time_says() -> None:
    # 500 rows, one an hour: 24 a day, and an hour less than 500 between the first and the last.
    assert read_records(open_log(columns())).per_day == pytest.approx(24 * 500 / 499)


def test_a_leak_is_never_seen_and_one_by_name_alone_may_still_be_the_answer() -> None:
    log = columns(paid=np.arange(500.0), need_after=np.ones(500), kind=[f"k{k % 3}" for k in range(500)])
    leaks = [Leak("paid", "", "copy"), Leak("need_after", "", "name"), Leak("kind", "", "function")]
    found = read_records(open_log(log), leaks=leaks)
    assert (found.names, found.after_names) == (("age",), ("need_after",))


def test_strangers_one_after_the_other_are_one_stream() -> None:
    records = read_records(open_log(columns(unit_id=[f"u{k}" for k in range(500)])))
    assert records.cluster == "stretch of the stream"
    assert (records.following >= 0).sum() == 500 - records.units


def test_without_time_nothing_follows_anything() -> None:
    log = columns()
    del log["decided_at"]
    records = read_records(open_log(log))
    assert not records.ordered
    assert (records.following == -1).all()


def test_columns_known_afterwards_are_told_by_name_or_by_the_caller() -> None:
    log = columns(outcome_demand=np.zeros(500), height=np.ones(500))
    assert read_records(open_log(log)).after_names == ("outcome_demand",)
    assert read_records(open_log(log), after=("height",)).after_names == ("outcome_demand", "height")
    assert "height" not in read_records(open_log(log), after=("height",)).names


def test_a_long_log_is_thinned_to_whole_units() -> None:
    n = 3 * MOST_ROWS
    log = columns(n)
    log["unit_id"] = [f"u{k % 900}" for k in range(n)]
    records = read_records(open_log(log))
    assert 0.8 * MOST_ROWS < len(records) < 1.2 * MOST_ROWS
    assert set(np.bincount(records.unit)) == {20}
    assert (records.thinned, records.of) == (True, n)
    assert records.per_day == pytest.approx(24, rel=0.01)
    assert not read_records(open_log(columns())).thinned


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reward": np.full(500, np.nan)}, "a column with the reward"),
        ({"reward": np.append(np.zeros(499), np.nan)}, "finite reward in every row.*1 NaN.*row 500"),
        ({"action": ["a0"] * 500}, "only 'a0'"),
        ({"propensity": np.full(500, 1.5)}, r"propensities in \(0, 1\]"),
        ({"action": [[0.5, 0.1]] * 500}, "labelled actions"),
    ],
)
def test_what_cannot_be_measured_is_named_with_what_to_do(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=f"{said}(.|\n)*to do: "):
        read_records(open_log(columns(**change)), where="log.csv")


def test_a_log_without_anything_to_decide_on_is_refused_and_no_traceback() -> None:
    log = columns()
    names = read_records(open_log(log)).names
    with pytest.raises(DataError, match=r"known before the decision(.|\n)*to do: "):
        read_records(open_log(log), after=names)


def twice(log: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {name: np.tile(np.asarray(column), 2) for name, column in log.items()} | more


@pytest.mark.parametrize(
    "more", [{"unit_id": [f"new{k}" for k in range(1000)]}, {}], ids=["under new ids", "as it was"]
)
def test_a_log_with_rows_that_stand_twice_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="every decision once; found 500 of 1,000 rows are copies"):
        read_records(open_log(twice(columns(), **more)))


def test_equal_rows_are_no_copies_where_nothing_is_continuous_or_a_unit_comes_again_as_it_was() -> None:
    rng = np.random.default_rng(0)
    coarse = columns(age=rng.integers(0, 3, 500), reward=rng.integers(0, 2, 500))
    assert len(read_records(open_log(coarse))) == 500
    regulars = columns(age=np.tile(rng.normal(size=50), 10), reward=rng.integers(0, 2, 500))
    assert len(read_records(open_log(regulars))) == 500


def test_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match="400 decisions or more; found 300"):
        read_records(open_log(columns(300)))
