"""The problem reads for itself, and both policies draw what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenure import Discrete
from tenure.cases.recommender.data import CATEGORIES, FEATURES, item_features, log, observations, week
from tenure.cases.recommender.problem import ByPosition, Uniform, incumbent, problem, rules, thompson, uniform
from tenure.core.policy import check_policy
from tenure.core.project import load_project
from tenure.rollout.settings import read_settings
from tenure.store import load_bundle, save_bundle
from tenure.training.bandit_export import export_bandit
from tenure.training.bandit_rules import InverseGap
from tenure.training.bandits import fit, make_bandit

SEEN = observations("uniform")[:40]


def masked(n: int) -> np.typing.NDArray[np.bool_]:
    allowed = np.random.default_rng(3).random((n, 34)) < 0.3
    allowed[np.arange(n), np.arange(n) % 34] = True
    return allowed


def test_a_click_is_worth_one_and_says_why() -> None:
    (term,) = problem.reward.terms
    assert (term.signal, term.weight) == ("click", 1.0)
    assert len(term.because.split()) >= 5


def test_every_feature_signal_and_kpi_names_its_unit() -> None:
    assert all(feature.unit for feature in problem.observation)
    assert all(signal.unit for signal in problem.signals)
    assert all(kpi.unit for kpi in problem.kpis)


def test_observations_are_in_the_order_of_the_problem_and_within_its_bounds() -> None:
    assert problem.feature_names == FEATURES
    for name in ("uniform", "thompson"):
        seen = observations(name)
        for column, feature in enumerate(problem.observation):
            assert feature.low <= seen[:, column].min() <= seen[:, column].max() <= feature.high


def test_all_but_the_position_may_be_left_out_and_an_unknown_user_is_of_no_known_category() -> None:
    defaults = {feature.name: feature.default for feature in problem.observation}
    assert defaults.pop("position") is None
    assert {name: defaults[name] for name in CATEGORIES} == CATEGORIES
    assert {value for name, value in defaults.items() if name not in CATEGORIES} == {0.0}


def test_actions_are_labelled_by_item_id() -> None:
    assert isinstance(problem.action, Discrete)
    assert problem.action.labels == tuple(str(item) for item in range(34)) == log("uniform").labels


def test_kpis_by_hand() -> None:
    """Three decisions, the first two in the first position, the second and third clicked."""
    signals = {"click": np.array([0, 1.0, 1]), "first": np.array([1.0, 1, 0]), "first_click": np.array([0, 1.0, 0])}
    assert [kpi.value(signals) for kpi in problem.kpis] == pytest.approx([2 / 3, 1 / 2])


def test_today_is_the_uniform_policy_and_the_other_log_is_a_rule() -> None:
    assert isinstance(incumbent, Uniform)
    assert set(rules) == {"thompson"}
    assert uniform.distribution(SEEN) == pytest.approx(np.full((40, 34), 1 / 34))


def test_the_thompson_rule_is_the_share_of_each_item_at_a_position() -> None:
    shown = week("thompson")
    first = shown.position == 1
    by_hand = [(shown.item[first] == item).sum() / first.sum() for item in range(34)]
    seen = SEEN[SEEN[:, 0] == 1][:1]
    assert thompson.distribution(seen)[0] == pytest.approx(by_hand)
    assert thompson.table.sum(axis=1) == pytest.approx([1, 1, 1])
    assert thompson.table.min() > 0.001, "each item was shown at each position, so both logs support each other"


def test_the_mean_of_the_logged_propensities_is_no_distribution() -> None:
    """Why the rule counts rows instead: items are logged when they are likely."""
    shown = week("thompson")
    first = shown.position == 1
    means = [shown.propensity[first & (shown.item == item)].mean() for item in range(34)]
    assert sum(means) == pytest.approx(2.344, abs=1e-3)


@pytest.mark.parametrize("policy", [uniform, thompson], ids=["uniform", "thompson"])
@pytest.mark.parametrize("some", [False, True])
def test_both_keep_every_promise_of_a_policy(policy: ByPosition | Uniform, some: bool) -> None:
    check_policy(policy, SEEN, 34, masked(40) if some else None)


def test_a_rule_whose_items_are_all_forbidden_is_uniform_over_the_others() -> None:
    rule = ByPosition("thompson", "t")
    rule.__dict__["table"] = np.eye(3, 34)
    allowed = np.ones((1, 34), dtype=bool)
    allowed[0, :3] = False
    assert rule.distribution(SEEN[:1], allowed)[0] == pytest.approx(allowed[0] / 31)


@pytest.mark.parametrize("policy", [uniform, thompson], ids=["uniform", "thompson"])
def test_as_a_target_each_gives_probabilities_of_every_row(policy: ByPosition | Uniform) -> None:
    found = policy.as_target(log("uniform").rows)
    assert found.shape == (10_000, 34)
    assert found.sum(axis=1) == pytest.approx(np.ones(10_000))


def test_the_case_loads_by_its_name_with_settings_that_hold() -> None:
    project = load_project("recommender")
    assert project.problem.version == problem.version
    assert project.bound is None
    settings = read_settings(project.settings_path, project.problem)
    assert settings.rollout.stages == [0.01, 0.1, 1.0]


@pytest.mark.parametrize("shared", [False, True], ids=["disjoint", "shared"])
def test_a_bandit_learns_from_the_uniform_log_and_is_served_as_a_bundle(shared: bool, tmp_path: Path) -> None:
    features = item_features()[:, :1] if shared else None
    bandit = make_bandit(problem, InverseGap(2000.0), categories=CATEGORIES, action_features=features)
    assert fit(bandit, log("uniform")) == 10_000
    policy = load_bundle(save_bundle(export_bandit(problem, bandit, SEEN, {}, {}), tmp_path), problem)
    draw = np.random.default_rng(5).random(40)
    mine, served = bandit.propose(SEEN, masked(40), draw), policy.propose(SEEN, masked(40), draw)
    assert served.distribution == pytest.approx(mine.distribution, abs=1e-5)
    assert served.action.tolist() == mine.action.tolist()
    assert mine.confidence.max() > 0.1, "it has learned to prefer something"
