"""How two sets of arrays differ, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenure.simulators.walk import difference

NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"x": np.array([1, 2])}, {"x": np.array([1, 2])}, ""),
        ({"x": np.array([1.0, NAN])}, {"x": np.array([1.0, NAN])}, ""),
        ({"x": np.array([1, 2])}, {"x": np.array([1, 3])}, "'x' of world 1 is 2 and 3"),
        ({"x": np.array([[1, 2], [3, 4]])}, {"x": np.array([[1, 9], [3, 4]])}, "'x' of world 0 is [1 2] and [1 9]"),
        ({"x": np.array([1, 2])}, {"x": np.array([1])}, "'x' has shape (2,) and (1,)"),
        ({"x": np.array([1])}, {"y": np.array([1])}, "['x'] became ['y']"),
        ({"x": np.array([1.0])}, {"x": np.array([1.0 + 1e-9])}, "'x' of world 0 is 1.0 and 1.000000001"),
    ],
)
def test_the_first_field_and_world_that_differ_are_named(
    one: dict[str, Any], other: dict[str, Any], words: str
) -> None:
    assert difference(one, other) == words


def test_close_floats_are_equal_only_where_asked_for() -> None:
    one, near, far = ({"x": np.array([value])} for value in (1.0, 1.0 + 1e-9, 1.001))
    assert difference(one, near, close=True) == ""
    assert difference(one, far, close=True, worlds=[4]) == "'x' of world 4 is 1.0 and 1.001"
