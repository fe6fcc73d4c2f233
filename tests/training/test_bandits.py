"""Bandits: what they learn by hand, what they explore by formula and by frequency, and what they regret."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import BundleError, DataError, SettingsError
from tenure.core.logged import Logged, LoggedTable
from tenure.core.policy import check_policy
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Box, Discrete, Feature
from tenure.store import load_bundle, save_bundle
from tenure.store.bundles import BundlePolicy
from tenure.training.bandit_export import export_bandit
from tenure.training.bandit_models import Encoding, Posterior, RidgeModel, encoding
from tenure.training.bandit_rules import EpsilonGreedy, InverseGap, LinUCB, Rule, Softmax, Thompson
from tenure.training.bandit_slates import marginals, slate
from tenure.training.bandits import Bandit, fit, make_bandit

PROBLEM = Problem(
    name="toy",
    about="for tests",
    observation=(Feature("x", "m"), Feature("y", "m"), Feature("kind", "category number")),
    action=Discrete(("a", "b", "c", "d")),
    signals=(Signal("won", "$", -100, 100),),
    reward=Reward((Term("won", 1.0, "$", "it is earned"),)),
    kpis=(KPI("won", "$", "higher", {"won": 1}),),
)
RULES: tuple[Rule, ...] = (EpsilonGreedy(), Softmax(0.5), InverseGap(8.0), LinUCB(), Thompson(draws=200))
ITEMS = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, -1.0]])


def known(mean: list[float], deviation: list[float] | None = None) -> Posterior:
    """A posterior over actions with one column, the constant."""
    root = np.zeros(len(mean)) if deviation is None else np.array(deviation)
    return Posterior(np.array(mean)[:, None], root[:, None, None], 1.0, None)


def chances(rule: Rule, mean: list[float], allowed: list[int] | None = None) -> list[float]:
    """The rule's probabilities where the mean rewards are these."""
    legal = np.ones((1, len(mean)), dtype=bool) if allowed is None else np.array([allowed], dtype=bool)
    found: list[float] = rule.distribution(known(mean), np.ones((1, 1)), legal)[0].tolist()
    return found


def rows(n: int, seed: int = 0) -> tuple[Floats, Ints, Floats]:
    """Situations, actions and rewards that depend on all of them."""
    rng = np.random.default_rng(seed)
    observation = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 3, n)]).astype(np.float32)
    action = rng.integers(0, 4, n)
    reward = observation[:, 0] * action + observation[:, 1] + (observation[:, 2] == action) + rng.normal(size=n)
    return observation, action, reward


def learned(rule: Rule, action_features: Floats | None = None, n: int = 200) -> Bandit:
    bandit = make_bandit(PROBLEM, rule, categories={"kind": 3}, action_features=action_features)
    bandit.update(*rows(n))
    return bandit


def masks(n: int) -> Bools:
    allowed = np.random.default_rng(8).random((n, 4)) < 0.5
    allowed[np.arange(n), np.arange(n) % 4] = True
    return allowed


# What is learned


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


def test_a_first_batch_of_equal_rewards_does_not_end_exploration() -> None:
    bandit = make_bandit(PROBLEM, Thompson())
    observation = rows(20)[0]
    bandit.update(observation, np.zeros(20, dtype=int), np.zeros(20))
    assert (bandit.distribution(observation)[:, 1:] > 0.1).all()


# What is explored


def test_epsilon_greedy_by_hand() -> None:
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 0]) == pytest.approx([0.05, 0.85, 0.05, 0.05])
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 3]) == pytest.approx([0.05, 0.45, 0.05, 0.45])
    assert chances(EpsilonGreedy(0.2), [1, 3, 2, 0], [1, 0, 1, 0]) == pytest.approx([0.1, 0, 0.9, 0])


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
        assert isinstance(rule, LinUCB)


def test_a_version_names_what_was_learned() -> None:
    bandit = learned(EpsilonGreedy())
    before = bandit.version
    assert before == learned(EpsilonGreedy()).version
    assert before != learned(EpsilonGreedy(0.2)).version
    bandit.update(*rows(10, seed=9))
    assert bandit.version != before
    assert bandit.version.startswith("epsilon-greedy-")


# What is regretted


