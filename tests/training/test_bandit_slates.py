"""Slates: different items, and the probability of each at its position."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import DataError
from tenure.training.bandit_rules import InverseGap, Softmax
from tenure.training.bandit_slates import marginals, slate

from .bandit_rows import learned, rows


def test_marginals_of_a_slate_by_hand() -> None:
    """Shares .5 .3 .2 at every position: P(b second) = .5 * .3 / .5 + .2 * .3 / .8."""

    class Fixed:
        def distribution(self, observation: Floats, allowed: Bools | None = None) -> Floats:
            assert allowed is not None
            share = np.array([0.5, 0.3, 0.2]) * allowed
            return np.asarray(share / share.sum(axis=1, keepdims=True))

    found = marginals(Fixed(), np.zeros((3, 1, 1)), np.ones((1, 3), dtype=bool))[:, 0]
    second = [0.3 * 5 / 7 + 0.2 * 5 / 8, 0.5 * 0.6 + 0.2 * 3 / 8, 0.5 * 0.4 + 0.3 * 2 / 7]
    assert found[0] == pytest.approx([0.5, 0.3, 0.2])
    assert found[1] == pytest.approx(second)
    assert found[2] == pytest.approx(1 - np.array([0.5, 0.3, 0.2]) - second)


def test_a_slate_shows_different_allowed_items_as_often_as_it_says() -> None:
    bandit, n = learned(InverseGap(2), n=60), 4000
    observation = np.repeat(rows(40, seed=5)[0][[3, 9, 12]][:, None], n, axis=1)
    allowed = np.tile([True, True, False, True], (n, 1))
    found = slate(bandit, observation, allowed, np.random.default_rng(20260202).random((n, 3)))
    assert (np.sort(found.action, axis=1) == [0, 1, 3]).all()
    for position in range(3):
        at = marginals(bandit, observation[:, :1], allowed[:1])[position, 0]
        assert at[2] == 0
        count = np.bincount(found.action[:, position], minlength=4)
        kept = [0, 1, 3]
        assert stats.chisquare(count[kept], n * at[kept] / at.sum()).pvalue > 0.001
        assert found.propensity[:, position] == pytest.approx(at[found.action[:, position]])
    whole = found.given_above.prod(axis=1)
    top = (found.action == found.action[0]).all(axis=1)
    assert abs(top.sum() - n * whole[0]) < 4 * math.sqrt(n * whole[0])


def test_a_slate_needs_as_many_allowed_items_as_positions() -> None:
    with pytest.raises(DataError, match="at least 3 allowed"):
        slate(learned(Softmax(1)), np.zeros((3, 1, 3)), np.array([[True, True, False, False]]), np.zeros((1, 3)))
