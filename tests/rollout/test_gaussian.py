"""Explored vectors against SciPy's truncated normal, and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import truncnorm

from tenure.core.spaces import Box
from tenure.rollout.gaussian import density, drawn

SPACE = Box(("torque", "speed"), ("Nm", "m/s"), (-1.0, 0.0), (1.0, 10.0))
MEANS = [(0.0, 5.0), (1.0, 0.0), (-0.9, 9.99)]


def oracle(mean: tuple[float, ...], scale: float) -> list[Any]:
    widths = (2.0, 10.0)
    return [
        truncnorm((low - m) / (scale * width), (high - m) / (scale * width), loc=m, scale=scale * width)
        for m, low, high, width in zip(mean, SPACE.low, SPACE.high, widths, strict=True)
    ]


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("scale", [0.01, 0.1, 1.0])
def test_a_draw_is_the_quantile_of_its_uniform_number(mean: tuple[float, ...], scale: float) -> None:
    for uniform in [(0.0, 0.999), (0.25, 0.5), (0.7, 0.01)]:
        action = drawn(SPACE, mean, scale, uniform)
        assert SPACE.holds(action)  # type: ignore[arg-type]
        found = [float(each.cdf(x)) for each, x in zip(oracle(mean, scale), action, strict=True)]
        assert found == pytest.approx(uniform, abs=1e-9)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("scale", [0.01, 0.1, 1.0])
def test_the_density_is_the_truncated_normals(mean: tuple[float, ...], scale: float) -> None:
    action = drawn(SPACE, mean, scale, (0.3, 0.6))
    one, other = oracle(mean, scale)
    assert density(SPACE, mean, scale, action) == pytest.approx(float(one.pdf(action[0]) * other.pdf(action[1])))


def test_a_narrow_draw_stays_near_the_policys_own_vector() -> None:
    assert drawn(SPACE, (0.5, 2.0), 0.01, (0.5, 0.5)) == pytest.approx((0.5, 2.0))


def test_at_a_bound_half_the_gaussian_is_left_and_its_density_doubled() -> None:
    # p(0) / s, doubled: 2 * 0.39894228 / 0.1
    assert density(Box(("a",), ("m",), (0.0,), (1.0,)), (0.0,), 0.1, (0.0,)) == pytest.approx(7.9788456, rel=1e-6)


def test_a_draw_of_zero_at_a_far_bound_is_a_number() -> None:
    assert drawn(SPACE, (1.0, 10.0), 0.001, (0.0, 0.0))[0] > 0.9