def play(rule: Rule, actions: int = 4, rounds: int = 4000, batch: int = 20, seed: int = 1) -> Floats:
    """Regret of each round on a known linear problem: every action pays, the best depends on x.

    Everybody starts from the log of a rule that always took action 0, as bandits in practice do.
    """
    rng = np.random.default_rng(seed)
    theta = np.column_stack([np.linspace(0.3, 0.6, actions), 0.25 * np.array([1, -1, 1, -1])])
    problem = Problem("line", "x", (Feature("x", "m"),), PROBLEM.action, PROBLEM.signals, PROBLEM.reward, PROBLEM.kpis)
    bandit, regret = make_bandit(problem, rule), []
    first = rng.uniform(-1, 1, (batch, 1))
    bandit.update(first, np.zeros(batch, dtype=int), 0.3 + 0.25 * first[:, 0] + 0.1 * rng.normal(size=batch))
    for _ in range(rounds // batch):
        x = rng.uniform(-1, 1, (batch, 1))
        mean = np.column_stack([np.ones(batch), x]) @ theta.T
        action = bandit.propose(x.astype(np.float32), None, rng.random(batch)).action
        paid = mean[np.arange(batch), action]
        bandit.update(x, action, paid + 0.1 * rng.normal(size=batch))
        regret.append(mean.max(axis=1) - paid)
    return np.concatenate(regret)


UNIFORM, GREEDY = EpsilonGreedy(1.0), EpsilonGreedy(0.0)


@pytest.mark.parametrize("rule", [LinUCB(), Thompson(draws=200), InverseGap(400.0), Softmax(0.07), EpsilonGreedy(0.05)])
def test_regret_beats_uniform_and_a_greedy_policy_that_is_stuck(rule: Rule) -> None:
    """At most a third of either; greedy stays with action 0, which pays at least .05, as others look worth 0."""
    found = play(rule).sum()
    assert found < play(UNIFORM).sum() / 3
    assert found < play(GREEDY).sum() / 3


@pytest.mark.parametrize("rule", [LinUCB(), Thompson(draws=200, floor=1e-6)], ids=lambda rule: rule.name)
def test_regret_grows_slower_than_the_rounds(rule: Rule) -> None:
    """The last 1,000 of 4,000 rounds cost under a tenth of the first; uniform and greedy cost the same throughout."""
    quarters = play(rule).reshape(4, 1000).sum(axis=1)
    assert quarters[3] < quarters[0] / 10
    for flat in (UNIFORM, GREEDY):
        quarters = play(flat).reshape(4, 1000).sum(axis=1)
        assert quarters[3] > 0.8 * quarters[0]


# From a log


def log_of(n: int, **changes: object) -> LoggedTable:
    observation, action, reward = rows(n)
    columns: dict[str, object] = {
        "index": np.arange(n),
        "decision_id": np.array([str(i) for i in range(n)], dtype=object),
        "unit": np.arange(n, dtype=np.uint64),
        "action": action,
        "propensity": np.full(n, 0.25),
        "reward": reward,
        "features": observation,
        "names": PROBLEM.feature_names,
        "labels": ("a", "b", "c", "d"),
    }
    return LoggedTable(Logged(**{**columns, **changes}), size=37)  # type: ignore[arg-type]


def test_a_log_is_learned_in_batches_as_at_once() -> None:
    bandit = learned(Softmax(1), n=0)
    assert fit(bandit, log_of(200)) == 200
    assert bandit.posterior.mean == pytest.approx(learned(Softmax(1)).posterior.mean)


def test_a_reward_that_was_not_measured_is_not_zero() -> None:
    observation, action, reward = rows(200)
    gone = np.arange(200) % 3 == 0
    bandit, few = learned(Softmax(1), n=0), learned(Softmax(1), n=0)
    assert fit(bandit, log_of(200, reward=np.where(gone, np.nan, reward))) == 133
    few.update(observation[~gone], action[~gone], reward[~gone])
    assert bandit.posterior.mean == pytest.approx(few.posterior.mean)


def test_rows_are_weighed_by_the_inverse_of_their_propensity_when_asked() -> None:
    propensity = np.random.default_rng(2).uniform(0.1, 1, 200)
    bandit, by_hand = learned(Softmax(1), n=0), learned(Softmax(1), n=0)
    fit(bandit, log_of(200, propensity=propensity), inverse_propensity=True)
    by_hand.update(*rows(200), 1 / (4 * propensity))
    assert bandit.posterior.mean == pytest.approx(by_hand.posterior.mean)


@pytest.mark.parametrize("propensity", [0.0, 1.5, math.nan])
def test_an_illegal_propensity_is_refused_where_it_is_needed_and_only_there(propensity: float) -> None:
    logged = np.full(200, 0.25)
    logged[41] = propensity
    with pytest.raises(DataError, match="first in row 41"):
        fit(learned(Softmax(1), n=0), log_of(200, propensity=logged), inverse_propensity=True)
    assert fit(learned(Softmax(1), n=0), log_of(200, propensity=logged)) == 200


def test_a_log_of_other_actions_is_refused() -> None:
    with pytest.raises(DataError, match="4 actions"):
        fit(learned(Softmax(1)), log_of(20, labels=("a", "b")))


def test_a_bandit_is_a_target_for_evaluation() -> None:
    bandit, batch = learned(InverseGap(3)), log_of(30, allowed=masks(30)).rows
    assert bandit.as_target(batch).tolist() == bandit.distribution(batch.features, masks(30)).tolist()


# Slates


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


# Out to a bundle


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("shared", [False, True])
def test_a_bundle_decides_as_the_bandit_it_came_from(rule: Rule, shared: bool, tmp_path: Path) -> None:
    bandit, observation = learned(rule, ITEMS if shared else None), rows(300, seed=11)[0]
    observation[:5, 2] = 7  # a category nobody has seen
    policy = load_bundle(save_bundle(export_bandit(PROBLEM, bandit, observation, {}, {}), tmp_path), PROBLEM)
    draw = np.random.default_rng(12).random(300)
    for allowed in (None, masks(300)):
        mine, served = bandit.propose(observation, allowed, draw), policy.propose(observation, allowed, draw)
        assert mine.distribution is not None
        assert served.distribution == pytest.approx(mine.distribution, abs=1e-5)
        assert served.action.tolist() == mine.action.tolist()
    check_policy(policy, observation[:40], 4, masks(40))


def test_a_bandit_that_learned_nothing_can_be_served() -> None:
    bandit, observation = learned(LinUCB(), n=0), rows(5)[0]
    policy = BundlePolicy(export_bandit(PROBLEM, bandit, observation, {}, {}))
    assert policy.propose(observation, None, np.full(5, 0.6)).action.tolist() == [2] * 5


def test_a_bundle_of_a_bandit_is_served_without_the_training_stack(tmp_path: Path) -> None:
    folder = save_bundle(export_bandit(PROBLEM, learned(Thompson(draws=20)), rows(5)[0], {}, {}), tmp_path)
    script = f"""
import sys, json, pathlib
from tenure.store.bundles import Bundle, BundlePolicy
import numpy as np
folder = pathlib.Path({str(folder)!r})
policy = BundlePolicy(Bundle((folder / "policy.onnx").read_bytes(), json.loads((folder / "manifest.json").read_text())))
policy.propose(np.zeros((1, 3), dtype=np.float32), None, np.zeros(1))
print(sorted({{"torch", "onnx", "sklearn", "tenure.training"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_rule_without_a_graph_is_not_exported() -> None:
    class Own(Softmax):
        pass

    with pytest.raises(SettingsError, match="Own"):
        export_bandit(PROBLEM, learned(Own(1.0)), rows(5)[0], {}, {})


def test_a_graph_for_another_problem_is_refused() -> None:
    smaller = Problem(
        "toy", "x", PROBLEM.observation[:2], PROBLEM.action, PROBLEM.signals, PROBLEM.reward, PROBLEM.kpis
    )
    with pytest.raises(BundleError, match="golden rows"):
        export_bandit(smaller, learned(Softmax(1)), rows(5)[0], {}, {})


# What is refused


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


GOOD = rows(6)


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        ((GOOD[0], GOOD[1][:5], GOOD[2]), "lengths"),
        ((GOOD[0], GOOD[1], np.where(np.arange(6) == 2, np.nan, GOOD[2])), "finite"),
        ((np.where(np.arange(18).reshape(6, 3) == 2, np.inf, GOOD[0]), GOOD[1], GOOD[2]), "finite"),
        ((GOOD[0], GOOD[1], GOOD[2], -np.ones(6)), "weights >= 0"),
        ((GOOD[0], GOOD[1] + 4, GOOD[2]), "actions 0 to 3"),
        ((GOOD[0], GOOD[1] - 9, GOOD[2]), "actions 0 to 3"),
    ],
)
def test_a_batch_that_cannot_be_learned_from_is_refused_and_changes_nothing(
    batch: tuple[Floats, Ints, Floats], says: str
) -> None:
    bandit = learned(Softmax(1))
    before = bandit.version
    with pytest.raises(DataError, match=says):
        bandit.update(*batch)
    assert bandit.version == before


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
