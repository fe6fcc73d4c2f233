"""Estimators of one-step decisions against vectors worked by hand.

Four rows: reward r = 1, 0, 2, 3; weight w = .5, 2, 1, 4; model q = .5, .5, 1, 2; v = 1, 1, 1.5, 2.
w r = .5, 0, 2, 12 (14.5); w (r - q) = .25, -1, 1, 4 (4.25); sum w = 7.5; sum v = 5.5.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.arrays import Floats
from tenure.evaluation.grouped import sum_of_ratios
from tenure.evaluation.off_policy.one_step import FORMULAS, LOGGED, OneStep, Weighted, shrunk

R, W = np.array([1.0, 0.0, 2.0, 3.0]), np.array([0.5, 2.0, 1.0, 4.0])
Q, V = np.array([0.5, 0.5, 1.0, 2.0]), np.array([1.0, 1.0, 1.5, 2.0])
BATCH = Weighted(R, W, np.arange(4, dtype=np.uint64), Q, V)


def value(name: str, point: float = math.inf, batch: Weighted = BATCH) -> float:
    """The estimate alone."""
    columns = (LOGGED if name == "logged" else FORMULAS[name]).columns(batch, point)
    sums = np.array([np.sum(np.broadcast_to(column, len(batch))) for column in columns])
    return float(sum_of_ratios(sums))


@pytest.mark.parametrize(
    ("name", "point", "by_hand"),
    [
        ("logged", math.inf, 6 / 4),
        ("dm", math.inf, 5.5 / 4),
        ("ips", math.inf, 14.5 / 4),
        ("clipped_ips", 2.0, (0.5 + 0 + 2 + 6) / 4),
        ("snips", math.inf, 14.5 / 7.5),
        ("dr", math.inf, (5.5 + 4.25) / 4),
        ("sndr", math.inf, 5.5 / 4 + 4.25 / 7.5),
        ("switch_dr", 2.0, (5.5 + 0.25 - 1 + 1) / 4),
        # l w / (w^2 + l), l = 4: 2/4.25, 8/8, 4/5, 16/20; times r - q = .5, -.5, 1, 1.
        ("dr_os", 4.0, (5.5 + 2 / 4.25 * 0.5 - 0.5 + 0.8 + 0.8) / 4),
    ],
)
def test_each_estimator_meets_its_hand_worked_value(name: str, point: float, by_hand: float) -> None:
    assert value(name, point) == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize(("tuned", "limit"), [("clipped_ips", "ips"), ("switch_dr", "dr"), ("dr_os", "dr")])
def test_without_a_point_the_tuned_ones_are_the_plain_ones(tuned: str, limit: str) -> None:
    assert value(tuned) == pytest.approx(value(limit), abs=1e-12)


@pytest.mark.parametrize(("name", "point"), [("switch_dr", 0.0), ("dr_os", 1e-12)])
def test_with_the_smallest_point_only_the_model_is_left(name: str, point: float) -> None:
    assert value(name, point) == pytest.approx(value("dm"), abs=1e-9)


def test_shrinkage_never_exceeds_the_weight_nor_half_the_root_of_the_point() -> None:
    weight = np.linspace(0, 100, 1001)
    assert (shrunk(weight, 9.0) <= np.minimum(weight, 1.5) + 1e-12).all()


def test_without_a_model_the_doubly_robust_ones_fall_back_to_weighting() -> None:
    bare = Weighted(R, W, BATCH.unit)
    assert value("dr", batch=bare) == value("ips", batch=bare)
    assert value("sndr", batch=bare) == value("snips", batch=bare)


def test_a_gain_is_the_estimate_less_the_logged_mean() -> None:
    estimator = OneStep(FORMULAS["snips"], against=True)
    estimator.update(BATCH)
    assert float(sum_of_ratios(estimator.sums.sum(axis=0))) == pytest.approx(14.5 / 7.5 - 1.5)


def random_batch(seed: int, n: int) -> Weighted:
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, 1 << 60, n).astype(np.uint64)
    columns: list[Floats] = [rng.normal(size=n) for _ in range(3)]
    return Weighted(columns[0], rng.exponential(size=n) * 5, unit, columns[1], columns[2])


def part(batch: Weighted, rows: slice) -> Weighted:
    predicted, expected = batch.model
    return Weighted(batch.reward[rows], batch.weight[rows], batch.unit[rows], predicted[rows], expected[rows])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(1, 299), max_size=4), name=st.sampled_from([*FORMULAS]))
def test_any_partition_merged_in_any_order_gives_the_same_result(seed: int, cuts: list[int], name: str) -> None:
    batch = random_batch(seed, 300)
    whole = OneStep(FORMULAS[name])
    whole.update(batch)
    edges = [0, *sorted(cuts), 300]
    merged = OneStep(FORMULAS[name])
    for start, stop in reversed(list(itertools.pairwise(edges))):
        other = OneStep(FORMULAS[name])
        other.update(part(batch, slice(start, stop)))
        merged.merge(other)
    one, many = whole.result(), merged.result()
    assert (one.value, one.low, one.high) == pytest.approx((many.value, many.low, many.high), rel=1e-9)
    assert merged.n == whole.n == 300
    assert merged.point == whole.point


def test_a_tuned_estimate_leaves_out_the_units_that_chose_its_point() -> None:
    estimator = OneStep(FORMULAS["clipped_ips"])
    estimator.update(random_batch(3, 20_000))
    assert len(estimator.sums) == len(OneStep(FORMULAS["ips"]).sums) * 3 // 4
    assert "by SLOPE" in estimator.result().method


def test_rare_huge_weights_make_slope_clip_and_harmless_ones_do_not() -> None:
    rng = np.random.default_rng(5)
    n, unit = 20_000, rng.integers(0, 1 << 60, 20_000).astype(np.uint64)
    rare = np.where(rng.random(n) < 0.001, 900.0, 0.1)
    estimator = OneStep(FORMULAS["clipped_ips"])
    estimator.update(Weighted(rng.normal(size=n), rare, unit))
    assert estimator.point < 900
    mild = np.where(rng.random(n) < 0.5, 1.9, 0.1)
    estimator = OneStep(FORMULAS["clipped_ips"])
    estimator.update(Weighted(10 + rng.normal(size=n), mild, unit))
    assert estimator.point > 1


def test_the_design_effect_of_units_that_repeat_themselves_is_their_size() -> None:
    rng = np.random.default_rng(0)
    reward, weight = np.repeat(rng.normal(size=2000), 5), np.repeat(rng.exponential(size=2000), 5)
    unit = np.repeat(rng.integers(0, 1 << 60, 2000), 5).astype(np.uint64)
    estimator = OneStep(FORMULAS["snips"])
    estimator.update(Weighted(reward, weight, unit))
    # 2,000 units in 4,096 groups: some share one, which moves it a little either way.
    assert estimator.design_effect == pytest.approx(5, rel=0.1)


def test_rows_on_their_own_have_a_design_effect_of_one() -> None:
    estimator = OneStep(FORMULAS["ips"])
    estimator.update(random_batch(1, 50_000))
    assert 1 <= estimator.design_effect < 1.1
    assert OneStep(FORMULAS["ips"]).design_effect == 1
