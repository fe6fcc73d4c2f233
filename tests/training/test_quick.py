"""Short trainings and masks: nothing forbidden is tried, here or after the export."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO
from tests.simulators.worlds import Always, LineWalk, WalledWalk, line_problem

from tenure.core.arrays import Bools, Floats
from tenure.core.project import Project
from tenure.core.reward import Reward, Term
from tenure.simulators.rollout import run
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.store import BundlePolicy
from tenure.training import PPOSettings
from tenure.training.export import export, policy_graph
from tenure.training.network import TorchPolicy
from tenure.training.normaliser import fit_normaliser
from tenure.training.quick import short_ppo
from tenure.training.recipes.ppo import acting, new_ppo

from .hot import hot_project

SMALL = PPOSettings(steps=512, worlds=16, rollout=32, batch=256, epochs=2, net=(8,))


def walled_env(simulator: LineWalk) -> SimulatorVecEnv:
    """Worlds that begin at the wall."""
    return SimulatorVecEnv(line_problem(10), simulator, SMALL.worlds, 0, level="wall")


def test_only_where_something_may_be_forbidden_is_the_learner_masked() -> None:
    assert type(new_ppo(walled_env(WalledWalk()), SMALL, 0)) is MaskablePPO
    assert type(new_ppo(walled_env(LineWalk()), SMALL, 0)) is PPO


def test_a_masked_learner_never_tries_what_is_forbidden() -> None:
    masked, plain = walled_env(WalledWalk()), walled_env(WalledWalk())
    new_ppo(masked, SMALL, 0).learn(1024)
    assert masked.replaced == 0
    PPO("MlpPolicy", plain, n_steps=32, batch_size=256, seed=0, device="cpu").learn(1024)
    assert plain.replaced > 0, "or the test above says nothing"


def test_a_bundle_keeps_the_mask_it_is_given() -> None:
    problem, simulator = line_problem(10), WalledWalk()
    normaliser = fit_normaliser(problem, simulator, Always(1), np.random.default_rng(0))
    worlds = SimulatorVecEnv(problem, simulator, SMALL.worlds, 0, transform=normaliser)
    learner = new_ppo(worlds, SMALL, 0)
    learner.learn(512)
    raw = np.array([[-2, 3], [0, 1], [2, 9]], dtype=np.float32)
    policy = BundlePolicy(
        export(problem, policy_graph(*acting(learner.policy), normaliser, problem.action), raw, {}, {})
    )
    for allowed in masks(len(raw)):
        batch = policy.propose(raw, allowed, np.zeros(3)).action
        singles = [policy.propose(raw[[row]], allowed[[row]], np.zeros(1)).action[0] for row in range(3)]
        greedy, _ = learner.predict(normaliser(raw), deterministic=True, action_masks=allowed)  # type: ignore[call-arg]
        assert batch.tolist() == singles == greedy.tolist()
        assert allowed[np.arange(3), batch].all()


def masks(n: int) -> list[Bools]:
    """Every mask of three actions that leaves at least one, for n rows."""
    bits = [[bool(code >> place & 1) for place in range(3)] for code in range(1, 8)]
    return [np.tile(row, (n, 1)) for row in bits]


@pytest.fixture(scope="module")
def hot(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A problem with a draft reward."""
    return hot_project(tmp_path_factory.mktemp("hot"))


def heat(project: Project, reward: Reward) -> float:
    """How often a short training on a reward runs fast."""
    policy = short_ppo(project, reward, 40_960, 1)
    return float(run(project.problem, project.simulator, policy, project.simulator.panel("train")).trace.action.mean())


def test_a_short_training_finds_what_the_reward_it_is_given_pays_for(hot: Project) -> None:
    assert heat(hot, hot.drafts["heat"]) > 0.95
    assert heat(hot, Reward((Term("heat", -1.0, "$/run", "cool"),))) < 0.05


def test_a_short_training_can_be_repeated_and_writes_nothing(
    hot: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen = hot.simulator.observe(hot.simulator.reset(500, np.random.default_rng(3)))
    one, again, other = (logits(short_ppo(hot, hot.problem.reward, 4096, seed), seen) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert os.listdir(tmp_path) == []


def logits(policy: object, seen: Floats) -> Floats:
    import torch

    assert isinstance(policy, TorchPolicy)
    with torch.no_grad():
        return np.asarray(policy.network(torch.as_tensor(seen)).numpy())


def test_a_reward_of_nothing_but_one_value_can_be_trained_on(hot: Project) -> None:
    class Flat(Reward):
        def __call__(self, signals: Mapping[str, Floats]) -> Floats:
            return np.zeros_like(signals["heat"])

    short_ppo(hot, Flat((Term("heat", 1.0, "$/run", "never paid"),)), 4096, 1)
