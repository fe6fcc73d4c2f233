"""CUPED: worked by hand, and the share removed is the squared correlation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.experiment.covariates import cuped, cuped_theta


def test_theta_is_the_slope() -> None:
    # x 0 1 2 3, y 1 2 3 6: sum (x - 1.5)(y - 3) = 8, sum (x - 1.5)^2 = 5.
    assert cuped_theta(np.array([1.0, 2.0, 3.0, 6.0]), np.arange(4.0)) == pytest.approx(1.6)


def test_a_perfect_covariate_leaves_only_the_mean() -> None:
    found = cuped(np.array([1.0, 3.0, 5.0]), np.array([0.0, 1.0, 2.0]))
    assert found.values == pytest.approx([3.0, 3.0, 3.0])
    assert found.removed == pytest.approx(1)


def test_the_mean_stays_and_the_squared_correlation_is_removed() -> None:
    rng = np.random.default_rng(6)
    x = rng.gamma(2, size=500)
    y = 3 * x + rng.standard_normal(500) * 4
    found = cuped(y, x)
    assert found.values.mean() == pytest.approx(y.mean())
    assert found.removed == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)


def test_theta_of_earlier_data_is_used_as_given() -> None:
    y, x = np.array([1.0, 2.0, 3.0, 6.0]), np.arange(4.0)
    found = cuped(y, x, theta=1.0)
    assert found.theta == 1.0
    assert found.values.tolist() == [2.5, 2.5, 2.5, 4.5]
    # variances 3.5 before, .75 after.
    assert found.removed == pytest.approx(1 - 0.75 / 3.5)
    assert cuped(y, x, theta=-1.0).removed < 0


def test_an_effect_is_found_where_it_is_with_less_noise() -> None:
    rng = np.random.default_rng(7)
    arm, usual = np.arange(2000) % 2 == 0, rng.normal(10, 2, 2000)
    y = usual + 0.5 * arm + rng.standard_normal(2000)
    values = cuped(y, usual).values
    error = math.sqrt(values.var() * 4 / 2000)
    assert values[arm].mean() - values[~arm].mean() == pytest.approx(0.5, abs=3 * error)
    assert error < 0.6 * math.sqrt(y.var() * 4 / 2000)


@pytest.mark.parametrize(
    ("y", "x"),
    [([1.0, 2.0], [3.0, 3.0]), ([1.0, 1.0], [1.0, 2.0]), ([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1, math.nan], [1, 2])],
)
def test_what_cannot_be_adjusted_is_refused(y: list[float], x: list[float]) -> None:
    with pytest.raises(EvidenceError):
        cuped(np.array(y, dtype=float), np.array(x, dtype=float))
