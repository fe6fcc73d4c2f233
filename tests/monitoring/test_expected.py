"""KPIs before outcomes arrive: the regression's value, and an interval from its errors on days it had not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.watched_world import PROBLEM

from tenure.monitoring.expected import Expected, Pending
from tenure.monitoring.rows import Rows

from .made import rows


def day(rng: np.random.Generator, number: int, load: float = 0.0) -> Rows:
    """200 rows whose cost is 8 + 2 load, with noise of the row and of the day."""
    observation = np.tile([10.0, 0.0, 1.0, 0.0, 40.0, 0.0], (200, 1))
    observation[:, 5] = load + rng.normal(size=200)
    cost = 8 + 2 * observation[:, 5] + 0.3 * rng.normal() + rng.normal(size=200)
    return rows(24 * number, 200, cost=cost, observation=observation)


def fitted(days: int, seed: int = 6) -> tuple[Expected, np.random.Generator]:
    rng, expected = np.random.default_rng(seed), Expected(PROBLEM)
    for number in range(days):
        expected.update(day(rng, number))
    return expected, rng


def waiting(*parts: Rows) -> Pending:
    found = Pending.none(PROBLEM)
    for part in parts:
        found.update(part)
    return found


def test_what_waits_is_valued_by_its_features() -> None:
    expected, rng = fitted(20)
    found = expected.estimates(waiting(day(rng, 21, load=3.0)))
    assert found["cost"].value == pytest.approx(14.0, abs=0.5)
    assert found["service"].value == pytest.approx(0.3, abs=0.05)
    assert found["cost"].low < 14.0 < found["cost"].high
    assert (found["cost"].n, found["cost"].cluster) == (200, "day")


def test_the_interval_holds_on_days_it_had_not_seen() -> None:
    hits = 0
    for seed in range(100):
        expected, rng = fitted(12, seed)
        coming = day(rng, 13)
        found = expected.estimates(waiting(coming))["cost"]
        hits += found.low <= float(coming.above[:, 0].mean()) <= found.high
    assert 88 <= hits < 100  # binomial(100, .95): below 88 with chance .002


def test_nothing_is_stated_before_a_week_of_checked_days_nor_of_nothing() -> None:
    few, rng = fitted(8)
    assert few.estimates(waiting(day(rng, 9))) == {}
    assert fitted(20)[0].estimates(waiting()) == {}


def test_less_than_a_day_is_known_less_well() -> None:
    expected, rng = fitted(20)
    whole = day(rng, 21)
    few: Any = rows(24 * 21, 10)
    widths = [found.high - found.low for found in (expected.estimates(waiting(part))["cost"] for part in (whole, few))]
    assert widths[1] > 2 * widths[0]
