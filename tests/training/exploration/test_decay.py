"""Shares of random actions: each shape by hand, refusals, and the paper's rule by value differences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import SettingsError
from tenure.training.exploration import Decay, ValueDifference
from tenure.training.recipes.bandit import BanditSettings, rule_at
from tenure.training.recipes.dqn import DQNSettings, falling
from tenure.training.recipes.q_learning import QLearningSettings


def test_linear_falls_by_equal_steps_and_then_stays() -> None:
    decay = Decay(0.3, 0.01, over=0.5)
    assert [decay(share) for share in (0, 0.25, 0.5, 1)] == pytest.approx([0.3, 0.155, 0.01, 0.01])


def test_exponential_falls_by_equal_factors() -> None:
    decay = Decay(0.4, 0.1, shape="exponential")
    assert [decay(share) for share in (0, 0.5, 1)] == pytest.approx([0.4, 0.2, 0.1])


def test_the_default_goes_from_three_tenths_to_a_hundredth() -> None:
    assert [Decay()(0), Decay()(1)] == pytest.approx([0.3, 0.01])


@pytest.mark.parametrize(
    "wrong", [{"last": 0, "shape": "exponential"}, {"first": -0.1}, {"over": 0}, {"over": 1.1}, {"shape": "steps"}]
)
def test_a_schedule_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        Decay(**wrong)  # type: ignore[arg-type]


def test_value_differences_by_hand() -> None:
    """Tokic's equation with |move| / sensitivity = ln 3: (1 - 1/3) / (1 + 1/3) = 0.5; 4 actions count a quarter."""
    adaptive = ValueDifference(2, 4, first=1.0, last=0.01, sensitivity=1.0)
    adaptive.update(np.array([0]), np.array([math.log(3)]))
    assert adaptive(np.array([0, 1])).tolist() == pytest.approx([0.875, 1.0])


def test_a_cell_met_twice_in_a_batch_counts_twice() -> None:
    once, twice = (ValueDifference(1, 4, 1.0, 0.01, 1.0) for _ in range(2))
    for _ in range(2):
        once.update(np.array([0]), np.array([0.2]))
    twice.update(np.array([0, 0]), np.array([0.2, 0.2]))
    assert once.epsilon == pytest.approx(twice.epsilon)


def test_where_values_stand_still_only_the_floor_is_left() -> None:
    adaptive = ValueDifference(1, 2, 1.0, 0.05, 1.0)
    for _ in range(50):
        adaptive.update(np.array([0]), np.array([0.0]))
    assert adaptive(np.array([0])).tolist() == [0.05]


@pytest.mark.parametrize(
    "wrong",
    [
        {"decay": "adaptive"},
        {"sensitivity": 0.1},
        {"decay": "exponential", "last_epsilon": 0.0},
        {"decay": "adaptive", "sensitivity": 0.0},
    ],
)
def test_a_table_refuses_schedules_that_lack_or_do_not_need_a_number(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="expected"):
        QLearningSettings(**wrong)  # type: ignore[arg-type]


class Learner:
    """Stands for one of Stable-Baselines3, which asks its schedule with the share of the training that is left."""

    exploration_schedule = None


def test_a_q_network_explores_by_the_settings_schedule() -> None:
    settings = DQNSettings(explore_first=0.4, explore_last=0.1, explore_for=0.5, decay="exponential")
    schedule = falling(Learner(), settings).exploration_schedule
    assert [schedule(left) for left in (1.0, 0.75, 0.5, 0.0)] == pytest.approx([0.4, 0.2, 0.1, 0.1])
    assert falling(Learner(), DQNSettings()).exploration_schedule is None


def test_a_bandits_exploration_falls_to_what_it_is_served_with() -> None:
    greedy = BanditSettings(rule="epsilon-greedy", explore_first=0.3, floor=0.1)
    boltzmann = BanditSettings(rule="boltzmann", explore_first=4.0, temperature=1.0, decay="exponential")
    assert [getattr(rule_at(greedy, 0, done), "epsilon", None) for done in (0, 1)] == pytest.approx([0.3, 0.1])
    found = [getattr(rule_at(boltzmann, 0, done), "temperature", None) for done in (0, 0.5, 1)]
    assert found == pytest.approx([4, 2, 1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "boltzmann"},
        {"temperature": 1.0},
        {"explore_first": 0.3},
        {"memory": 0.0},
        {"memory": 1.1},
        {"rule": "epsilon-greedy", "explore_first": 0.001},
        {"rule": "boltzmann", "temperature": 0.0},
    ],
)
def test_a_bandit_refuses_what_does_not_belong_to_its_rule(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="expected"):
        BanditSettings(**wrong)  # type: ignore[arg-type]
