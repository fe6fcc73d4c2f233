"""A warm start answers as the version it came from, and the pull is the divergence worked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tenure.core.errors import SettingsError
from tenure.store import load_bundle
from tenure.training import train
from tenure.training.export import policy_graph
from tenure.training.ground import Ground
from tenure.training.network import TorchPolicy
from tenure.training.recipes.fast_ppo import FastPPOSettings, layers_acting, new_fast_ppo
from tenure.training.recipes.ppo import PPOSettings, acting, new_ppo
from tenure.training.warm import begin_near
from tenure.training.warm_settings import WarmStart

from .hot import hot_project
from .tiny import TINY

FAST = FastPPOSettings(steps=2048, worlds=16, rollout=32, batch=256, epochs=2, checkpoint_every=4, net=(16,))
RECIPES = [(TINY, new_ppo, acting), (FAST, new_fast_ppo, layers_acting)]


@pytest.mark.parametrize(("settings", "new", "layers"), RECIPES, ids=["ppo", "fast_ppo"])
def test_a_warm_start_answers_as_the_version_and_is_pulled_back_by_the_divergence(
    settings: PPOSettings, new: Any, layers: Any, tmp_path: Path
) -> None:
    project = hot_project(tmp_path / "hot")
    record = train(project, settings, (1,), tmp_path / "home", "live")
    folder = tmp_path / "home" / "bundles" / record.chosen
    live = load_bundle(folder, project.problem, project.incumbent)
    warm = replace(settings, warm=WarmStart(str(folder), stay=3.0))
    ground = Ground(project, warm, 2, tmp_path / "seed", lambda _: None)
    model = new(ground.worlds, warm, 2)
    assert ground.warm is not None
    begin_near(ground.warm, model.policy, layers)
    x = np.linspace(0, 1, 101, dtype=np.float32)[:, None]
    body, head = layers(model.policy)
    own = TorchPolicy(policy_graph(body, head, ground.normaliser, project.problem.action))
    proposed = [one.propose(x, None, np.zeros(101)) for one in (own, live)]
    assert np.array_equal(proposed[0].action, proposed[1].action)

    seen = torch.as_tensor(ground.normaliser(x))
    assert float(model.policy.pull(seen).detach()) == pytest.approx(0.0, abs=1e-6)
    with torch.no_grad():
        before = torch.softmax(head(body(seen)), dim=1).numpy()
        head.bias += torch.tensor([1.0, 0.0])
        after = torch.softmax(head(body(seen)), dim=1).numpy()
    by_hand = 3.0 * (before * np.log(before / after)).sum(axis=1).mean()
    assert float(model.policy.pull(seen).detach()) == pytest.approx(by_hand, rel=1e-4)

    def slope(value: torch.Tensor) -> Any:
        head.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        return head.bias.grad.numpy().copy()

    pull = slope(model.policy.pull(seen))
    values = model.policy.evaluate_actions(seen, torch.zeros(101))[0]
    assert slope(values.sum() * 0.0) == pytest.approx(pull, rel=1e-4)  # what the loss of SB3 feels beside its own


def test_a_bundle_of_another_size_or_none_is_refused(tmp_path: Path) -> None:
    project = hot_project(tmp_path / "hot")
    live = train(project, TINY, (1,), tmp_path / "home", "live").chosen
    warm = WarmStart(str(tmp_path / "home" / "bundles" / live))
    ground = Ground(project, replace(TINY, warm=warm, net=(8,)), 2, tmp_path / "seed", lambda _: None)
    with pytest.raises(SettingsError, match="layers of the body"):
        begin_near(warm, new_ppo(ground.worlds, replace(TINY, net=(8,)), 2).policy, acting)
    with pytest.raises(SettingsError, match=r"policy\.onnx"):
        Ground(project, replace(TINY, warm=WarmStart("nowhere")), 2, tmp_path / "other", lambda _: None)
    with pytest.raises(SettingsError, match="at least 0"):
        WarmStart("nowhere", -1.0)
