"""One seed in this process: what it learns from, what it is judged by, what it leaves behind."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tenure.cases.bikes.problem import problem
from tenure.core.errors import EvidenceError
from tenure.core.project import Project, load_project
from tenure.simulators.rollout import run
from tenure.training import PPOSettings
from tenure.training.export import policy_graph
from tenure.training.ground import Ground
from tenure.training.network import TorchPolicy
from tenure.training.recipes.ppo import acting, new_ppo, train_ppo
from tenure.training.record import CurvePoint
from tenure.training.watcher import _finite, load_graph
from tenure.training.worlds import reward_of

from .tiny import TINY


@dataclass(frozen=True)
class Seed:
    """What one seed left behind."""

    graph: nn.Module
    curve: list[CurvePoint]
    folder: Path


NO_LOST = replace(TINY, without=("lost_rentals",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """A seed trained without the term for lost rentals."""
    return seed_of(NO_LOST, tmp_path_factory.mktemp("seed"))


def seed_of(settings: PPOSettings, folder: Path) -> Seed:
    found = train_ppo(Ground(bikes(), settings, 3, folder, lambda _: None))
    return Seed(found.graph, found.curve, folder)


def bikes() -> Project:
    return load_project("bikes")


def selection_score(graph: nn.Module) -> float:
    project = bikes()
    trace = run(project.problem, project.simulator, TorchPolicy(graph), project.simulator.panel("selection")).trace
    return project.problem.kpis[0].value(trace.signals)


def test_a_term_left_out_changes_the_reward_the_learner_sees() -> None:
    signals = {
        name: np.array([value]) for name, value in (("lost_rentals", 3.0), ("bikes_moved", 2.0), ("idle_bikes", 5.0))
    }
    assert reward_of(bikes(), TINY)(signals).tolist() == [-7.0]
    assert reward_of(bikes(), NO_LOST)(signals).tolist() == [-1.0]


def test_a_term_left_out_does_not_change_the_score(trained: Seed) -> None:
    assert selection_score(trained.graph) == pytest.approx(min(point.score for point in trained.curve))


def test_the_best_checkpoint_is_the_one_with_the_best_selection_score(trained: Seed) -> None:
    assert len(trained.curve) >= 3
    scores = [point.score for point in trained.curve]
    assert selection_score(load_graph(trained.folder / "best.pt")) == pytest.approx(min(scores))
    assert selection_score(load_graph(trained.folder / "last.pt")) == pytest.approx(scores[-1])


def test_a_checkpoint_is_due_at_the_first_update_that_reaches_it(trained: Seed) -> None:
    # 16 worlds x 32 steps in batches of 256, twice: 4 gradient steps an update, one checkpoint for every 4.
    assert [point.gradient_steps for point in trained.curve] == [4, 8, 12, 16]
    assert [point.steps for point in trained.curve] == [512, 1024, 1536, 2048]


def test_checkpoints_do_not_drift_where_an_update_is_longer_than_their_distance(tmp_path: Path) -> None:
    curve = seed_of(replace(TINY, checkpoint_every=6), tmp_path).curve
    assert [point.gradient_steps for point in curve] == [8, 12, 16], "at 6, 12 and the end"


def test_every_point_is_reported_as_it_comes_and_says_what_the_policy_does(trained: Seed) -> None:
    for point in trained.curve:
        assert 1 / 25 <= point.most_taken_share <= 1
        assert 0 <= point.entropy <= np.log(25) + 1e-9
        assert point.seconds > 0


def test_the_learning_log_holds_sb3s_values_and_the_score_to_the_last_update(trained: Seed) -> None:
    folder = trained.folder
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
    assert float(rows[-1]["selection/score"]) == pytest.approx(trained.curve[-1].score)
    assert float(rows[-1]["train/n_updates"]) == 8


def test_tensorboard_files_are_written(trained: Seed) -> None:
    (events,) = trained.folder.glob("events.out.tfevents.*")
    assert b"selection/score" in events.read_bytes()
    assert b"train/approx_kl" in events.read_bytes()


def test_the_graph_acts_as_the_trainer_does(tmp_path: Path) -> None:
    ground = Ground(bikes(), TINY, 3, tmp_path, lambda _: None)
    model, normaliser = new_ppo(ground.worlds, TINY, 3), ground.normaliser
    model.learn(512)
    simulator = bikes().simulator
    raw = simulator.observe(simulator.reset(1000, np.random.default_rng(4)))
    greedy, _ = model.predict(normaliser(raw), deterministic=True)
    graph = policy_graph(*acting(model.policy), normaliser, bikes().problem.action)
    proposal = TorchPolicy(graph).propose(raw, None, np.zeros(1000))
    assert np.array_equal(proposal.action, greedy)
    with torch.no_grad():
        distribution = model.policy.get_distribution(torch.as_tensor(normaliser(raw)))
    probabilities = distribution.distribution.probs.max(dim=1).values  # type: ignore[union-attr]
    assert np.allclose(proposal.confidence, probabilities.numpy(), atol=1e-5)


def test_a_mask_is_obeyed(trained: Seed) -> None:
    simulator = bikes().simulator
    raw = simulator.observe(simulator.reset(50, np.random.default_rng(4)))
    only = np.tile(np.arange(25) == 7, (50, 1))
    policy = TorchPolicy(trained.graph)
    assert set(policy.propose(raw, only, np.zeros(50)).action.tolist()) == {7}


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(EvidenceError, match="a finite cost on the selection data"):
        _finite(float("nan"), problem.kpis[0].name, 512)
