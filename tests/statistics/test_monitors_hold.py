"""The budget of false alarms on months in which nothing changes, and that large changes are found."""

from __future__ import annotations

import os

import numpy as np
import pytest
from benchmarks.monitors import alerts, delays, watched
from benchmarks.watched_world import GRID

MONTHS = 100 if os.environ.get("TENURE_STORIES") == "long" else 8
MOST = {8: 15, 100: 100}
"""Designed for 0.7 a month: a Poisson count of mean 5.6 exceeds 15 with chance 0.0002, one of 70 exceeds 100 with
chance 0.0003; three alerts a month are caught with chance 0.97 and 1."""
SURE = ("cost +100 %", "feature mean +1 sd", "failures 0.1 % to 5 %", "missing outcomes 2 % to 20 %")


def test_months_of_nothing_keep_the_budget_of_false_alarms() -> None:
    assert sum(alerts(watched(seed)) for seed in range(3000, 3000 + MONTHS)) <= MOST[MONTHS]


@pytest.mark.parametrize("change", [each for each in GRID if each.name in SURE], ids=lambda each: each.name)
def test_a_large_change_is_found_within_two_days_by_the_monitor_it_is_meant_for(change: object) -> None:
    meant, _ = delays(change, range(3000, 3002))  # type: ignore[arg-type]
    assert np.max(meant) <= 48
