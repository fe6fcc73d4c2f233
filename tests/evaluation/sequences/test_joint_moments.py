"""Joint moments against NumPy and SciPy on the whole sample, however it was cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tenure.core.errors import EvidenceError
from tenure.evaluation.sequences.joint_moments import JointMoments

WEIGHTS = np.array([1.0, -0.7])


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_batches_in_any_cut_merge_to_the_moments_of_all(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = 50 + rng.gamma(2.0, size=(sum(sizes) + 1, 2)) @ np.array([[1.0, 0.5], [0.0, 2.0]])
    folded = JointMoments.none(2)
    for batch in np.split(rows, np.cumsum(sizes)):
        folded = folded.merge(JointMoments.of(batch))
    mixed = rows @ WEIGHTS
    assert folded.n == len(rows)
    assert folded.mean == pytest.approx(rows.mean(axis=0), rel=1e-12)
    assert folded.covariance() == pytest.approx(np.cov(rows.T), rel=1e-9)
    assert folded.sd(WEIGHTS) == pytest.approx(mixed.std(ddof=1), rel=1e-9)
    assert folded.skewness(WEIGHTS) == pytest.approx(stats.skew(mixed), rel=1e-6, abs=1e-7)


def test_skewness_of_one_success_in_ten_is_eight_thirds() -> None:
    # (1 - 2 p) / sqrt(p (1 - p)) = .8 / .3.
    moments = JointMoments.of(np.array([[1.0]] + [[0.0]] * 9))
    assert moments.skewness(np.ones(1)) == pytest.approx(8 / 3)


def test_nothing_varies_and_nothing_is_known() -> None:
    tenths = JointMoments.of(np.full((3, 1), 0.1))
    assert tenths.second[0, 0] > 0  # rounding: three times .1 is not .3
    assert math.isnan(tenths.skewness(np.ones(1)))
    assert math.isnan(JointMoments.of(np.ones((1, 1))).sd(np.ones(1)))
    assert math.isnan(JointMoments.none(1).skewness(np.ones(1)))
    with pytest.raises(EvidenceError):
        JointMoments.of(np.ones((1, 1))).covariance()
    with pytest.raises(EvidenceError):
        JointMoments.of(np.array([[1.0], [math.nan]]))
