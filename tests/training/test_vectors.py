"""Policies of a `Box`: trained in units of its bounds, exported with the bounds inside, judged like any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tenure import Box, Panel, Split, Step
from tenure.core.arrays import Floats
from tenure.core.errors import BundleError, SettingsError
from tenure.core.policy import check_policy
from tenure.core.project import load_project
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.store import load_bundle, save_bundle
from tenure.store.bundles import Bundle, BundlePolicy
from tenure.training.export import export, policy_graph
from tenure.training.network import TorchPolicy
from tenure.training.normaliser import Normaliser
from tenure.training.recipes.ppo import PPOSettings, acting, new_ppo
from tenure.training.seeds import train
from tenure.training.vectors import UnitVectors, cells

SPACE = Box(("a", "b"), ("", ""), (0.0, -5.0), (10.0, 5.0))
ARM = replace(load_project("arm").problem, action=SPACE)
TINY = PPOSettings(steps=64, worlds=8, rollout=8, batch=16, epochs=1, net=(8,), baseline=False)
SEEN = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)


@dataclass(frozen=True)
class Given:
    """One world's latest action; what a simulator got is what it shows."""

    action: Floats


class Echo:
    """Worlds that keep the action they were given."""

    version, levels = "echo", {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Given:
        return Given(np.zeros((n, 2)))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        raise NotImplementedError

    def observe(self, state: Given) -> Floats:
        return np.zeros((len(state.action), 12), dtype=np.float32)

    def step(self, state: Given, action: Floats, rng: np.random.Generator) -> Step:
        signals = {name: np.zeros(len(action)) for name in ARM.signal_names}
        return Step(Given(action), signals, np.zeros(len(action), dtype=bool))


def bundle(scale: float = 50.0) -> tuple[Bundle, TorchPolicy]:
    """An untrained policy whose means lie far out of bounds as often as within."""
    worlds = SimulatorVecEnv(ARM, Echo(), 8, 0)
    model = new_ppo(worlds, TINY, 0)
    with torch.no_grad():
        model.policy.action_net.weight.mul_(scale * 100)  # type: ignore[operator]
    same = np.full(12, -1)
    normaliser = Normaliser(np.zeros(12, dtype=np.float32), np.ones(12, dtype=np.float32), same, 1.0)
    graph = policy_graph(*acting(model.policy), normaliser, SPACE)
    return export(ARM, graph, SEEN, {}, {}), TorchPolicy(graph)


def test_the_learners_unit_numbers_reach_the_worlds_in_their_own_units_and_bounds() -> None:
    worlds = SimulatorVecEnv(ARM, Echo(), 4, 0)
    unit = UnitVectors(worlds, SPACE)
    unit.reset()
    unit.step(np.array([[-1, -1], [1, 1], [0, 0.5], [-3, 3]], dtype=np.float32))
    assert worlds._state.action.tolist() == [[0, -5], [10, 5], [5, 2.5], [0, 5]]
    assert unit.action_space.low.tolist() == [-1, -1]  # type: ignore[attr-defined]


def test_the_bundle_answers_as_the_trainer_and_never_out_of_bounds() -> None:
    made, trainer = bundle()
    policy = BundlePolicy(made)
    found = policy.propose(SEEN, None, np.zeros(300)).action
    assert found.dtype == np.float64
    assert np.allclose(found, trainer.propose(SEEN, None, np.zeros(300)).action, atol=1e-4)
    assert SPACE.holds(found).all()
    assert (found == SPACE.low).any(), "some lie on the bound, so that the cut-off was needed"
    assert (found == SPACE.high).any()
    check_policy(policy, SEEN[:20], SPACE)


def test_a_saved_bundle_loads_for_its_own_bounds_alone(tmp_path: Path) -> None:
    folder = save_bundle(bundle()[0], tmp_path)
    assert load_bundle(folder, ARM).version == folder.name
    wider = replace(ARM, action=replace(SPACE, high=(20.0, 5.0)))
    with pytest.raises(BundleError, match="bounds"):
        load_bundle(folder, wider)


def test_a_golden_vector_that_the_graph_does_not_give_is_found(tmp_path: Path) -> None:
    made, _ = bundle()
    answers = made.manifest["golden"]["action"]
    wrong = [[answers[0][0], answers[0][1] + 0.02 * (-1 if answers[0][1] > 0 else 1)], *answers[1:]]
    damaged = Bundle(made.onnx, {**made.manifest, "golden": {**made.manifest["golden"], "action": wrong}})
    with pytest.raises(BundleError, match="golden answers within"):
        load_bundle(save_bundle(damaged, tmp_path), ARM)


def test_a_bundle_of_vectors_without_bounds_is_refused(tmp_path: Path) -> None:
    made, _ = bundle()
    bare = Bundle(made.onnx, {key: value for key, value in made.manifest.items() if key != "bounds"})
    with pytest.raises(BundleError, match="bounds"):
        load_bundle(save_bundle(bare, tmp_path), None)


def test_vectors_count_as_one_action_within_a_tenth_of_each_range() -> None:
    taken = np.array([[0.0, -5.0], [0.9, -4.1], [1.1, -5.0], [10.0, 5.0]])
    assert sorted(cells(taken, SPACE).tolist()) == [1, 1, 2]


def test_training_asks_for_bounds(tmp_path: Path) -> None:
    project = load_project("arm")
    endless = replace(project.problem, action=replace(SPACE, high=(np.inf, 5.0)))
    vars(project)["problem"] = endless
    with pytest.raises(SettingsError, match="finite bounds"):
        train(project, TINY, (1,), tmp_path, "endless")
