"""A KPI's change on the same decisions, by hand; and what each row adds to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tenure.core.errors import EvidenceError
from tenure.core.reward import KPI
from tenure.evaluation.shadow.paired import change, differences

COST = KPI("cost", "$", "lower", {"cost": 1})
LATE = KPI("late", "share", "lower", {"late": 1}, {"orders": 1})
UNIT = np.arange(4, dtype=np.uint64)


def test_a_mean_changes_by_the_mean_difference_with_student_s_interval() -> None:
    before, after = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 5.0, 5.0])
    found = change(COST, {"cost": before}, {"cost": after}, UNIT, 0.05, name="day")
    radius = stats.t.ppf(0.975, 3) * np.std(after - before, ddof=1) / math.sqrt(4)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 1 - radius, 1 + radius))
    assert (found.n, found.ess, found.cluster) == (4, 4.0, "day")


def test_a_ratio_changes_by_the_difference_of_the_ratios() -> None:
    before = {"late": np.array([1.0, 0, 2, 1]), "orders": np.array([4.0, 5, 6, 5])}
    after = {"late": np.array([1.0, 1, 2, 2]), "orders": np.array([4.0, 5, 6, 9])}
    assert change(LATE, before, after, UNIT, 0.05, name="day").value == pytest.approx(6 / 24 - 4 / 20)


def test_weights_give_the_self_normalised_value_against_the_log() -> None:
    cost, weight = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 0.0, 1.0, 0.5])
    found = change(COST, {"cost": cost}, {"cost": cost}, UNIT, 0.05, name="unit", weight=weight)
    assert found.value == pytest.approx((2 + 3 + 2) / 3.5 - 2.5)


def test_rows_of_one_cluster_count_once() -> None:
    before, after = np.zeros(8), np.array([1.0, 3.0] * 4)
    apart = change(COST, {"cost": before}, {"cost": after}, np.arange(8, dtype=np.uint64), 0.05, name="row")
    pairs = change(COST, {"cost": before}, {"cost": after}, np.tile([1, 2], 4).astype(np.uint64), 0.05, name="unit")
    assert (apart.ess, pairs.ess) == (8.0, 2.0)
    assert pairs.high > apart.high


def test_one_cluster_is_refused() -> None:
    with pytest.raises(EvidenceError, match="two clusters"):
        change(COST, {"cost": UNIT * 1.0}, {"cost": UNIT * 1.0}, np.zeros(4, dtype=np.uint64), 0.05, name="day")


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), weighted=st.booleans())
def test_rows_add_up_to_the_change_exactly(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    before, after = ({"late": rng.random(30), "orders": 1 + rng.random(30)} for _ in range(2))
    weight = rng.random(30) if weighted else None
    whole = change(LATE, before, after, np.arange(30, dtype=np.uint64), 0.05, name="row", weight=weight)
    assert differences(LATE, before, after, weight).mean() == pytest.approx(whole.value)
