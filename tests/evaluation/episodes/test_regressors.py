"""The table of means, and the default regressor."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.episodes.regressors import TabularMean, random_forest


def test_every_distinct_row_gets_its_mean_and_a_new_one_gets_nothing() -> None:
    x = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    table = TabularMean().fit(x, np.array([1.0, 5.0, 3.0, 7.0]))
    asked = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [2.0, 1.0], [0.0, 0.0]])
    assert table.predict(asked).tolist() == [2, 7, 5, 0, 0]


def test_rows_outside_the_table_are_never_taken_for_others() -> None:
    table = TabularMean().fit(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([3.0, 4.0]))
    # In a table two wide (3, 0) would have the key of (1, 1), and (-2, 1) that of (0, 0).
    assert table.predict(np.array([[3.0, 0.0], [0.5, 0.0], [-2.0, 1.0], [0.0, 2.0]])).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("feature", [0.5, -1.0])
def test_features_that_are_no_counts_are_refused(feature: float) -> None:
    with pytest.raises(EvidenceError, match="integers"):
        TabularMean().fit(np.array([[feature], [1.0]]), np.ones(2))


def test_the_default_learns_a_step_and_repeats_itself() -> None:
    rng = np.random.default_rng(1)
    x = rng.random((400, 2))
    y = (x[:, 0] > 0.5) * 2.0
    one, same, other = (random_forest(seed) for seed in (3, 3, 4))
    for model in (one, same, other):
        model.fit(x, y)
    assert np.abs(one.predict(x) - y).mean() < 0.1
    assert np.array_equal(one.predict(x), same.predict(x))
    assert not np.array_equal(one.predict(x), other.predict(x))
