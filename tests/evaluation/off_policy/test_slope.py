"""SLOPE on small cases worked by hand; sqrt(6) - 1 = 1.449."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.off_policy.slope import Point, slope


def test_the_most_biased_estimator_that_agrees_with_all_others_is_chosen() -> None:
    # |0 - 1| <= .1 + 1.449 x 1 = 1.549, |0 - 1.2| <= .1 + 1.449 x 2: the first agrees.
    assert slope([Point(0, 0.1), Point(1, 1), Point(1.2, 2)]) == 0


def test_one_that_disagrees_with_a_less_biased_one_is_passed_over() -> None:
    # |0 - 1| > .1 + 1.449 x .5 = .825; |1 - 1.2| <= .5 + ...: the second.
    assert slope([Point(0, 0.1), Point(1, 0.5), Point(1.2, 2)]) == 1


def test_the_least_biased_one_always_agrees_with_itself() -> None:
    assert slope([Point(0, 0.01), Point(5, 0.01), Point(10, 0.01)]) == 2


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(EvidenceError, match="estimators to choose from"):
        slope([])


def test_a_point_without_data_has_an_infinite_width() -> None:
    assert math.isinf(Point.of(np.zeros((5, 2))).width)


def test_a_point_has_the_half_width_of_a_normal_interval() -> None:
    point = Point.of(np.stack([np.array([1.0, 2.0, 4.0, 9.0]), np.ones(4)], axis=1))
    assert point.value == 4
    assert point.width == pytest.approx(1.959964 * np.std([1, 2, 4, 9], ddof=1) / 2, rel=1e-6)
