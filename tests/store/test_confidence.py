"""A bundle that carries confidence states it; one that does not, states what it stated before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import BundleError
from tenure.core.policy import check_policy
from tenure.store import BundlePolicy, load_bundle, save_bundle
from tenure.store.manifest import Sureness

from .graphs import linear, sure
from .test_bundles import GOLDEN, LOGITS, PROBLEM, bundle, forged

SURE: Floats = 1 / (1 + np.exp(-GOLDEN[:, 0]))
STATED = Sureness("as good as the rule", 24, SURE)


def confident(**changes: Any) -> BundlePolicy:
    return BundlePolicy(bundle(**{"onnx": sure(), "sureness": STATED} | changes))


def test_the_stated_confidence_is_the_bundles_own_in_a_batch_and_alone() -> None:
    policy = confident()
    many = policy.propose(GOLDEN, None, np.zeros(4))
    assert many.confidence == pytest.approx(SURE, abs=1e-6)
    assert many.action.tolist() == LOGITS.argmax(axis=1).tolist()
    for row in range(4):
        alone = policy.propose(GOLDEN[row : row + 1], None, np.zeros(1))
        assert alone.confidence == pytest.approx(SURE[row : row + 1], abs=1e-6)
        assert alone.action.tolist() == [many.action[row]]
    check_policy(policy, GOLDEN, 3)


def test_a_bundle_that_draws_keeps_its_distribution_beside_the_confidence() -> None:
    drawn = confident(choice="sample").propose(GOLDEN, None, np.full(4, 0.5))
    plain = BundlePolicy(bundle(choice="sample")).propose(GOLDEN, None, np.full(4, 0.5))
    assert drawn.confidence == pytest.approx(SURE, abs=1e-6)
    assert drawn.distribution == pytest.approx(plain.distribution)
    assert drawn.action.tolist() == plain.action.tolist()


def test_a_bundle_without_it_states_its_share_of_the_softmax_as_before() -> None:
    policy = BundlePolicy(bundle())
    share = np.exp(LOGITS.max(axis=1)) / np.exp(LOGITS).sum(axis=1)
    assert policy.propose(GOLDEN, None, np.zeros(4)).confidence == pytest.approx(share)
    assert "confidence" not in bundle().manifest
    assert "confidence" not in bundle().manifest["golden"]


def test_the_manifest_says_what_it_means_and_loads_again(tmp_path: Path) -> None:
    made = bundle(onnx=sure(), sureness=STATED)
    assert made.manifest["confidence"] == {"meaning": "as good as the rule", "within": 24}
    policy = load_bundle(save_bundle(made, tmp_path), PROBLEM)
    assert policy.propose(GOLDEN, None, np.zeros(4)).confidence == pytest.approx(SURE, abs=1e-6)


@pytest.mark.parametrize(
    ("golden", "found"),
    [(SURE + np.array([0, 0, 0.01, 0]), "off by 0.01"), (SURE[:2], "shape"), (SURE[:, None], "shape")],
)
def test_a_confidence_that_is_not_the_trainers_is_refused(golden: Floats, found: str) -> None:
    with pytest.raises(BundleError, match=found):
        confident(sureness=Sureness("as good as the rule", 24, golden))


def test_a_graph_that_gives_no_confidence_is_refused_where_the_manifest_names_one() -> None:
    with pytest.raises(BundleError):
        confident(onnx=linear())


def test_a_golden_confidence_that_is_no_number_is_refused() -> None:
    with pytest.raises(BundleError, match="golden confidence"):
        confident(sureness=Sureness("as good as the rule", 24, np.full(4, np.nan)))


@pytest.mark.parametrize("told", [True, {"meaning": "x"}, {"meaning": "x", "within": "soon"}])
def test_a_manifest_that_says_it_otherwise_is_refused(told: object, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="the fields"):
        load_bundle(forged(tmp_path, confidence=told), PROBLEM)


def test_a_graph_that_gives_no_number_is_not_sure_whatever_it_says_of_itself() -> None:
    broken = GOLDEN.copy()
    broken[1, 1] = np.nan  # two of its logits; its confidence reads the first feature alone
    policy = confident()
    many = policy.propose(broken, None, np.zeros(4)).confidence
    assert np.isnan(many).tolist() == [False, True, False, False]
    assert np.isnan(policy.propose(broken[1:2], None, np.zeros(1)).confidence).all()


def test_what_is_forbidden_takes_no_confidence_away() -> None:
    allowed = np.array([[True, False, True]] * 4)
    policy = confident()
    assert policy.propose(GOLDEN, allowed, np.zeros(4)).confidence == pytest.approx(SURE, abs=1e-6)
    assert policy.propose(GOLDEN[:1], allowed[:1], np.zeros(1)).confidence == pytest.approx(SURE[:1], abs=1e-6)
