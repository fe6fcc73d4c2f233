"""Every recipe of Stable-Baselines3: it trains, and what is exported answers as its own network does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulators.worlds import WALL, Always, Line, WalledWalk, line_problem
from tests.training.steer import steer_project
from torch import nn

from tenure.core.arrays import Ints
from tenure.core.project import Project
from tenure.core.simulator import Step
from tenure.core.spaces import Box
from tenure.store import BundlePolicy
from tenure.training.exploration import Decay
from tenure.training.export import export, policy_graph
from tenure.training.ground import Ground, Trained
from tenure.training.recipes import RECIPES

SHORT: dict[str, Any] = {"worlds": 8, "net": (16,), "checkpoint_every": 8, "baseline": False}
BUFFERED = {**SHORT, "steps": 512, "learning_starts": 64, "batch": 32, "gradient_steps": 1, "buffer": 1000}
SETTINGS: dict[str, dict[str, Any]] = {
    "ppo": {**SHORT, "steps": 512, "rollout": 16, "batch": 64, "epochs": 2},
    "fast_ppo": {**SHORT, "steps": 512, "rollout": 16, "batch": 64, "epochs": 2},
    "a2c": {**SHORT, "steps": 2048, "rollout": 16},
    "dqn": BUFFERED,
    "qr_dqn": BUFFERED,
    "sac": BUFFERED,
    "td3": BUFFERED,
    "ddpg": BUFFERED,
    "tqc": BUFFERED,
}
CASES = {"discrete": ("labels",), "box": ("vectors",), "any": ("labels", "vectors")}
PAIRS = [(name, case) for name in SETTINGS for case in CASES[RECIPES[name].actions]]


class Wall(WalledWalk):
    """The wall stands: whoever walks into it is told, and it is counted who stood there."""

    def __init__(self) -> None:
        self.met = 0

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        there = state.position <= WALL
        assert not (there & (action == 0)).any(), "a step into the wall"
        self.met += int(there.sum())
        return super().step(state, action, rng)


def small(case: str, folder: Path) -> Project:
    """A world of labels, a step of which is forbidden, or one of vectors."""
    if case == "vectors":
        return steer_project(folder)
    project = Project(folder)
    vars(project).update(problem=line_problem(10), simulator=Wall(), incumbent=Always(1), rules={}, bound=None)
    return project


class Seen(Ground):
    """A ground that keeps the learner it ran."""

    model: Any
    acting: Callable[[Any], tuple[nn.Module, nn.Module]]

    def learn(
        self, model: Any, acting: Any, gradient_steps: Any, dual_every: int = 0, entropy: Decay | None = None
    ) -> Trained:
        self.model, self.acting = model, acting
        return super().learn(model, acting, gradient_steps, dual_every, entropy)


def trained(name: str, project: Project, folder: Path) -> tuple[Seen, Trained]:
    """A short training."""
    recipe = RECIPES[name]
    ground = Seen(project, recipe.settings(**SETTINGS[name]), 1, folder, lambda _: None)
    return ground, recipe.train(ground)


@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_the_bundle_answers_1000_observations_as_the_network_that_learned(name: str, case: str, tmp_path: Path) -> None:
    ground, found = trained(name, small(case, tmp_path), tmp_path)
    problem, nothing = ground.problem, np.zeros(1000)
    assert found.curve[-1].steps == SETTINGS[name]["steps"]
    assert found.curve[-1].gradient_steps > 8
    features = len(problem.observation)
    raw = np.random.default_rng(5).uniform(-2, 3, (1000, features)).astype(np.float32)
    graph = policy_graph(*ground.acting(ground.model.policy), ground.normaliser, problem.action)
    answer = BundlePolicy(export(problem, graph, raw, {}, {})).propose(raw, None, nothing).action
    own, _ = ground.model.predict(ground.normaliser(raw), deterministic=True)
    if isinstance(problem.action, Box):
        low, high = np.array(problem.action.low), np.array(problem.action.high)
        assert np.allclose(answer, low + (np.clip(own, -1, 1) + 1) / 2 * (high - low), atol=1e-4)
        assert answer.std() > 0
    else:
        assert np.array_equal(answer, own)


@pytest.mark.parametrize("name", ["ppo", "a2c", "dqn", "qr_dqn"])
def test_what_is_forbidden_is_never_done_whoever_learns(name: str, tmp_path: Path) -> None:
    project = small("labels", tmp_path)
    ground, _ = trained(name, project, tmp_path)  # the wall raises
    assert project.simulator.met > 0  # type: ignore[attr-defined]
    assert (ground.worlds.replaced == 0) or not RECIPES[name].masks


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_an_equal_seed_gives_an_equal_curve(name: str, tmp_path: Path) -> None:
    case = CASES[RECIPES[name].actions][0]
    scores = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        curve = trained(name, small(case, tmp_path), tmp_path / run)[1].curve
        scores.append([(point.steps, point.score) for point in curve])
    assert scores[0] == scores[1]
