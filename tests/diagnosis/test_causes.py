"""Each suspicion from a record made by hand: strong where its signs are, weak where they are not or not measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tenure.core.history import History
from tenure.diagnosis.causes import HYPOTHESES, Hypothesis
from tenure.diagnosis.changes import changed
from tenure.diagnosis.diagnose import suspects_of
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause
from tenure.diagnosis.thresholds import STRONG, WEAK
from tenure.training.recipes import recipe_of

from .made import SETTINGS, facts, steady

BY_NAME = {one.cause.value: one for one in HYPOTHESES}
EVEN = math.log(4)
"""Entropy of an even choice among the four actions."""
WELL: Mapping[str, Sequence[float]] = {
    "behaviour_entropy": [EVEN * (1 - 0.03 * step) for step in range(20)],
    "explored": [0.6 - 0.02 * step for step in range(20)],
    "reward_busy": steady(0.9),
    "return_mean": [float(step) for step in range(20)],
    "return_std": steady(2.0),
    "episode_length": steady(20.0),
    "reward_scale": steady(1.0),
    "observation_extreme": steady(4.0),
    "explained_variance": steady(0.9),
    "dead_units": steady(0.05),
    "gradient_norm": steady(1.0),
    "value_mean": steady(2.0),
    "value_loss": steady(0.5),
}
"""What a run that is well measures."""


def ill(
    scores: Sequence[float] | None = None, top: float = 0.5, recipe: str = "ppo", **metrics: Sequence[float]
) -> Facts:
    """A run that stays far behind the incumbent, with these metrics in place of healthy ones."""
    settings = SETTINGS if recipe == "ppo" else recipe_of(recipe).settings(steps=20_000)
    return facts(scores or steady(0.2), metrics={**WELL, **metrics}, top=top, bound=1.2, settings=settings)


def strength(cause: str, found: Facts) -> float:
    return BY_NAME[cause].suspect(found).strength


SIGNS = {
    "too_little_exploration": ill(recipe="dqn", behaviour_entropy=steady(0.05 * EVEN), explored=steady(0.01)),
    "action_skew": ill(top=0.98),
    "sparse_reward": ill(reward_busy=steady(0.001)),
    "too_stochastic": ill([0.2, 0.6] * 10, return_std=steady(900.0)),
    "wrong_scale": ill(reward_scale=steady(500.0)),
    "dead_network": ill(dead_units=steady(0.95)),
    "value_explosion": ill(value_loss=[0.5] * 10 + [1e4] * 10),
    "leak": ill(train_score=steady(1.2)),
    "broken_reward": ill([1.0 - 0.05 * step for step in range(20)]),
    "weak_observation": ill(explained_variance=steady(0.1)),
}


def test_every_cause_has_one_hypothesis() -> None:
    assert sorted(BY_NAME) == sorted(cause.value for cause in Cause)


@pytest.mark.parametrize("cause", SIGNS)
def test_its_own_sign_makes_a_suspicion_that_stands_out(cause: str) -> None:
    found = {name: strength(name, SIGNS[cause]) for name in BY_NAME}
    assert found[cause] >= 0.4, found
    assert max(found, key=lambda name: found[name]) == cause, found


@pytest.mark.parametrize("cause", BY_NAME)
def test_a_run_at_its_bound_raises_no_strong_suspicion(cause: str) -> None:
    well = facts(steady(1.2), metrics={**WELL, "train_score": steady(1.21)}, bound=1.2)
    assert strength(cause, well) < STRONG


@pytest.mark.parametrize("cause", SIGNS)
def test_what_was_not_measured_is_not_suspected_strongly(cause: str) -> None:
    bare = facts(steady(0.2), bound=1.2)
    assert BY_NAME[cause].suspect(bare).strength < STRONG


def test_low_entropy_of_a_policy_that_begins_even_is_rather_a_skew_than_a_lack_of_tries() -> None:
    low = {"behaviour_entropy": steady(0.05 * EVEN), "explored": steady(0.01)}
    found = facts(steady(0.2), metrics={**WELL, **low}, top=0.98, bound=1.2)
    assert strength("action_skew", found) > strength("too_little_exploration", found) > WEAK


def test_a_value_loss_that_grows_to_the_size_of_returns_is_no_explosion() -> None:
    # ten decisions ahead with rewards of deviation 1: returns of about 10, squared 100
    assert strength("value_explosion", ill(value_loss=[1e-4] * 10 + [50.0] * 10)) == 0.0


def test_rare_features_far_out_are_only_wild_where_nothing_scales_them() -> None:
    far = {**WELL, "observation_extreme": steady(14.0)}
    plain = facts(steady(0.2), metrics=far, bound=1.2, settings=replace(SETTINGS, scale="none"))
    assert strength("wrong_scale", ill(observation_extreme=steady(14.0))) == 0.0
    assert strength("wrong_scale", plain) >= 0.4


def test_one_action_is_no_skew_where_the_run_is_as_good_as_can_be() -> None:
    right = facts(steady(1.2), metrics=WELL, top=0.98, bound=1.2)
    assert strength("action_skew", right) < WEAK


def test_a_discount_that_looks_less_far_than_an_episode_lasts_is_suspected() -> None:
    short = facts(steady(0.2), metrics=WELL, bound=1.2, settings=replace(SETTINGS, discount=0.1))
    fair = facts(steady(0.2), metrics=WELL, bound=1.2, settings=replace(SETTINGS, discount=0.95))
    assert strength("wrong_discount", short) >= 0.4 > strength("wrong_discount", fair)


def test_a_recipe_far_down_the_list_of_advice_is_suspected_and_the_first_is_not() -> None:
    first = BY_NAME["algorithm_mismatch"].fixes(ill())[0].settings["recipe"]
    settings = {name: recipe_of(name).settings(steps=20_000) for name in (str(first), "a2c")}
    own, last = (facts(steady(0.2), metrics=WELL, bound=1.2, settings=settings[name]) for name in (str(first), "a2c"))
    assert strength("algorithm_mismatch", own) == 0.0
    assert strength("algorithm_mismatch", last) >= 0.4


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=lambda one: one.cause.value)
@pytest.mark.parametrize("recipe", ["ppo", "a2c", "dqn", "qr_dqn"])
def test_every_fix_can_be_trained_with_and_changes_something(recipe: str, hypothesis: Hypothesis) -> None:
    sizes: dict[str, Any] = {"worlds": 16, "rollout": 32, "batch": 128} if recipe == "ppo" else {"worlds": 16}
    settings = recipe_of(recipe).settings(steps=20_000, **sizes)
    for fix in hypothesis.fixes(facts(steady(0.2), metrics=WELL, settings=settings)):
        found = changed(settings, fix)
        assert found is not None, fix
        assert found != settings


def test_windows_grow_fourfold_and_not_beyond_an_episode() -> None:
    fixes = BY_NAME["weak_observation"].fixes
    assert fixes(ill())[0].settings == {"history": {"steps": 4}}
    windows = facts(steady(0.2), settings=replace(SETTINGS, history=History(16)))
    assert fixes(windows)[0].settings == {"history": {"steps": 20}}


def test_where_curves_are_well_only_what_is_left_to_find_is_looked_for() -> None:
    settings = recipe_of("a2c").settings(steps=20_000)
    near, far = (facts(steady(value), metrics=WELL, bound=2.0, settings=settings) for value in (1.97, 1.65))
    assert suspects_of(near, "healthy") == []  # at the bound
    assert [one.hypothesis.cause.value for one in suspects_of(far, "healthy")][:1] == ["algorithm_mismatch"]
    above = facts(steady(1.97), metrics=WELL, settings=settings)
    assert suspects_of(above, "healthy") == []  # well above the incumbent, and nobody knows the bound
