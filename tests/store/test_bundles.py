"""Bundles: content-addressed, whole or not there, and every kind of damage is told apart from a policy."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import BundleError
from tenure.core.policy import check_policy
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Box, Discrete, Feature
from tenure.store import Bundle, load_bundle, make_bundle, save_bundle
from tenure.store.bundles import BundlePolicy, sampled

from .graphs import WEIGHTS, linear, masked

PROBLEM = Problem(
    name="toy",
    about="for tests",
    observation=(Feature("x", "m"), Feature("y", "m")),
    action=Discrete(("a", "b", "c")),
    signals=(Signal("cost", "$", 0, 1),),
    reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)
GOLDEN: Floats = np.array([[1, 0], [0, 1], [2, 3], [-1, 0.5]], dtype=np.float32)
LOGITS: Floats = GOLDEN @ WEIGHTS


def bundle(**changes: Any) -> Bundle:
    given: dict[str, Any] = {"problem": PROBLEM, "onnx": linear(), "golden": GOLDEN, "logits": LOGITS}
    return make_bundle(**given | {"lineage": {"run": "r1"}, "evaluation": {"cost": 1.5}} | changes)


def forged(folder: Path, **changes: Any) -> Path:
    """A bundle whose hashes agree with what was changed in it."""
    original = bundle()
    onnx = changes.pop("onnx", original.onnx)
    manifest = {**original.manifest, "policy_sha256": hashlib.sha256(onnx).hexdigest(), **changes}
    forgery = Bundle(onnx, {key: value for key, value in manifest.items() if value is not ...})
    return save_bundle(forgery, folder)


def test_a_saved_bundle_loads_and_decides_as_its_trainer_did(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path / "bundles")
    policy = load_bundle(folder, PROBLEM)
    assert policy.version == folder.name == bundle().version
    proposal = policy.propose(GOLDEN, None, np.zeros(4))
    assert proposal.action.tolist() == [0, 1, 1, 1]  # by hand: [1,-1,.5] [0,2,1] [2,4,4] [-1,2,0]
    share = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    assert proposal.confidence == pytest.approx(share.max(axis=1), rel=1e-6)
    assert policy.bundle.manifest["evaluation"] == {"cost": 1.5}


@pytest.mark.parametrize("masked", [False, True])
def test_a_loaded_bundle_keeps_every_promise_of_a_policy(tmp_path: Path, masked: bool) -> None:
    policy = load_bundle(save_bundle(bundle(), tmp_path), PROBLEM)
    observation = np.random.default_rng(7).normal(size=(50, 2)).astype(np.float32)
    allowed = np.random.default_rng(8).random((50, 3)) < 0.5
    allowed[np.arange(50), np.arange(50) % 3] = True
    check_policy(policy, observation, 3, allowed if masked else None)


def test_one_row_is_as_sure_as_the_same_row_of_many(tmp_path: Path) -> None:
    policy = load_bundle(save_bundle(bundle(), tmp_path), PROBLEM)
    many = policy.propose(GOLDEN, None, np.zeros(4))
    ones = [policy.propose(row[None], None, np.zeros(1)) for row in GOLDEN]
    assert np.concatenate([one.confidence for one in ones]) == pytest.approx(many.confidence, rel=1e-6)


def test_a_graph_that_gives_no_number_is_not_sure() -> None:
    from tenure.store.bundles import _best

    for logits in ([float("nan"), 1.0], [1.0, float("nan")], [float("inf"), 1.0]):
        assert np.isnan(_best(logits).confidence).all()


def test_a_version_is_the_hash_of_everything_in_it() -> None:
    assert bundle().version == bundle().version
    others = [
        bundle(lineage={"run": "r2"}),
        bundle(evaluation={"cost": 1.0}),
        bundle(golden=GOLDEN[:2], logits=LOGITS[:2]),
        bundle(onnx=linear(WEIGHTS + 1e-6), logits=LOGITS),
    ]
    assert len({bundle().version, *(other.version for other in others)}) == 5
    manifest = json.dumps(bundle().manifest, sort_keys=True, separators=(",", ":")).encode()
    assert bundle().version == hashlib.sha256(manifest).hexdigest()[:12]


def test_saving_twice_changes_nothing(tmp_path: Path) -> None:
    first = save_bundle(bundle(), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert save_bundle(bundle(), tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_saving_again_mends_a_damaged_bundle(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path)
    (folder / "policy.onnx").write_bytes(b"cut")
    (folder / "manifest.json").unlink()
    save_bundle(bundle(), tmp_path)
    load_bundle(folder, PROBLEM)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_no_half_bundle_is_seen_when_the_disk_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        seen.append([path.name for path in tmp_path.glob("[!.]*")])
        raise OSError(28, "No space left on device")

    seen: list[list[str]] = []
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_bundle(bundle(), tmp_path)
    assert seen == [[]]
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_readable_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert save_bundle(bundle(), tmp_path).stat().st_mode == (tmp_path / "other").stat().st_mode


def flip(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"cost":1.5', '"cost":0.5'))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped bit in the graph": (lambda f: flip(f, "policy.onnx"), "named in the manifest"),
    "edited manifest": (edit, "content of version"),
    "graph missing": (lambda f: (f / "policy.onnx").unlink(), "No such file"),
    "manifest missing": (lambda f: (f / "manifest.json").unlink(), "No such file"),
    "manifest cut short": (lambda f: (f / "manifest.json").write_text('{"format": 1,'), "JSON"),
    "manifest not UTF-8": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe\xff"), "JSON"),
    "manifest a list": (lambda f: (f / "manifest.json").write_text("[]"), "format of (1, 2)"),
    "other format": (lambda f: (f / "manifest.json").write_text('{"format": 3}'), "format 3"),
    "manifest without hashes": (lambda f: (f / "manifest.json").write_text('{"format": 1}'), "policy_sha256"),
}


@pytest.mark.parametrize(("damage", "says"), DAMAGE.values(), ids=list(DAMAGE))
def test_damage_is_a_bundle_error(tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    folder = save_bundle(bundle(), tmp_path)
    damage(folder)
    refused(folder, says)


def test_a_renamed_folder_is_a_bundle_error(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path)
    refused(folder.rename(tmp_path / "0123456789ab"), "content of version 0123456789ab")


def test_a_folder_that_is_not_there_is_a_bundle_error(tmp_path: Path) -> None:
    refused(tmp_path / "none", "No such file")


FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "garbage for a graph": ({"onnx": b"garbage"}, "ONNX Runtime can load"),
    "weights in another file": ({"onnx": linear(outside=True)}, "weights inside"),
    "other weights": ({"onnx": linear(WEIGHTS * 2)}, "off by"),
    "no number": ({"onnx": linear(WEIGHTS * np.float32("nan"))}, "off by nan"),
    "other input": ({"onnx": linear(given="x")}, "from `observation` to `logits`"),
    "other output": ({"onnx": linear(gives="y")}, "from `observation` to `logits`"),
    "more features": ({"onnx": linear(np.ones((3, 3)))}, "from `observation` to `logits`"),
    "one logit for all": ({"onnx": linear(np.zeros((2, 1)))}, "logits of shape"),
    "foreign problem": ({"problem": "trading"}, "'trading'"),
    "other features": ({"features": ["y", "x"]}, "['y', 'x']"),
    "other actions": ({"actions": ["c", "b", "a"]}, "['c', 'b', 'a']"),
    "no golden answers": ({"golden": {"observation": [], "logits": []}}, "golden rows of shapes"),
    "golden answers for others": ({"golden": {"observation": [[1.0]], "logits": [[1.0]]}}, "golden rows of shapes"),
    "golden answers are words": ({"golden": {"observation": [["x"]], "logits": []}}, "golden"),
    "golden answers left out": ({"golden": ...}, "golden"),
    "another choice": ({"choice": "dice"}, "choice"),
    "features a word": ({"features": "xy"}, "features"),
}


@pytest.mark.parametrize(("changes", "says"), FORGERIES.values(), ids=list(FORGERIES))
def test_a_bundle_with_matching_hashes_is_still_checked(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    refused(forged(tmp_path, **changes), says)


def refused(folder: Path, says: str) -> None:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder, PROBLEM)
    assert says in str(caught.value)
    assert all(caught.value.as_dict().values())
    assert caught.value.http_status == 503


def test_golden_answers_may_round_otherwise(tmp_path: Path) -> None:
    golden = {"observation": GOLDEN.tolist(), "logits": (LOGITS + 9e-4).tolist()}
    load_bundle(forged(tmp_path, golden=golden), PROBLEM)


def test_a_graph_that_answers_otherwise_than_its_trainer_is_not_made_a_bundle() -> None:
    with pytest.raises(BundleError, match="golden answers"):
        bundle(logits=LOGITS + 0.01)


def test_a_changed_reward_leaves_a_bundle_valid_and_changed_actions_do_not(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path)
    load_bundle(folder, dataclasses.replace(PROBLEM, reward=Reward((Term("cost", -2.0, "$", "dearer"),))))
    for action in (Discrete(("c", "b", "a")), Box(("v",), ("m/s",), (0.0,), (1.0,))):
        with pytest.raises(BundleError, match="actions"):
            load_bundle(folder, dataclasses.replace(PROBLEM, action=action))


def test_a_bundle_holds_no_pickle_and_no_path_outside(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "policy.onnx"]


def shares(logits: Floats, allowed: Bools | None = None) -> Floats:
    """The softmax over the allowed actions, in float64."""
    weight = np.exp(logits.astype(float)) * (1 if allowed is None else allowed)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def test_a_bundle_that_samples_is_served_with_its_distribution_and_the_callers_draw(tmp_path: Path) -> None:
    policy = load_bundle(save_bundle(bundle(choice="sample"), tmp_path), PROBLEM)
    proposal = policy.propose(GOLDEN, None, np.array([0.0, 0.2, 0.999, 0.9]))
    assert proposal.distribution is not None
    assert proposal.distribution == pytest.approx(shares(LOGITS), abs=1e-6)
    assert proposal.distribution.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-12)
    # by hand: cumulative .574 .652 1, .090 .755 1, .063 .532 1, .042 .886 1
    assert proposal.action.tolist() == [0, 1, 2, 2]
    assert proposal.confidence == pytest.approx(shares(LOGITS)[range(4), [0, 1, 2, 2]], abs=1e-6)


@pytest.mark.parametrize("onnx", [linear(), masked()], ids=["told nothing", "told what is allowed"])
def test_a_bundle_that_samples_keeps_every_promise_of_a_policy(tmp_path: Path, onnx: bytes) -> None:
    policy = load_bundle(save_bundle(bundle(choice="sample", onnx=onnx), tmp_path), PROBLEM)
    observation = np.random.default_rng(7).normal(size=(50, 2)).astype(np.float32)
    allowed = np.arange(3) != (np.arange(50) % 3)[:, None]
    check_policy(policy, observation, 3, allowed)
    check_policy(policy, observation, 3)
    found = policy.propose(observation, allowed, np.full(50, 0.5)).distribution
    assert found == pytest.approx(shares(observation @ WEIGHTS, allowed), abs=1e-6)


def test_a_graph_that_asks_is_told_what_is_allowed() -> None:
    policy = BundlePolicy(bundle(onnx=masked()))
    allowed = np.array([[True, False, True]] * 4)
    assert policy.answers(GOLDEN) == pytest.approx(LOGITS)
    assert policy.answers(GOLDEN, allowed) == pytest.approx(np.where(allowed, LOGITS, -7))


def test_a_bundle_from_before_there_was_a_choice_takes_the_best_action(tmp_path: Path) -> None:
    policy = load_bundle(forged(tmp_path, format=1, choice=...), PROBLEM)
    proposal = policy.propose(GOLDEN, None, np.full(4, 0.999))
    assert proposal.action.tolist() == [0, 1, 1, 1]
    assert proposal.distribution is None


def test_a_sampled_action_has_positive_probability_whatever_the_draw() -> None:
    distribution = np.array([[0.0, 0.25, 0.0, 0.75, 0.0]])
    found = [int(sampled(distribution, np.array([u])).action[0]) for u in (0.0, 0.2499, 0.25, 0.9999, 1 - 2**-53)]
    assert found == [1, 1, 3, 3, 3]
    # thirds and sevenths sum to a hair less than 1
    for size in (3, 7, 10, 49):
        assert sampled(np.full((1, size), 1 / size), np.array([1 - 2**-53])).action.tolist() == [size - 1]


def test_sampled_actions_come_as_often_as_their_probability_says() -> None:
    distribution, draws = np.array([0.1, 0.6, 0.0, 0.3]), (np.arange(1000) + 0.5) / 1000
    found = sampled(np.tile(distribution, (1000, 1)), draws)
    assert np.bincount(found.action, minlength=4).tolist() == [100, 600, 0, 300]
    assert found.confidence.tolist() == distribution[found.action].tolist()


def test_without_a_problem_any_bundle_is_loaded_and_still_checked(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path)
    assert load_bundle(folder, None).version == folder.name
    (folder / "policy.onnx").write_bytes(b"something else")
    with pytest.raises(BundleError, match="the graph named in the manifest"):
        load_bundle(folder, None)
