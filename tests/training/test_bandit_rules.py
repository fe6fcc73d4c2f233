"""What bandits explore: each rule by its formula, by hand, and by the frequency of what it does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tenure.core.errors import SettingsError
from tenure.core.policy import check_policy
from tenure.core.problem import Problem
from tenure.core.spaces import Box
from tenure.training.bandit_models import Posterior, RidgeModel, encoding
from tenure.training.bandit_rules import UCB, EpsilonGreedy, InverseGap, LinUCB, Rule, Softmax, Thompson
from tenure.training.bandits import make_bandit

from .bandit_rows import ITEMS, PROBLEM, RULES, learned, masks, rows


def known(mean: list[float], deviation: list[float] | None = None) -> Posterior:
    """A posterior over actions with one column, the constant."""
    root = np.zeros(len(mean)) if deviation is None else np.array(deviation)
    return Posterior(np.array(mean)[:, None], root[:, None, None], 1.0, None)


def chances(rule: Rule, mean: list[float], allowed: list[int] | None = None) -> list[float]:
    """The rule's probabilities where the mean rewards are these."""
    legal = np.ones((1, len(mean)), dtype=bool) if allowed is None else np.array([allowed], dtype=bool)
    found: list[float] = rule.distribution(known(mean), np.ones((1, 1)), legal)[0].tolist()
    return found


def test_epsilon_greedy_by_hand() -> None:
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 0]) == pytest.approx([0.05, 0.85, 0.05, 0.05])
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 3]) == pytest.approx([0.05, 0.45, 0.05, 0.45])
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 0], [1, 0, 1, 0]) == pytest.approx([0.1, 0, 0.9, 0])
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 3], [1, 0, 1, 1]) == pytest.approx([1 / 15, 0, 1 / 15, 13 / 15])


def test_softmax_by_hand() -> None:
    two, four, one = math.e**2, math.e**4, math.e
    assert chances(Softmax(0.5), [0, 1, 2]) == pytest.approx([v / (1 + two + four) for v in (1, two, four)])
    assert chances(Softmax(1), [0, 1, 2], [1, 1, 0]) == pytest.approx([1 / (1 + one), one / (1 + one), 0])
    assert chances(Softmax(1e-3), [5000, 4000]) == [1, 0]


def test_inverse_gap_weighting_by_hand() -> None:
    """Gaps 2 and 1, gamma 4, three actions: 1 / (3 + 8), 1 / (3 + 4), and the rest."""
    assert chances(InverseGap(4), [0, 2, 1]) == pytest.approx([1 / 11, 1 - 1 / 11 - 1 / 7, 1 / 7])
    assert chances(InverseGap(4), [0, 2, 1], [1, 0, 1]) == pytest.approx([1 / 6, 0, 5 / 6])
    assert chances(InverseGap(0), [0, 2, 1]) == pytest.approx([1 / 3] * 3)
    assert chances(InverseGap(4), [2, 2, 1]) == pytest.approx([3 / 7, 3 / 7, 1 / 7])


def test_ucb_is_the_published_bound_on_plain_arms() -> None:
    """Two arms tried 8 and 2 times, noise 1: t = 10, f = 1 + 10 ln(10)^2 = 54.02, sqrt(2 ln f) = 2.825.

    Bounds: 0.5 + 2.825 / sqrt(8) = 1.499 and m + 2.825 / sqrt(2) = m + 1.997, the second from m = -0.498 on.
    """
    for mean, second in ((-0.49, 1.0), (-0.51, 0.0)):
        posterior = known([0.5, mean], [8**-0.5, 2**-0.5])
        chance = UCB().distribution(posterior, np.ones((1, 1)), np.ones((1, 2), dtype=bool))
        assert chance[0, 1] == second


def test_ucb_counts_only_what_is_allowed() -> None:
    """Arms tried 8, 2 and a million times, the last forbidden: it must not make the others look overdue.

    With its million the width were sqrt(2 ln(1 + 1e6 ln(1e6)^2)) = 6.17, and the second were taken from m = -1.68 on.
    """
    posterior = known([0.5, -0.51, 0.0], [8**-0.5, 2**-0.5, 1e-3])
    allowed = np.array([[True, True, False]])
    assert UCB().distribution(posterior, np.ones((1, 1)), allowed)[0].tolist() == [1, 0, 0]


