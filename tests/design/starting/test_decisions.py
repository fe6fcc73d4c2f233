"""Logged decisions as a replay world reads them: in order, whole groups in one part, nothing invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.design.starting.tables import episodes, written

from tenure.core.errors import DataError
from tenure.design.starting.decisions import Column, Order, read_decisions

NAN = float("nan")


def small(path: Path, rows: list[tuple[object, ...]]) -> Path:
    return written(path / "log.csv", ("when", "who", "did", "saw", "got"), rows)


def test_rows_come_in_order_of_time_and_those_of_a_unit_together(tmp_path: Path) -> None:
    log = small(tmp_path, [(3, "b", "x", 30, 3), (1, "a", "y", 10, 1), (4, "a", "x", 40, 4), (2, "b", "y", 20, 2)])
    found = read_decisions(log, [Column("saw", "saw")], "did", ("x", "y"), {"got": ("got", NAN)}, Order("when", "who"))
    assert found.observation[:, 0].tolist() == [10, 40, 20, 30]
    assert found.action.tolist() == [1, 0, 1, 0]
    assert found.signals["got"].tolist() == [1, 4, 2, 3]
    assert found.first.tolist() == [True, False, True, False]


def test_nothing_follows_across_units_or_parts(tmp_path: Path) -> None:
    found = read_decisions(
        episodes(tmp_path / "log.csv"),
        [Column("x", "x")],
        "action",
        ("down", "up"),
        {"reward": ("reward", NAN)},
        Order(group="episode", step="step", ends=True),
    )
    goes_on = found.following >= 0
    assert (found.part[found.following[goes_on]] == found.part[goes_on]).all()
    # The action moves x by one: whatever follows a decision must be the place it led to.
    moved = found.observation[found.following[goes_on], 0] - found.observation[goes_on, 0]
    assert np.array_equal(moved, np.where(found.action[goes_on] == 1, 1, -1))
    assert found.first.sum() == 30
    assert (~goes_on).sum() == 30
    shares = np.bincount(found.part) / len(found)
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.05)


def test_one_long_stream_is_cut_into_parts_and_nothing_follows_over_a_cut(tmp_path: Path) -> None:
    log = small(tmp_path, [(i, "machine", "xy"[i % 2], i, i) for i in range(100)])
    found = read_decisions(log, [Column("saw", "saw")], "did", ("x", "y"), {"got": ("got", NAN)}, Order("when", "who"))
    assert np.flatnonzero(found.following < 0).tolist() == [59, 79, 99]


def test_parts_are_parts_of_time(tmp_path: Path) -> None:
    log = small(tmp_path, [(100 - i, "", "xy"[i % 2], i, i) for i in range(100)])
    found = read_decisions(log, [Column("saw", "saw")], "did", ("x", "y"), {"got": ("got", NAN)}, Order("when"))
    assert [found.observation[found.part == part, 0].max() for part in range(3)] == [99, 39, 19]
    assert (np.bincount(found.part) == [60, 20, 20]).all()


def test_rows_without_action_or_signal_are_left_out_and_empty_features_filled(tmp_path: Path) -> None:
    log = small(tmp_path, [(1, "", "x", "", 1), (2, "", "", 5, 2), (3, "", "y", 6, ""), (4, "", "z", 7, 4)])
    features = [Column("saw", "saw", missing=2.5), Column("is_x", "did", "is", "x")]
    found = read_decisions(log, features, "did", ("x", "y"), {"got": ("got", NAN)}, Order("when"))
    assert found.observation.tolist() == [[2.5, 1.0]]
    filled = read_decisions(log, features, "did", ("x", "y"), {"got": ("got", 0.0)}, Order("when"))
    assert filled.signals["got"].tolist() == [1, 0]


def test_hours_and_weekdays_are_those_of_the_calendar(tmp_path: Path) -> None:
    # 22 November 2026 is a Sunday.
    log = written(tmp_path / "log.csv", ("at", "did", "got"), [("2026-11-22T23:30:00Z", "x", 1)] * 2)
    features = [Column("hour", "at", "hour"), Column("day", "at", "weekday")]
    found = read_decisions(log, features, "did", ("x", "y"), {"got": ("got", NAN)}, Order("at"))
    assert found.observation.tolist() == [[23, 6]] * 2


def test_a_long_log_is_thinned_to_whole_units(tmp_path: Path) -> None:
    log = small(tmp_path, [(i, f"u{i // 4}", "xy"[i % 2], i, i) for i in range(400)])
    found = read_decisions(
        log, [Column("saw", "saw")], "did", ("x", "y"), {"got": ("got", NAN)}, Order("when", "who"), most=100
    )
    assert len(found) == 100
    assert np.bincount(found.observation[:, 0].astype(int) // 4).tolist()[:9] == [4, 0, 0, 0, 4, 0, 0, 0, 4]


def test_a_log_that_lost_a_column_is_named(tmp_path: Path) -> None:
    log = small(tmp_path, [(1, "", "x", 1, 1)])
    with pytest.raises(DataError, match=r"the columns \['gone'\]"):
        read_decisions(log, [Column("gone", "gone")], "did", ("x", "y"), {"got": ("got", NAN)}, Order())
