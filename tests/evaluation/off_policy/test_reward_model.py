"""The cross-fitted linear reward model against a plain least-squares fit."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.evaluation.off_policy.reward_model import FOLDS, RidgeSums, fold_of, predict, with_intercept

RNG = np.random.default_rng(4)
X = RNG.normal(size=(4000, 2)) * np.array([1.0, 50.0])
ACTION = RNG.integers(0, 2, 4000)
REWARD = 3 + X @ np.array([2.0, -0.1]) * (1 + ACTION) + RNG.normal(scale=0.1, size=4000)
UNIT = np.arange(4000, dtype=np.uint64)


def summed(rows: slice = slice(None)) -> RidgeSums:
    sums = RidgeSums(3, 2)
    sums.update(with_intercept(X[rows]), ACTION[rows], REWARD[rows], fold_of(UNIT[rows]))
    return sums


def test_folds_halve_the_units_and_keep_each_whole() -> None:
    assert 0.47 < fold_of(UNIT).mean() < 0.53
    assert (fold_of(UNIT) == fold_of(UNIT.copy())).all()


def test_each_fold_is_predicted_by_a_fit_on_the_other() -> None:
    found = summed().fitted()
    for fold in range(FOLDS):
        for action in range(2):
            rows = (fold_of(UNIT) != fold) & (action == ACTION)
            plain = np.linalg.lstsq(with_intercept(X[rows]), REWARD[rows], rcond=None)[0]
            assert found[fold, action] == pytest.approx(plain, rel=0.01)


def test_predictions_take_the_coefficients_of_each_rows_fold() -> None:
    coefficients = np.arange(12.0).reshape(2, 2, 3)
    found = predict(coefficients, np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]), np.array([1, 0]))
    assert found.tolist() == [[21.0, 30.0], [0.0, 3.0]]


def test_sums_merge() -> None:
    merged = summed(slice(1000, None))
    merged.merge(summed(slice(0, 1000)))
    assert merged.fitted() == pytest.approx(summed().fitted(), rel=1e-9)


def test_an_action_without_rows_is_predicted_the_mean_reward() -> None:
    sums = RidgeSums(2, 2)
    x, reward = with_intercept(np.array([[1.0], [2.0], [3.0], [4.0]])), np.array([1.0, 2.0, 3.0, 6.0])
    sums.update(x, np.zeros(4, dtype=np.int64), reward, np.array([0, 0, 1, 1]))
    assert sums.fitted()[:, 1].tolist() == [[4.5, 0.0], [1.5, 0.0]]


def test_rows_without_a_reward_are_left_out_of_the_fit() -> None:
    sums, reward = summed(), REWARD.copy()
    reward[:100] = np.nan
    without = RidgeSums(3, 2)
    without.update(with_intercept(X), ACTION, reward, fold_of(UNIT))
    assert without.gram[:, :, 0, 0].sum() == sums.gram[:, :, 0, 0].sum() - 100
    assert np.isfinite(without.fitted()).all()


def test_features_of_another_scale_are_penalised_alike() -> None:
    sums = RidgeSums(3, 2)
    sums.update(with_intercept(X * np.array([1.0, 1000.0])), ACTION, REWARD, fold_of(UNIT))
    assert sums.fitted()[:, :, 2] * 1000 == pytest.approx(summed().fitted()[:, :, 2], rel=1e-6)
