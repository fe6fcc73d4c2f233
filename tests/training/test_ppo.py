"""One seed in this process: what it learns from, what it is judged by, what it leaves behind."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from tenure.cases.bikes.problem import problem
from tenure.core.errors import EvidenceError
from tenure.core.project import Project, load_project
from tenure.simulators.rollout import run
from tenure.training.export import policy_graph
from tenure.training.network import Learner, TorchPolicy
from tenure.training.normaliser import Normaliser
from tenure.training.ppo import _reward, train_ppo
from tenure.training.record import CurvePoint
from tenure.training.watcher import _finite

from .tiny import TINY

Trained = tuple[Learner, Normaliser, list[CurvePoint], Path]
NO_LOST = replace(TINY, without=("lost_rentals",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A seed trained without the term for lost rentals."""
    folder = tmp_path_factory.mktemp("seed")
    return *train_ppo(bikes(), NO_LOST, 3, folder, lambda _: None), folder


def bikes() -> Project:
    return load_project("bikes")


def selection_score(model: Learner, normaliser: Normaliser) -> float:
    project = bikes()
    policy = TorchPolicy(policy_graph(model.policy, normaliser, bikes().problem.action))
    trace = run(project.problem, project.simulator, policy, project.simulator.panel("selection")).trace
    return project.problem.kpis[0].value(trace.signals)


def test_a_term_left_out_changes_the_reward_the_learner_sees() -> None:
    signals = {
        name: np.array([value]) for name, value in (("lost_rentals", 3.0), ("bikes_moved", 2.0), ("idle_bikes", 5.0))
    }
    assert _reward(bikes(), TINY)(signals).tolist() == [-7.0]
    assert _reward(bikes(), NO_LOST)(signals).tolist() == [-1.0]


def test_a_term_left_out_does_not_change_the_score(trained: Trained) -> None:
    model, normaliser, curve, _ = trained
    assert selection_score(model, normaliser) == pytest.approx(min(point.score for point in curve))


def test_the_best_checkpoint_is_the_one_with_the_best_selection_score(trained: Trained) -> None:
    _, normaliser, curve, folder = trained
    assert len(curve) >= 3
    scores = [point.score for point in curve]
    assert selection_score(PPO.load(folder / "best", device="cpu"), normaliser) == pytest.approx(min(scores))
    assert selection_score(PPO.load(folder / "last", device="cpu"), normaliser) == pytest.approx(scores[-1])


def test_a_checkpoint_is_due_at_the_first_update_that_reaches_it(trained: Trained) -> None:
    # 16 worlds x 32 steps in batches of 256, twice: 4 gradient steps an update, one checkpoint for every 4.
    assert [point.gradient_steps for point in trained[2]] == [4, 8, 12, 16]
    assert [point.steps for point in trained[2]] == [512, 1024, 1536, 2048]


def test_checkpoints_do_not_drift_where_an_update_is_longer_than_their_distance(tmp_path: Path) -> None:
    curve = train_ppo(bikes(), replace(TINY, checkpoint_every=6), 3, tmp_path, lambda _: None)[2]
    assert [point.gradient_steps for point in curve] == [8, 12, 16], "at 6, 12 and the end"


def test_every_point_is_reported_as_it_comes_and_says_what_the_policy_does(trained: Trained) -> None:
    for point in trained[2]:
        assert 1 / 25 <= point.most_taken_share <= 1
        assert 0 <= point.entropy <= np.log(25) + 1e-9
        assert point.seconds > 0


def test_the_learning_log_holds_sb3s_values_and_the_score_to_the_last_update(trained: Trained) -> None:
    folder = trained[3]
    with (folder / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name in (
        "rollout/ep_rew_mean",
        "time/total_timesteps",
        "train/approx_kl",
        "train/value_loss",
        "selection/score",
    ):
        assert rows[-1][name], f"{name} at the end"
    assert float(rows[-1]["time/total_timesteps"]) == 2048
    assert float(rows[-1]["selection/score"]) == pytest.approx(trained[2][-1].score)
    assert float(rows[-1]["train/n_updates"]) == 8


def test_tensorboard_files_are_written(trained: Trained) -> None:
    (events,) = trained[3].glob("events.out.tfevents.*")
    assert b"selection/score" in events.read_bytes()
    assert b"train/approx_kl" in events.read_bytes()


def test_the_graph_acts_as_the_trainer_does(trained: Trained) -> None:
    model, normaliser, *_ = trained
    simulator = bikes().simulator
    raw = simulator.observe(simulator.reset(1000, np.random.default_rng(4)))
    greedy, _ = model.predict(normaliser(raw), deterministic=True)
    proposal = TorchPolicy(policy_graph(model.policy, normaliser, bikes().problem.action)).propose(
        raw, None, np.zeros(1000)
    )
    assert np.array_equal(proposal.action, greedy)
    with torch.no_grad():
        distribution = model.policy.get_distribution(torch.as_tensor(normaliser(raw)))
    probabilities = distribution.distribution.probs.max(dim=1).values  # type: ignore[union-attr]
    assert np.allclose(proposal.confidence, probabilities.numpy(), atol=1e-5)


def test_a_mask_is_obeyed(trained: Trained) -> None:
    model, normaliser, *_ = trained
    simulator = bikes().simulator
    raw = simulator.observe(simulator.reset(50, np.random.default_rng(4)))
    only = np.tile(np.arange(25) == 7, (50, 1))
    policy = TorchPolicy(policy_graph(model.policy, normaliser, bikes().problem.action))
    assert set(policy.propose(raw, only, np.zeros(50)).action.tolist()) == {7}


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(EvidenceError, match="a finite cost on the selection data"):
        _finite(float("nan"), problem.kpis[0].name, 512)
