"""Confidence against outcome, by hand and on policies whose calibration is known."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.grouped import mixed
from tenure.evaluation.shadow.calibration import calibration


def units(n: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return mixed(np.arange(n, dtype=np.uint64))


def test_bins_and_error_by_hand() -> None:
    confidence = np.array([0.2, 0.25, 0.9, 0.95, 0.95, 1.0])
    good = np.array([False, True, True, True, False, True])
    found = calibration(confidence, good, units(6), meaning="it was right")
    low, high = found.bins
    assert (low.low, low.high, low.n, high.low, high.high, high.n) == (0.2, 0.3, 2, 0.9, 1.0, 4)
    assert (low.confidence, high.confidence) == pytest.approx((0.225, 0.95))
    assert low.good is not None
    assert high.good is not None
    assert (low.good.value, high.good.value) == (0.5, 0.75)
    # (2 * |.5 - .225| + 4 * |.75 - .95|) / 6
    assert found.error.value == pytest.approx(0.225)
    assert found.good == "it was right"


def test_a_bin_of_one_unit_has_no_interval() -> None:
    unit = np.array([1, 1, 2, 3], dtype=np.uint64)
    found = calibration(np.array([0.1, 0.1, 0.9, 0.9]), np.array([True] * 4), unit, meaning="good")
    assert found.bins[0].good is None
    assert found.as_dict()["bins"][0]["good"] is None
    # .9 away in half of the rows, and nothing says how far from that: up to 1 there, and .1 away in the other half.
    assert (found.error.value, found.error.low, found.error.high) == pytest.approx((0.5, 0.05, 0.55))


def test_a_policy_that_is_right_as_often_as_it_says_has_an_error_that_may_be_0() -> None:
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        confidence = rng.random(6000)
        found = calibration(confidence, rng.random(6000) < confidence, units(6000), meaning="good")
        covered += found.error.low == 0.0
    assert covered >= 54


def test_an_overconfident_policy_is_found_out() -> None:
    rng = np.random.default_rng(0)
    found = calibration(np.full(3000, 0.9), rng.random(3000) < 0.7, units(3000), meaning="good")
    assert found.error.low < 0.2 < found.error.high
    assert found.error.low > 0.15
    # One bin: the distance of the mean from .9, with Student's interval of a share (sd .46 over 3,000).
    assert found.error.high - found.error.low == pytest.approx(2 * 1.96 * 0.458 / 3000**0.5, rel=0.03)


def test_rows_of_one_unit_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    right = (rng.random(100) < 0.7).repeat(30)
    alone = calibration(np.full(3000, 0.9), right, units(3000), meaning="good")
    together = calibration(np.full(3000, 0.9), right, units(100).repeat(30), meaning="good")
    assert together.error.high - together.error.low > 3 * (alone.error.high - alone.error.low)


@pytest.mark.parametrize(
    ("confidence", "good", "unit"),
    [
        ([], [], []),
        ([0.5], [True, False], [1]),
        ([0.5, 1.2], [True, False], [1, 2]),
        ([0.5, -0.1], [True, False], [1, 2]),
        ([0.5, 0.6], [True, False], [1, 1]),
        ([0.5, float("nan")], [True, False], [1, 2]),
    ],
)
def test_what_cannot_be_calibrated_is_refused(confidence: list[float], good: list[bool], unit: list[int]) -> None:
    with pytest.raises(EvidenceError):
        calibration(np.array(confidence), np.array(good), np.array(unit, dtype=np.uint64), meaning="good")
