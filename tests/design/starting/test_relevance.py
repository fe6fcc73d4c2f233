"""What tells of the outcomes weighs most in the distance between decisions, and noise weighs little."""

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.design.starting.relevance import relevance

N = 600
ALL: Bools = np.ones(N, dtype=bool)


def drawn(seed: int = 0, features: int = 4) -> tuple[Floats, Ints, np.random.Generator]:
    """Features of no meaning yet, and actions drawn evenly."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, features)), rng.integers(0, 3, N), rng


def test_the_feature_on_which_the_outcome_depends_weighs_1_and_noise_little() -> None:
    x, action, rng = drawn()
    weights = relevance(x, action, (5 * (x[:, 1] > 0) + rng.normal(size=N))[:, None], ALL)
    assert weights[1] == 1
    assert weights[[0, 2, 3]].max() < 0.25


def test_a_feature_counts_whose_effect_turns_with_the_action() -> None:
    """Over all actions it tells nothing: what it adds to one it takes from another."""
    x, action, rng = drawn()
    effect = 3 * np.sign(x[:, 2]) * np.array([0, 1, -1])[action]
    weights = relevance(x, action, (effect + rng.normal(size=N))[:, None], ALL)
    assert weights[2] == 1
    assert weights[[0, 1, 3]].max() < 0.3


def test_each_outcome_counts_whatever_its_unit() -> None:
    x, action, rng = drawn()
    large, small = 1e6 * (x[:, 0] + 0.1 * rng.normal(size=N)), x[:, 3] + 0.1 * rng.normal(size=N)
    weights = relevance(x, action, np.stack([large, small, np.zeros(N)], axis=1), ALL)
    assert weights[[0, 3]].min() > 0.8
    assert weights[[1, 2]].max() < 0.25


def test_where_nothing_tells_anything_features_weigh_much_alike() -> None:
    for seed in range(5):
        x, action, rng = drawn(seed)
        assert relevance(x, action, rng.normal(size=(N, 1)), ALL).min() > 0.4


def test_features_weigh_alike_where_there_is_nothing_to_learn_from() -> None:
    x, action, _ = drawn()
    assert (relevance(x, action, np.ones((N, 1)), ALL) == 1).all()
    for few in (0, 1, 30):
        assert (relevance(x, action, x[:, :1], np.arange(N) < few) == 1).all()


def test_weights_are_learned_from_the_rows_named_only() -> None:
    x, action, _ = drawn()
    first = np.arange(N) < N // 2
    outcome = np.where(first, x[:, 0], 9 * x[:, 1])[:, None]
    changed = np.where(first, x[:, 0], -7 * x[:, 3])[:, None]
    weights = relevance(x, action, outcome, first)
    assert weights[0] == 1
    assert np.array_equal(weights, relevance(x, action, changed, first))
