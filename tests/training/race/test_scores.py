"""The interquartile mean and its interval, against values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.training.race.scores import interquartile_mean, score


def test_a_quarter_is_cut_off_at_either_end_rounded_down() -> None:
    assert interquartile_mean(np.array([9.0, 1.0, 2.0, 100.0])) == 5.5
    assert interquartile_mean(np.array([1.0, 2.0, 6.0])) == 3.0, "of three, none"
    assert interquartile_mean(np.arange(8.0)) == 3.5
    assert interquartile_mean(np.array([-1000.0, 4.0, 4.0, 4.0, 4.0, 1000.0])) == 4.0


def test_equal_runs_leave_no_doubt_and_an_interval_holds_its_value() -> None:
    assert score([np.full(3, 0.25)]) == score([np.full(3, 0.25)], seed=9)
    found = score([np.array([0.1, 0.2, 0.3]), np.array([1.1, 1.2, 1.3])])
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.7)


def test_runs_are_drawn_within_their_task() -> None:
    # Of two tasks with one run each nothing can be drawn but those runs; unstratified, 0 and 1 alone would come too.
    found = score([np.array([0.0]), np.array([1.0])])
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_three_runs_give_no_wider_an_interval_than_their_range() -> None:
    found = score([np.array([0.0, 0.1, 0.5])])
    assert 0.0 <= found.low < found.high <= 0.5
