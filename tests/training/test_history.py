"""Where one observation is not enough, windows are; and the bundle is shown them as the trainer was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenure.core.errors import BundleError, SettingsError
from tenure.core.history import History
from tenure.core.residual import Residual
from tenure.simulators.rollout import run
from tenure.store import load_bundle, save_bundle
from tenure.training import PPOSettings, Settings, read_train_settings
from tenure.training.export import export
from tenure.training.ground import Ground, Trained
from tenure.training.recipes.ppo import train_ppo

from .recall import Noisy, Recall, recall_problem, recall_project

SHORT = PPOSettings(
    steps=61_440, worlds=64, rollout=16, batch=256, epochs=4, net=(16,), learning_rate=3e-3, checkpoint_every=400
)


def trained(simulator: Recall, settings: PPOSettings, folder: Path) -> tuple[Trained, float]:
    """A seed, and the best share of right answers on the selection worlds."""
    found = train_ppo(Ground(recall_project(simulator), settings, 1, folder, lambda _: None))
    return found, max(point.score for point in found.curve)


def test_what_is_no_more_shown_is_named_only_with_a_window(tmp_path: Path) -> None:
    for name in ("plain", "window"):
        (tmp_path / name).mkdir()
    # The first answer of 20 is the shown bit itself, so half of the others and the first: 0.525 without a window.
    assert trained(Recall(), SHORT, tmp_path / "plain")[1] < 0.56
    assert trained(Recall(), replace(SHORT, history=History(2)), tmp_path / "window")[1] > 0.99


def test_an_average_over_the_window_sees_through_noise(tmp_path: Path) -> None:
    for name in ("plain", "average"):
        (tmp_path / name).mkdir()
    plain = trained(Noisy(), SHORT, tmp_path / "plain")[1]
    average = trained(Noisy(), replace(SHORT, history=History(8, half_life=8.0)), tmp_path / "average")[1]
    assert plain == pytest.approx(0.69, abs=0.03), "a normal of mean 1 and deviation 2 is above 0 in 69 of 100"
    assert average > 0.80, "eight looks are right in 92 of 100, fewer at the start of a world"


@pytest.mark.parametrize("history", [History(3), History(4, half_life=2.0)])
def test_the_bundle_answers_as_the_trainer_and_runs_with_windows_of_its_own(history: History, tmp_path: Path) -> None:
    settings = replace(SHORT, steps=1024, history=history)
    project = recall_project(Noisy())
    ground = Ground(project, settings, 1, tmp_path, lambda _: None)
    graph = train_ppo(ground).graph
    windows = np.random.default_rng(0).normal(size=(1000, history.steps)).astype(np.float32)
    made = export(recall_problem(), graph, windows, {}, {}, history=history)
    policy = load_bundle(save_bundle(made, tmp_path / "bundles"), recall_problem())
    assert policy.history == history
    trainer = ground.policy(graph).propose(windows, None, np.zeros(1000))
    assert np.array_equal(policy.propose(windows, None, np.zeros(1000)).action, trainer.action)
    panel = project.simulator.panel("selection")
    trace = run(recall_problem(), project.simulator, policy, panel).trace
    assert trace.observation is not None
    kept = history.windows(trace.observation)
    by_hand = [policy.propose(seen, None, np.zeros(len(seen))).action for seen in kept]
    assert np.array_equal(trace.action, np.stack(by_hand))


def test_a_bundle_of_windows_is_no_bundle_of_another_window(tmp_path: Path) -> None:
    ground = Ground(
        recall_project(Noisy()), replace(SHORT, steps=1024, history=History(3)), 1, tmp_path, lambda _: None
    )
    made = export(
        recall_problem(), train_ppo(ground).graph, np.zeros((5, 3), dtype=np.float32), {}, {}, history=History(3)
    )
    told = {**made.manifest, "history": {"steps": 2}}
    folder = save_bundle(replace(made, manifest=told), tmp_path)
    with pytest.raises(BundleError, match="a bundle for the features"):
        load_bundle(folder, recall_problem())


def test_the_window_stands_in_the_projects_table(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_text("[train.history]\nsteps = 4\nhalf_life = 2.0\n")
    assert read_train_settings(path).history == History(4, 2.0)
    with pytest.raises(SettingsError, match="a residual or a history"):
        Settings(residual=Residual(1), history=History(2))
