"""What is counted in blocks is what a count step by step gives; exploration is what the policy would not have done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tenure.core.arrays import Bools, Floats
from tenure.core.problem import Problem
from tenure.core.project import load_project
from tenure.core.reward import Reward, Term
from tenure.core.spaces import Box, Discrete
from tenure.training.ground import Ground
from tenure.training.metrics import learner
from tenure.training.metrics.worlds import BLOCK, LOOK_EVERY, Actions, Greedy, Stepped, WorldMeter
from tenure.training.recipes import recipe_of
from tenure.training.recipes.dqn import DQNSettings
from tenure.training.settings import Settings
from tenure.training.watcher import load_graph

from ..tiny import TINY

REWARD = Reward((Term("gain", 2.0, "$", "-"), Term("lost", -1.0, "$", "-"), Term("lost", -0.5, "$", "-")))
LABELS = Discrete(("a", "b", "c"))
VECTORS = Box(low=(0.0, -1.0), high=(10.0, 1.0), names=("x", "y"), units=("m", "m"))
SMALL = DQNSettings(steps=640, worlds=16, learning_starts=256, checkpoint_every=40, net=(16,))
STEPS, WORLDS = 2 * BLOCK + 9, 4


def problem(space: Discrete | Box = LABELS) -> Problem:
    made = load_project("bikes").problem
    return replace(made, action=space, constraints=())


def steps(seed: int = 0) -> list[Stepped]:
    rng = np.random.default_rng(seed)

    def one() -> Stepped:
        signals = {"gain": rng.integers(0, 3, WORLDS).astype(float), "lost": rng.integers(0, 2, WORLDS).astype(float)}
        seen, action = rng.normal(size=(WORLDS, 2)), rng.choice(3, WORLDS, p=[0.7, 0.2, 0.1])
        return Stepped(seen, None, action, signals, rng.random(WORLDS) < 0.1, rng.normal(size=WORLDS))

    return [one() for _ in range(STEPS)]


def counted(taken: list[Stepped], greedy: Greedy | None = None) -> dict[str, float]:
    meter = WorldMeter(problem(), REWARD, WORLDS, greedy, lambda seen: 3 * seen)
    for step in taken:
        meter.update(step)
    return meter.take()


def test_blocks_give_what_a_count_of_every_decision_gives() -> None:
    taken = steps()
    found = counted(taken)
    gain = np.concatenate([step.signals["gain"] for step in taken])
    lost = np.concatenate([step.signals["lost"] for step in taken])
    reward = 2 * gain - 1.5 * lost
    assert found["reward_mean"] == pytest.approx(reward.mean())
    assert found["reward_std"] == pytest.approx(reward.std())
    assert (found["term/gain"], found["term/lost"]) == pytest.approx((2 * gain.mean(), -1.5 * lost.mean()))
    assert found["reward_busy"] == pytest.approx(1 - max(Counter(reward).values()) / len(reward))
    assert found["reward_scale"] == pytest.approx(np.concatenate([step.earned for step in taken]).std())
    share = np.bincount(np.concatenate([step.action for step in taken])) / (STEPS * WORLDS)
    assert found["behaviour_top"] == pytest.approx(share.max())
    assert found["behaviour_entropy"] == pytest.approx(-(share * np.log(share)).sum())
    looked = [step.seen for step in taken[::LOOK_EVERY]]
    assert found["observation_extreme"] == pytest.approx(3 * np.abs(looked).max())


def test_what_the_policy_would_not_have_done_is_exploration_and_its_rewards_are_kept_apart() -> None:
    taken = steps(1)
    found = counted(taken, lambda seen, _: np.zeros(len(seen), dtype=int))
    looked = taken[::LOOK_EVERY]
    away = np.concatenate([step.action != 0 for step in looked])
    reward = np.concatenate([2 * step.signals["gain"] - 1.5 * step.signals["lost"] for step in looked])
    assert found["explored"] == pytest.approx(away.mean())
    assert found["reward_explored"] == pytest.approx(reward[away].mean())
    assert found["reward_exploited"] == pytest.approx(reward[~away].mean())


def test_the_policy_is_asked_with_what_was_allowed() -> None:
    asked: list[Bools] = []

    def greedy(seen: Floats, allowed: Bools | None) -> Actions:
        assert allowed is not None
        asked.append(allowed)
        return np.zeros(len(seen), dtype=int)

    allowed = np.ones((WORLDS, 3), dtype=bool)
    allowed[:, 1] = False
    counted([replace(steps()[0], allowed=allowed)], greedy)
    assert np.array_equal(asked[0], allowed)


def test_without_a_policy_and_units_of_a_learner_their_metrics_are_absent() -> None:
    meter = WorldMeter(problem(), REWARD, WORLDS)
    meter.update(replace(steps()[0], earned=None))
    absent = {"explored", "reward_explored", "reward_exploited", "reward_scale", "observation_extreme", "episodes"}
    assert not absent & set(meter.take())
    assert meter.take() == {}


def test_vectors_of_one_cell_are_one_action_and_far_ones_explore() -> None:
    meter = WorldMeter(problem(VECTORS), REWARD, WORLDS, lambda seen, _: np.tile([5.5, 0.5], (len(seen), 1)))
    action = np.array([[5.1, 0.41], [5.9, 0.59], [5.5, -0.9], [9.0, 0.5]])
    meter.update(replace(steps()[0], action=action))
    found = meter.take()
    assert found["behaviour_top"] == 0.5  # the first two lie in one cell
    assert found["explored"] == 0.5


def test_arrays_that_a_simulator_uses_again_are_copied() -> None:
    taken = steps()
    buffer = {name: np.empty(WORLDS) for name in ("gain", "lost")}
    meter = WorldMeter(problem(), REWARD, WORLDS)
    for step in taken:
        for name, values in step.signals.items():
            buffer[name][:] = values
        meter.update(replace(step, signals=buffer))
    assert meter.take()["term/gain"] == counted(taken)["term/gain"]


def test_counting_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    taken, greedy = steps(), lambda seen, _: np.zeros(len(seen), dtype=int)
    first = WorldMeter(problem(), REWARD, WORLDS, greedy)
    for step in taken[:70]:
        first.update(step)
    first.take()
    second = WorldMeter(problem(), REWARD, WORLDS, greedy)
    second.load_state_dict(first.state_dict())
    for step in taken[70:]:
        first.update(step)
        second.update(step)
    assert second.take() == first.take()


@pytest.mark.parametrize("settings", [TINY, SMALL], ids=["ppo", "dqn"])
def test_a_training_is_the_same_with_and_without_counting(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
        if name == "without":
            monkeypatch.setattr(WorldMeter, "update", lambda *_: None)
            monkeypatch.setattr(learner, "expected", lambda _: 0.0)
            monkeypatch.setattr(learner, "optimisers_of", lambda _: [])
        ground = Ground(load_project("bikes"), settings, 1, tmp_path / name, lambda _: None)
        recipe_of(settings.recipe).train(ground)
    first, second = (load_graph(tmp_path / name / "last.pt") for name in ("with", "without"))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
