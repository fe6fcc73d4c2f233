"""A head learned in a world whose answer is known, checked, and refused where it does not hold."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests.simulators.gauss import GO, HOLD, PROBLEM, Gauss, chance_of_good
from torch import nn

from tenure.core.arrays import Floats
from tenure.core.policy import Policy
from tenure.simulators.twins import Twins, reliability, twins
from tenure.store import load_bundle, save_bundle
from tenure.training import PPOSettings
from tenure.training.confidence import Confidence, fit
from tenure.training.confidence.graph import ConfidentGraph
from tenure.training.export import export

WANTED = Confidence(within=1, situations=6000, members=3, units=32, passes=8)
PROMISES = np.linspace(-1.9, 1.9, 1000, dtype=np.float32)[:, None]


def going() -> nn.Module:
    """A network that always goes ahead."""
    graph = nn.Linear(1, 2)
    with torch.no_grad():
        graph.weight.zero_()
        graph.bias.copy_(torch.tensor([0.0, 1.0]))
    return graph.eval()


def fitted(policy: Policy = GO, worlds: Gauss | None = None) -> fit.Fitted:
    project: Any = SimpleNamespace(problem=PROBLEM, incumbent=HOLD, simulator=Gauss())
    return fit.fitted(project, worlds or Gauss(), policy, going(), WANTED, "normal", 5)


@pytest.fixture(scope="module")
def found() -> fit.Fitted:
    """Learned once, for those that read it."""
    return fitted()


def said(found: fit.Fitted) -> Floats:
    return fit.stated(found.sure, going(), PROMISES)


def selection() -> Twins:
    panel = Gauss().panel("selection")
    return twins(PROBLEM, Gauss(), GO, HOLD, panel, within=1, situations=4000, seed=11)


def test_a_gaussian_return_gives_the_probability_that_it_is_above_zero(found: fit.Fitted) -> None:
    truth = chance_of_good(PROMISES[:, 0].astype(float))
    assert np.abs(said(found) - truth).mean() < 0.025
    assert np.abs(said(found) - truth).max() < 0.1
    assert found.checked is not None
    assert found.checked.calibration.error.value < 0.03
    assert found.refused == ""


def test_intervals_of_the_calibration_curve_cover_what_is_true_in_fresh_worlds(found: fit.Fitted) -> None:
    fresh = selection()
    checked = reliability(fresh.said(fit.stated(found.sure, going(), fresh.observation)))
    covered = [one.good.low <= one.confidence <= one.good.high for one in checked.calibration.bins if one.good]
    assert len(covered) >= 8
    assert sum(covered) >= len(covered) - 1  # 95 % each


def test_a_head_whose_answers_are_shuffled_is_refused(found: fit.Fitted) -> None:
    seen = selection()
    truth = chance_of_good(seen.observation[:, 0].astype(float))
    kept = fit.judged(found.sure, 1, seen.said(truth))
    shuffled = fit.judged(found.sure, 1, seen.said(np.random.default_rng(2).permutation(truth)))
    assert kept.refused == ""
    assert "off on the selection data" in shuffled.refused
    assert shuffled.as_dict()["refused"] == shuffled.refused


def test_too_little_selection_data_is_a_refusal_and_no_pass(found: fit.Fitted) -> None:
    seen = selection()
    one = Twins(seen.observation[:1], np.ones(1), seen.gain[:1], seen.unit[:1])
    refused = fit.judged(found.sure, 1, one)
    assert refused.checked is None
    assert "needed on the selection data" in refused.refused


def test_learning_calibration_and_check_each_have_worlds_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Floats] = []

    def noted(*given: Any, **named: Any) -> Twins:
        rows = twins(*given, **named)
        drawn.append(rows.observation[:, 0])
        return rows

    monkeypatch.setattr(fit, "twins", noted)
    fitted()
    learning, calibrating, checking = (set(each.tolist()) for each in drawn)
    assert len(learning & calibrating) < 10  # of thousands of drawn numbers, a few are equal in float32
    assert len((learning | calibrating) & checking) < 10
    assert len(learning) > 2 * len(calibrating) * 0.9


def test_doing_what_the_incumbent_does_is_surely_as_good() -> None:
    same = fitted(policy=HOLD)
    assert said(same) == pytest.approx(1, abs=1e-3)


def test_one_seed_gives_one_head(found: fit.Fitted) -> None:
    assert np.array_equal(said(found), said(fitted()))


def test_the_bundle_states_the_heads_confidence_on_1000_observations(found: fit.Fitted, tmp_path: Path) -> None:
    whole = ConfidentGraph(going(), found.sure, 1).eval()
    bundle = export(PROBLEM, whole, PROMISES, {}, {"confidence": found.as_dict()})
    policy = load_bundle(save_bundle(bundle, tmp_path), PROBLEM)
    many = policy.propose(PROMISES, None, np.zeros(1000))
    assert np.abs(many.confidence - said(found)).max() < 1e-5
    assert (many.action == 1).all()
    singles = [float(policy.propose(PROMISES[i : i + 1], None, np.zeros(1)).confidence[0]) for i in range(0, 1000, 50)]
    assert np.abs(np.array(singles) - many.confidence[::50]).max() < 1e-6
    assert bundle.manifest["confidence"]["within"] == 1
    assert hashlib.sha256(bundle.onnx).hexdigest() == bundle.manifest["policy_sha256"]


def confident(settings: PPOSettings, monkeypatch: pytest.MonkeyPatch, limit: float) -> tuple[nn.Module, dict[str, Any]]:
    monkeypatch.setattr(fit, "training_worlds", lambda project, settings: Gauss())
    monkeypatch.setattr(fit, "CARRIED", limit)
    project = SimpleNamespace(problem=PROBLEM, incumbent=HOLD, simulator=Gauss())
    ground: Any = SimpleNamespace(project=project, settings=settings, policy=lambda graph: GO, seed=5)
    return fit.confident(ground, going())


def test_what_is_not_asked_for_is_not_learned_and_the_graph_stays_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, told = confident(PPOSettings(), monkeypatch, 0.05)
    assert isinstance(graph, nn.Linear)
    assert told == {}


def test_a_refused_head_stays_behind_and_the_evaluation_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = replace(PPOSettings(), confidence=WANTED)
    kept, told = confident(asked, monkeypatch, 0.05)
    assert isinstance(kept, ConfidentGraph)
    assert told["confidence"]["refused"] == ""
    left, told = confident(asked, monkeypatch, 0.0)
    assert isinstance(left, nn.Linear)
    assert "limit 0" in told["confidence"]["refused"]
