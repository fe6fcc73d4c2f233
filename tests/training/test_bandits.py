"""Bandits: what they regret on a problem whose answer is known, and what they learn from a log."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError, SettingsError
from tenure.core.logged import Logged, LoggedTable
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete, Feature
from tenure.training.bandit_rules import UCB, EpsilonGreedy, InverseGap, LinUCB, Rule, Softmax, Thompson
from tenure.training.bandits import fit, make_bandit

from .bandit_rows import PROBLEM, learned, masks, rows


def test_a_version_names_what_was_learned() -> None:
    bandit = learned(EpsilonGreedy())
    before = bandit.version
    assert before == learned(EpsilonGreedy()).version
    assert before != learned(EpsilonGreedy(0.2)).version
    bandit.update(*rows(10, seed=9))
    assert bandit.version != before
    assert bandit.version.startswith("epsilon-greedy-")


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


def test_what_fades_counts_as_a_discounted_sum_by_hand() -> None:
    """Rewards 1, 1, 4 of one arm at memory 1/2 and ridge 1: (4 + 1/2 + 1/4) / (1 + 1/2 + 1/4 + 1) = 4.75 / 2.75."""
    bandit = make_bandit(replace(PROBLEM, observation=PROBLEM.observation[:1]), EpsilonGreedy(), memory=0.5)
    for reward in (1.0, 1.0, 4.0):
        bandit.update(np.zeros((1, 1), dtype=np.float32), np.array([0]), np.array([reward]))
    assert bandit.posterior.expected(np.array([[1.0, 0.0]]))[0, 0] == pytest.approx(4.75 / 2.75)


@pytest.mark.parametrize(
    "rule", [UCB(), Thompson(draws=50, floor=0.05), EpsilonGreedy(0.1)], ids=lambda rule: rule.name
)
def test_where_the_best_arm_changes_forgetting_beats_pure_greed(rule: Rule) -> None:
    """Two arms, the other one is best after 300 of 600 decisions: greed that forgets nothing stays with the old one.

    The gap is 1 with noise 0.1, so greed loses about 1 a decision for half the time or more; the rules lose less than
    half of that in each of three fixed seeds.
    """
    for seed in range(3):
        greed, forgetting = lost(EpsilonGreedy(0.0), 1.0, seed), lost(rule, 0.95, seed)
        assert greed > 200
        assert forgetting < greed / 2


def lost(rule: Rule, memory: float, seed: int) -> float:
    """Regret over 600 decisions between two arms that change places after 300."""
    problem = replace(PROBLEM, observation=PROBLEM.observation[:1], action=Discrete(("left", "right")))
    bandit, rng, regret = make_bandit(problem, rule, memory=memory), np.random.default_rng(seed), 0.0
    nothing = np.zeros((1, 1), dtype=np.float32)
    for t in range(600):
        action = bandit.propose(nothing, None, rng.random(1)).action
        pays = float(action[0] == int(t >= 300))
        regret += 1.0 - pays
        bandit.update(nothing, action, pays + 0.1 * rng.standard_normal(1))
    return regret


@pytest.mark.parametrize("memory", [0.0, 1.5])
def test_a_memory_that_is_no_share_is_refused(memory: float) -> None:
    with pytest.raises(SettingsError, match="memory"):
        make_bandit(PROBLEM, UCB(), memory=memory)
