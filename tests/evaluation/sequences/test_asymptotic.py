"""Large-sample sequences: hand-worked ends, refusals where large samples say nothing, merging without loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Verdict
from tenure.evaluation.gates import not_worse_if_allowed
from tenure.evaluation.sequences.asymptotic import AsymptoticMean, AsymptoticRatio, arms_difference
from tenure.evaluation.sequences.boundaries import asymptotic_radius


def mean_of(x: object) -> AsymptoticMean:
    mean = AsymptoticMean()
    mean.update(np.asarray(x, dtype=float))
    return mean


def test_the_mean_s_interval_is_the_hand_worked_one() -> None:
    # 500 zeros, 500 ones: sd = sqrt(250 / 999); radius at n = 1,000 from test_boundaries: sqrt(.01131574) per sd.
    found = mean_of([0.0, 1.0] * 500).estimate("day")
    radius = math.sqrt(250 / 999 * 0.01131574)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5 - radius, 0.5 + radius), rel=1e-5)
    assert (found.n, found.ess, found.cluster) == (1000, 1000.0, "day")


def test_one_sided_leaves_the_upper_end_open() -> None:
    found = mean_of([0.0, 1.0] * 500).estimate(one_sided=True)
    assert found.high == math.inf
    assert found.low == pytest.approx(0.5 - math.sqrt(250 / 999 * 0.009252674), rel=1e-5)


def test_one_by_one_in_batches_and_merged_are_the_same() -> None:
    x = np.random.default_rng(1).gamma(4, size=500)
    single, other = AsymptoticMean(), mean_of(x[300:])
    for value in x[:300]:
        single.update(float(value))
    single.merge(other)
    whole = mean_of(x)
    for name in ("n", "value", "sd", "skewness"):
        assert getattr(single, name) == pytest.approx(getattr(whole, name), rel=1e-9)


def test_before_the_first_unit_nothing_is_known() -> None:
    assert math.isnan(AsymptoticMean().value)
    assert math.isnan(AsymptoticRatio().value)
    assert math.isnan(AsymptoticRatio().sd)


@pytest.mark.parametrize("x", [[0.0, 1.0] * 99, [1.0] + [0.0] * 499, [0.0] * 500])
def test_few_or_skewed_or_unvarying_units_are_inconclusive_and_never_a_figure(x: list[float]) -> None:
    with pytest.raises(EvidenceError):
        mean_of(x).estimate()
    found = not_worse_if_allowed("g", lambda: mean_of(x).estimate(one_sided=True), 1.0, "the gain")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.estimate is None
    assert "betting sequence" in found.reason


def test_enough_units_are_judged_as_any_estimate() -> None:
    mean = mean_of([0.0, 1.0] * 500)
    for margin, verdict in ((-0.1, Verdict.ERROR), (0.1, Verdict.PASS)):
        assert not_worse_if_allowed("g", mean.estimate, margin, "the gain").verdict is verdict
    worse = mean_of(np.array([-1.0, 0.0] * 500))
    assert not_worse_if_allowed("g", worse.estimate, 0.1, "the gain").verdict is Verdict.FAIL


def test_a_broken_batch_is_refused_whole() -> None:
    mean = mean_of([1.0, 2.0])
    with pytest.raises(EvidenceError):
        mean.update(np.array([1.0, math.nan]))
    assert mean.n == 2


def test_a_ratio_is_that_of_the_sums_and_its_error_is_linearised() -> None:
    rng = np.random.default_rng(2)
    below = rng.integers(1, 9, 400).astype(float)
    above = rng.binomial(below.astype(int), 0.3).astype(float)
    ratio = AsymptoticRatio()
    ratio.update(above[:150], below[:150])
    rest = AsymptoticRatio()
    rest.update(above[150:], below[150:])
    ratio.merge(rest)
    value = above.sum() / below.sum()
    added = (above - value * below) / below.mean()
    assert ratio.value == pytest.approx(value)
    assert ratio.sd == pytest.approx(added.std(ddof=1))
    found = ratio.estimate("unit")
    assert found.high - found.value == pytest.approx(asymptotic_radius(400, added.std(ddof=1)))


def test_a_ratio_that_hardly_changes_has_hardly_any_doubt() -> None:
    ratio = AsymptoticRatio()
    below = np.tile([1.0, 2.0], 150)
    ratio.update(0.5 * below + np.repeat([1e-6, -1e-6], 150), below)
    found = ratio.estimate()
    assert (found.low, found.high) == pytest.approx((0.5, 0.5), abs=1e-6)


def test_a_ratio_needs_something_to_divide_by() -> None:
    ratio = AsymptoticRatio()
    with pytest.raises(EvidenceError):
        ratio.update(1.0, -1.0)
    with pytest.raises(EvidenceError):
        ratio.update(np.ones(3), np.ones(2))
    ratio.update(np.ones(300), np.zeros(300))
    with pytest.raises(EvidenceError):
        ratio.estimate()


def test_the_difference_of_two_arms_is_the_hand_worked_one() -> None:
    # 250 candidate units of variance 1000/999 / 4, 750 others of 1/4 too: n (s^2/250 + s^2/750) = 16/3 s^2.
    candidate, incumbent = mean_of([0.0, 1.0] * 125), mean_of([-1.0, 0.0] * 375)
    found = arms_difference(candidate, incumbent, "unit")
    spread = math.sqrt(1000 * (62.5 / 249 / 250 + 187.5 / 749 / 750))
    assert spread == pytest.approx(math.sqrt(16 / 3) / 2, rel=2e-3)
    assert found.value == pytest.approx(1.0)
    assert found.value - found.low == pytest.approx(spread * math.sqrt(0.01131574), rel=1e-5)
    assert found.n == 1000
    assert arms_difference(candidate, incumbent, one_sided=True).high == math.inf


def test_either_arm_s_refusal_is_the_difference_s() -> None:
    good, few, skewed = mean_of([0.0, 1.0] * 500), mean_of([0.0, 1.0] * 50), mean_of([1.0] + [0.0] * 499)
    for pair in ((good, few), (few, good), (skewed, good), (good, skewed)):
        with pytest.raises(EvidenceError):
            arms_difference(*pair)
