"""The cross-entropy method on a line whose best return is known."""

from __future__ import annotations

import numpy as np
from tests.design.reward.attack.hunts import line_hunt

from tenure.core.arrays import Floats
from tenure.core.policy import check_policy
from tenure.design.reward.attack.evolution import LinearSoftmax, evolution
from tenure.design.reward.attack.hunt import Hunt, judging_panel
from tenure.training.normaliser import Normaliser

PLAIN = Normaliser(np.zeros(1, np.float32), np.ones(1, np.float32), np.array([-1]), 1.0)


def test_probabilities_are_a_softmax_of_linear_scores() -> None:
    weights = np.array([[[1.0, 0.0], [0.0, 2.0]]])
    found = LinearSoftmax(weights, PLAIN).propose(np.array([[3.0]], np.float32), None, np.array([0.5]))
    # Scores 1 * 3 + 0 and 0 * 3 + 2: e^3 / (e^3 + e^2) = 0.7311.
    assert found.distribution is not None
    assert np.allclose(found.distribution, [[0.7311, 0.2689]], atol=1e-4)


def test_each_member_uses_its_own_weights_on_its_own_rows() -> None:
    left, right = [[9.0, 9.0], [0.0, 0.0]], [[0.0, 0.0], [9.0, 9.0]]
    both = LinearSoftmax(np.array([left, right]), PLAIN)
    action = both.propose(np.ones((6, 1), np.float32), None, np.full(6, 0.5)).action
    assert action.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_linear_softmax_keeps_what_a_policy_promises() -> None:
    weights = np.random.default_rng(0).normal(size=(1, 4, 2))
    seen = np.linspace(-3, 3, 7, dtype=np.float32)[:, None]
    check_policy(LinearSoftmax(weights, PLAIN), seen, 4, np.array([[True, False, True, False]] * 7))


def _returns(hunt: Hunt) -> list[Floats]:
    panel, reward = judging_panel(hunt.project), hunt.project.problem.reward
    return [np.asarray(reward(each.play(panel).signals).sum(axis=0)) for each in evolution(hunt)]


def test_evolution_finds_nearly_the_best_on_the_line() -> None:
    # Right all the way pays 1 + 2 + 3 + 4 + 5.
    assert all(returns.mean() > 13 for returns in _returns(line_hunt(place=1.0)))


def test_one_seed_gives_one_evolution_and_another_gives_another() -> None:
    one, again, other = (_returns(line_hunt(seed=seed, place=1.0))[0] for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()
