"""The story of the arm: torques from training to a bundle, which answers within the motors' limits, and to a verdict.

The short form trains a few seconds and asks nothing of the policy but legal torques. `TENURE_STORIES=long` trains until
the policy beats the tuned controller.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tests.stories.commands import long, tenure

from tenure.cases.arm.problem import problem
from tenure.cases.arm.simulator import simulator


def trained(home: Path, *words: str) -> dict[str, Any]:
    """A run, after the check that training asks for."""
    code, found = tenure(home, "reward", "check", "arm")
    assert (code, found["verdict"]) == (0, "pass")
    code, run = tenure(home, "train", "arm", "--seeds", "1", *words)
    assert code == 0, run
    return run


def kpi(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One KPI of an evaluation."""
    row: dict[str, Any] = next(each for each in found["kpis"] if each["name"] == name)
    return row


def test_the_scenarios_refuse_the_draft_without_effort(tmp_path: Path) -> None:
    code, found = tenure(tmp_path, "reward", "check", "arm:no-effort")
    assert (code, found["verdict"]) == (4, "fail")


def test_torques_go_from_training_to_a_bundle_within_the_motors_limits(tmp_path: Path) -> None:
    run = trained(tmp_path, "--steps", "4096")
    (graph,) = tmp_path.rglob(f"{run['version']}/policy.onnx")
    session = onnxruntime.InferenceSession(str(graph))
    wild = np.random.default_rng(0).normal(0, 100, (1000, len(problem.observation))).astype(np.float32)
    torques = session.run(["action"], {"observation": wild})[0]
    assert torques.shape == (1000, 2)
    assert problem.action.holds(torques).all()  # type: ignore[union-attr]

    code, found = tenure(tmp_path, "evaluate", "arm")
    assert code == 0
    assert kpi(found, "cost")["candidate"] == pytest.approx(run["score"]["value"], rel=1e-6)
    assert kpi(found, "jerk")["candidate"] >= 0


@long
def test_the_learned_torques_cost_less_than_the_tuned_controllers(tmp_path: Path) -> None:
    trained(tmp_path, "--steps", "800000")
    code, found = tenure(tmp_path, "evaluate", "arm")
    assert code == 0
    assert found["gain"]["value"] > 0, f"on simulator {simulator.version}"
