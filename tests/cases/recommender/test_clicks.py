"""The model that stands for the world: fitted to the days it names, and close to what was really clicked there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tenure.cases.recommender.clicks import click_probability, indicators
from tenure.cases.recommender.data import observations, week
from tenure.core.arrays import Floats


def test_indicators_of_a_row_by_hand() -> None:
    row = np.zeros((1, 39), dtype=np.float32)
    row[0, :5] = [2, 1, 5, 0, 8]  # the second feature's 5 is an unknown value
    found = indicators(row)[0]
    assert found.shape == (3 + 3 + 5 + 9 + 9,)
    assert np.flatnonzero(found).tolist() == [1, 3 + 1, 3 + 3 + 5 + 0, 3 + 3 + 5 + 9 + 8]


def test_it_is_the_logistic_regression_of_the_first_days_of_both_logs() -> None:
    columns, clicks = [], []
    for name in ("uniform", "thompson"):
        found, seen = week(name), observations(name)
        for row in np.flatnonzero(found.day < 4):
            columns.append([*indicators(seen[row : row + 1])[0], *(found.item[row] == np.arange(34))])
            clicks.append(found.click[row])
    assert sum(clicks) == 69
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(np.array(columns), np.array(clicks))
    situation = observations("uniform")[:1]
    products = np.array([[*indicators(situation)[0], *(np.arange(34) == item)] for item in range(34)])
    assert click_probability(situation)[0] == pytest.approx(model.predict_proba(products)[:, 1], rel=1e-6)


@pytest.mark.parametrize("days", [4, 7])
def test_it_expects_as_many_clicks_as_there_were_in_its_days(days: int) -> None:
    """A logistic regression with a free intercept reproduces the sum of its data."""
    expected = real = 0.0
    for name in ("uniform", "thompson"):
        found = week(name)
        rows = np.flatnonzero(found.day < days)
        probability: Floats = click_probability(observations(name)[rows], days)
        expected += probability[np.arange(len(rows)), found.item[rows]].sum()
        real += found.click[rows].sum()
    assert expected == pytest.approx(real, rel=1e-4)