def test_linucb_takes_the_highest_bound_and_draws_among_equals() -> None:
    everything = np.ones((1, 3), dtype=bool)
    one = np.ones((1, 1))
    posterior = known([1, 2, 0], [1, 0.1, 1])
    assert LinUCB(0).distribution(posterior, one, everything).tolist() == [[0, 1, 0]]
    assert LinUCB(2).distribution(posterior, one, everything).tolist() == [[1, 0, 0]]
    assert LinUCB(2).distribution(posterior, one, np.array([[False, True, True]])).tolist() == [[0, 1, 0]]
    assert chances(LinUCB(), [0, 0]) == [0.5, 0.5]
    assert LinUCB().alpha == pytest.approx(2.3581, abs=1e-4)


def test_thompson_is_the_probability_of_being_best() -> None:
    """Two independent normals: P(N(1, .5) > N(0, 1)) = Phi(1 / sqrt(1.25)), within 4 standard errors of 4,000 draws."""
    rule = Thompson(draws=4000, floor=1e-9)
    found = rule.distribution(known([0, 1], [1, 0.5]), np.ones((1, 1)), np.ones((1, 2), dtype=bool))[0, 1]
    exact = float(stats.norm.cdf(1 / math.sqrt(1.25)))
    assert found == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 4000))


def test_thompson_never_logs_a_probability_of_zero() -> None:
    assert chances(Thompson(floor=0.02), [100, 0, 0, 0]) == pytest.approx([0.985, 0.005, 0.005, 0.005])
    assert chances(Thompson(floor=0.02), [100, 0, 0, 0], [1, 1, 0, 0]) == pytest.approx([0.99, 0.01, 0, 0])


def test_the_draws_of_thompson_are_their_seed_s() -> None:
    observation = rows(20)[0]
    found = [learned(Thompson(seed=seed)).distribution(observation) for seed in (1, 1, 2)]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_thompson_compares_many_rows_as_it_compares_few() -> None:
    bandit, observation = learned(Thompson(draws=50)), rows(300)[0]
    whole = bandit.distribution(observation)
    assert whole == pytest.approx(
        np.concatenate([bandit.distribution(observation[i : i + 7]) for i in range(0, 300, 7)])
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_every_rule_keeps_every_promise_of_a_policy(rule: Rule, masked: bool, shared: bool) -> None:
    bandit, observation = learned(rule, ITEMS if shared else None), rows(60, seed=3)[0]
    check_policy(bandit, observation, 4, masks(60) if masked else None)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_stated_probabilities_are_the_frequencies(rule: Rule) -> None:
    """Chi-square over 20,000 draws in one situation, p above .001; the seed is fixed."""
    bandit = learned(rule, n=12)
    n, allowed = 20_000, np.array([True, True, False, True])
    observation = np.repeat(rows(40, seed=5)[0][7:8], n, axis=0)
    expected = bandit.distribution(observation[:1], allowed[None])[0]
    draw = np.random.default_rng(20260201).random(n)
    # One situation: the distribution is worked out once, the draws go through the same door.
    bandit.__dict__["distribution"] = lambda *_: np.broadcast_to(expected, (n, 4))
    count = np.bincount(bandit.propose(observation, None, draw).action, minlength=4)
    possible = expected > 0
    assert count[~possible].sum() == 0
    if possible.sum() > 1:
        assert stats.chisquare(count[possible], n * expected[possible]).pvalue > 0.001
    else:
        assert isinstance(rule, LinUCB | UCB)


def test_a_first_batch_of_equal_rewards_does_not_end_exploration() -> None:
    bandit = make_bandit(PROBLEM, Thompson())
    observation = rows(20)[0]
    bandit.update(observation, np.zeros(20, dtype=int), np.zeros(20))
    assert (bandit.distribution(observation)[:, 1:] > 0.1).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: EpsilonGreedy(1.1),
        lambda: EpsilonGreedy(-0.1),
        lambda: Softmax(0),
        lambda: Softmax(math.inf),
        lambda: InverseGap(-1),
        lambda: LinUCB(math.nan),
        lambda: Thompson(draws=0),
        lambda: Thompson(floor=0),
        lambda: RidgeModel(2, 3, ridge=0),
        lambda: RidgeModel(2, 3, np.ones((2, 1))),
        lambda: RidgeModel(2, 3, np.full((3, 1), np.nan)),
        lambda: encoding(("x",), {"y": 3}),
        lambda: make_bandit(
            Problem(
                "box", "x", PROBLEM.observation, Box(("v",), ("m",), (0.0,), (1.0,)), PROBLEM.signals,
                PROBLEM.reward, PROBLEM.kpis,
            ),
            Softmax(1),
        ),
    ],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(SettingsError):
        make()
