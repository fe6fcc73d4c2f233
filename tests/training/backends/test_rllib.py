"""RLlib trains on our worlds, survives the death of a runner, and its policy leaves as the same bundle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tenure.core.errors import SettingsError
from tenure.core.project import load_project
from tenure.training import PPOSettings
from tenure.training.backends import Where, run_jobs
from tenure.training.backends.cluster import on_ray
from tenure.training.backends.learners_worlds import LearnersWorlds
from tenure.training.backends.rllib import config_of, graph_of
from tenure.training.ground import Ground
from tenure.training.normaliser import CLIP
from tenure.training.recipes.fast_ppo import FastPPOSettings

from ..recipes.grounds import ROWS, ground, parted
from ..tiny import GUARDED, TINY, project_with
from .ground import jobs_in

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
WHERE = Where("rllib", cpus_per_job=0.25, env_runners=2, retries=2)
MOST_UPDATES = 400
"""In which a runner must be back: it takes some seconds to start, an update a fraction of one."""


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A seed's ground over the guarded bikes."""
    folder = tmp_path_factory.mktemp("rllib")
    return ground(project_with(folder / "project", GUARDED), replace(TINY, net=(64, 64)), folder / "seed")


@pytest.fixture(scope="module")
def algorithm(standing: Ground) -> Iterator[Any]:
    """RLlib's PPO after one update, with two runners."""
    settings = standing.settings
    assert isinstance(settings, PPOSettings)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with on_ray():
            built = config_of(standing, settings, WHERE).build_algo()
            built.train()
            yield built
            built.stop()


def test_the_bundle_answers_as_rllib_itself_on_a_thousand_observations(standing: Ground, algorithm: Any) -> None:
    simulator = standing.simulator
    seen = simulator.observe(simulator.reset(ROWS, np.random.default_rng(3)))
    graph = graph_of(standing, algorithm)
    module = algorithm.get_module()
    with torch.no_grad():
        ours = graph(torch.as_tensor(seen)).numpy()
        units = torch.as_tensor(standing.normaliser(seen))
        theirs = module.forward_inference({"obs": units})["action_dist_inputs"].numpy()
    assert ours.shape == (ROWS, len(standing.problem.action.labels))  # type: ignore[union-attr]
    assert np.abs(ours - theirs).max() < 1e-4
    assert np.ptp(theirs) > 1e-3  # no constant would do
    standing.watch.score(graph, 512, 4)
    assert parted(standing.project, standing.trained()) == 0


def test_a_killed_runner_is_started_again_and_the_run_goes_on(algorithm: Any) -> None:
    group = algorithm.env_runner_group
    before = set(group.foreach_env_runner(lambda _: os.getpid(), local_env_runner=False))
    os.kill(next(iter(before)), signal.SIGKILL)
    algorithm.train()
    for _ in range(MOST_UPDATES):
        if group.num_healthy_remote_workers() == 2:
            break
        algorithm.train()
    after = set(group.foreach_env_runner(lambda _: os.getpid(), local_env_runner=False))
    assert len(before) == len(after) == 2
    assert len(before & after) == 1


def test_worlds_are_in_the_learners_units(standing: Ground) -> None:
    worlds = LearnersWorlds(standing.project.place, standing.settings, standing.normaliser, 8)
    seen, _ = worlds.reset(seed=5)
    plain = standing.simulator.observe(standing.simulator.reset(8, np.random.Generator(np.random.PCG64(5)), "normal"))
    assert (seen == standing.normaliser(plain)).all()
    assert np.abs(seen).max() <= CLIP
    state = standing.simulator.reset(8, np.random.Generator(np.random.PCG64(5)), "normal")
    assert worlds.observation_space.shape == seen.shape
    action = np.zeros(8, dtype=np.int64)
    _, reward, terminated, _, info = worlds.step(action)
    assert state is not None
    assert reward.shape == terminated.shape == (8,)
    assert info == {}


@pytest.mark.parametrize(
    ("project", "settings", "found"),
    [
        ("arm", PPOSettings(), "vectors"),
        ("bikes", FastPPOSettings(), "recipe 'fast_ppo'"),
        ("bikes", replace(TINY, worlds=15, batch=240), "15 worlds for 2 runners"),
    ],
)
def test_what_it_cannot_train_is_refused_before_ray_starts(
    project: str, settings: PPOSettings, found: str, tmp_path: Path
) -> None:
    load_project(project)
    jobs = [replace(job, settings=settings) for job in jobs_in(tmp_path, 1, project)]
    with pytest.raises(SettingsError) as refused:
        run_jobs(lambda job, report: pytest.fail("ran"), jobs, print, WHERE)
    assert refused.value.found == found
