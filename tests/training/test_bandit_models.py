"""What bandits learn: the posterior by hand, in any order, for each action alone and over what actions share."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.errors import DataError
from tenure.training.bandit_models import Encoding, RidgeModel, encoding
from tenure.training.bandit_rules import EpsilonGreedy, LinUCB, Softmax, Thompson
from tenure.training.bandits import make_bandit

from .bandit_rows import ITEMS, PROBLEM, learned, rows


def test_categories_become_indicators_and_an_unknown_one_none_of_them() -> None:
    columns = encoding(("x", "kind"), {"kind": 3})
    observation = np.array([[2.5, 0], [-1, 2], [0, 3]], dtype=np.float32)
    assert columns(observation).tolist() == [[1, 2.5, 1, 0, 0], [1, -1, 0, 0, 1], [1, 0, 0, 0, 0]]


def test_the_posterior_of_two_rows_by_hand() -> None:
    """x = (1, 2) brought 3, x = (1, 0) brought 1; ridge 1: A = [[3, 2], [2, 5]], b = (4, 6), det 11."""
    model = RidgeModel(columns=2, actions=2)
    model.update(np.array([[1.0, 2], [1, 0]]), np.array([1, 1]), np.array([3.0, 1]), np.ones(2))
    found = model.posterior()
    mean = [(5 * 4 - 2 * 6) / 11, (-2 * 4 + 3 * 6) / 11]
    assert found.coefficients.tolist() == [[0, 0], pytest.approx(mean)]
    residual = 3**2 + 1**2 - (4 * mean[0] + 6 * mean[1])
    assert found.noise == pytest.approx(math.sqrt((1 + residual) / (1 + 2)))
    # x^T A^-1 x of (1, 1) is (5 - 2 - 2 + 3) / 11; an action never tried still has the prior, x^T x = 2
    assert found.deviation(np.ones((1, 2)))[0] == pytest.approx([found.noise * math.sqrt(v) for v in (2, 4 / 11)])


def test_a_weight_of_two_is_the_row_twice() -> None:
    observation, action, reward = rows(50)
    weighted, repeated = learned(Softmax(1), n=0), learned(Softmax(1), n=0)
    weighted.update(observation, action, reward, np.full(50, 2.0))
    repeated.update(np.tile(observation, (2, 1)), np.tile(action, 2), np.tile(reward, 2))
    assert weighted.posterior.mean == pytest.approx(repeated.posterior.mean)
    assert weighted.posterior.noise == pytest.approx(repeated.posterior.noise)


@given(st.lists(st.integers(0, 60), max_size=4), st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_partition_of_the_rows_merges_to_the_same_model(cuts: list[int], shared: bool) -> None:
    observation, action, reward = rows(60)
    features = ITEMS if shared else None
    whole = learned(Thompson(), features, n=0)
    whole.update(observation, action, reward)
    merged = learned(Thompson(), features, n=0)
    for part in np.split(np.arange(60), sorted(cuts)):
        piece = learned(Thompson(), features, n=0)
        piece.update(observation[part], action[part], reward[part])
        merged.merge(piece)
    assert merged.posterior.mean == pytest.approx(whole.posterior.mean, abs=1e-9)
    assert merged.posterior.factor == pytest.approx(whole.posterior.factor, abs=1e-9)


def test_shared_coefficients_are_one_ridge_regression_over_products() -> None:
    """Against the same regression set up row by row, and its covariance row by row."""
    observation, action, reward = rows(80)
    bandit = learned(LinUCB(), ITEMS, n=0)
    bandit.update(observation, action, reward)
    x = bandit.encoding(observation)
    phi = np.array([np.outer([1, *ITEMS[a]], row).ravel() for a, row in zip(action, x, strict=True)])
    precision = phi.T @ phi + np.eye(phi.shape[1])
    theta = np.linalg.solve(precision, phi.T @ reward)
    new = np.array([1.0, 0.3, -2, 0, 1, 0])
    for a in range(4):
        product = np.outer([1, *ITEMS[a]], new).ravel()
        width = bandit.posterior.noise * math.sqrt(product @ np.linalg.solve(precision, product))
        assert bandit.posterior.expected(new[None])[0, a] == pytest.approx(product @ theta)
        assert bandit.posterior.deviation(new[None])[0, a] == pytest.approx(width)


def test_an_action_never_tried_is_known_by_those_like_it() -> None:
    bandit = make_bandit(PROBLEM, EpsilonGreedy(0), action_features=np.array([[1.0], [1], [0], [0]]))
    observation = rows(200)[0]
    action = np.where(np.arange(200) % 2, 1, 2)
    bandit.update(observation, action, (action == 1).astype(float))
    expected = bandit.posterior.expected(bandit.encoding(observation[:1]))[0]
    assert expected[0] == expected[1] > 0.9
    assert expected[3] == expected[2] < 0.1


def test_draws_have_the_posteriors_mean_and_covariance() -> None:
    for features in (None, ITEMS):
        posterior = learned(Thompson(), features).posterior
        drawn = posterior.draws(20_000, np.random.default_rng(4))
        for action in range(4):
            error = posterior.root[action] @ posterior.root[action].T
            assert np.abs(drawn[:, action].mean(axis=0) - posterior.coefficients[action]).max() < 5 * np.sqrt(
                error.diagonal().max() / 20_000
            )
            assert np.cov(drawn[:, action].T) == pytest.approx(error, abs=0.05 * error.max())


def test_models_of_another_form_do_not_merge() -> None:
    alone, shared = learned(Softmax(1)), learned(Softmax(1), ITEMS)
    with pytest.raises(DataError, match="RidgeModel"):
        alone.merge(shared)
    with pytest.raises(DataError, match="RidgeModel"):
        shared.merge(learned(Softmax(1), ITEMS * 2))
    with pytest.raises(DataError, match="ridge 2"):
        alone.merge(make_bandit(PROBLEM, Softmax(1), categories={"kind": 3}, ridge=2))


def test_an_encoding_knows_its_size() -> None:
    assert Encoding(np.array([-1, 0]), np.array([math.nan] * 2)).columns == 2
