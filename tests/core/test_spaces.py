"""A vector lies within its `Box` or it does not."""

from __future__ import annotations

import numpy as np

from tenure.core.spaces import Box

SPACE = Box(("a", "b"), ("", ""), (-1.0, 0.0), (1.0, np.inf))


def test_a_vector_is_held_when_every_number_is_finite_and_within_its_bounds() -> None:
    vectors = [[-1.0, 0.0], [1.0, 1e9], [1.1, 0.0], [0.0, -0.1], [np.nan, 0.0], [0.0, np.inf]]
    assert SPACE.holds(np.array(vectors)).tolist() == [True, True, False, False, False, False]


def test_the_nearest_vector_is_cut_off_number_by_number() -> None:
    assert SPACE.nearest(np.array([[-3.0, -2.0], [0.5, 7.0], [9.0, 7.0]])).tolist() == [[-1, 0], [0.5, 7], [1, 7]]
