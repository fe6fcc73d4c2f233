"""Policies from anywhere: the same probabilities whichever way a policy is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.logs import logged
from tests.store.test_bundles import bundle

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import DataError, EvidenceError, ProjectError
from tenure.core.logged import Logged, LoggedTable
from tenure.core.policy import Proposal
from tenure.evaluation.off_policy.targets import PolicyTarget, target_of, uniform
from tenure.store import load_bundle, save_bundle

LOG = LoggedTable(logged([0, 1, 1], [0.5] * 3, [1.0] * 3, features=[[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]]))
ROWS = next(iter(LOG.batches()))


class Threshold:
    """Takes its second action where its first feature is large; remembers what it was shown."""

    version = "threshold"

    def __init__(self, distribution: bool = False) -> None:
        self.distribution = distribution
        self.seen: Floats | None = None

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        self.seen = observation
        action = (observation[:, 0] > 1.5).astype(np.int64)
        chances = np.where(action[:, None] == np.arange(2), 0.9, 0.1) if self.distribution else None
        return Proposal(action, np.ones(len(action)), chances)


def test_uniform_is_uniform_over_what_is_allowed() -> None:
    assert target_of("uniform", LOG)(ROWS).tolist() == [[0.5, 0.5]] * 3
    masked = Logged(**{**vars(ROWS), "allowed": np.array([[True, False], [True, True], [False, True]])})
    assert uniform(masked).tolist() == [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]


def test_uniform_over_a_box_is_refused() -> None:
    with pytest.raises(EvidenceError, match="discrete actions"):
        uniform(Logged(**{**vars(ROWS), "labels": ()}))


def test_of_vectors_a_policy_gives_its_own() -> None:
    class Twice:
        version = "twice"

        def propose(self, observation: Floats, allowed: object, draw: Floats) -> Proposal:
            assert allowed is None
            return Proposal(2.0 * observation[:, :1].astype(float), np.ones(len(draw)))

    target = PolicyTarget(Twice(), (), own_features=("x1",))
    assert target(ROWS).tolist() == [[10.0], [12.0], [14.0]]


def test_a_policy_that_draws_nothing_has_probabilities_of_zero_and_one() -> None:
    assert target_of(Threshold(), LOG)(ROWS).tolist() == [[1, 0], [0, 1], [0, 1]]


def test_a_stochastic_policy_keeps_its_distribution() -> None:
    assert target_of(Threshold(distribution=True), LOG)(ROWS).tolist() == [[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]]


def test_features_and_labels_come_in_the_policys_order() -> None:
    policy = Threshold()
    target = PolicyTarget(policy, ("0", "1"), own_labels=("1", "0"), own_features=("x1", "x0"))
    assert target(ROWS).tolist() == [[1, 0], [1, 0], [1, 0]]
    assert policy.seen is not None
    assert policy.seen[:, 0].tolist() == [5.0, 6.0, 7.0]


def test_a_feature_or_action_the_log_lacks_is_refused() -> None:
    with pytest.raises(EvidenceError, match="speed"):
        PolicyTarget(Threshold(), ("0", "1"), own_features=("speed",))(ROWS)
    with pytest.raises(EvidenceError, match="no \\['2'\\]"):
        PolicyTarget(Threshold(), ("0", "1"), own_labels=("0", "2"))(ROWS)


def test_a_function_is_taken_as_it_is() -> None:
    def half(batch: Logged) -> Floats:
        return np.full((len(batch), 2), 0.5)

    assert target_of(half, LOG) is half


def test_a_bundles_folder_is_asked_by_its_own_features_and_actions(tmp_path: Path) -> None:
    folder = save_bundle(bundle(), tmp_path)
    policy = load_bundle(folder, None)
    manifest = policy.bundle.manifest
    features = np.random.default_rng(0).normal(size=(5, len(manifest["features"])))
    names, labels = tuple(reversed(manifest["features"])), (*manifest["actions"], "another")
    rows = logged([0] * 5, [0.5] * 5, [1.0] * 5, features=features[:, ::-1])
    source = LoggedTable(Logged(**{**vars(rows), "names": names, "labels": labels}))
    found = target_of(str(folder), source)(next(iter(source.batches())))
    proposal = policy.propose(features.astype(np.float32), None, np.zeros(5))
    assert found.shape == (5, len(labels))
    assert found[:, -1].tolist() == [0.0] * 5
    assert found.argmax(axis=1).tolist() == proposal.action.tolist()


@pytest.mark.parametrize("form", ["csv", "parquet", "frame"])
def test_a_table_of_probabilities_is_joined_by_id(form: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"decision_id": ["d2", "d0", "d1"], "p_0": [0.3, 0.1, 0.2], "p_1": [0.7, 0.9, 0.8]})
    source: Any = frame
    if form != "frame":
        source = tmp_path / f"policy.{form}"
        frame.to_csv(source, index=False) if form == "csv" else frame.to_parquet(source)
    assert target_of(source, LOG)(ROWS)[:, 0].tolist() == [0.1, 0.2, 0.3]


def test_a_table_whose_rows_do_not_sum_to_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.csv"
    path.write_text("p_0,p_1\n0.5,0.5\n0.5,0.4\n0.5,0.5\n")
    with pytest.raises(DataError, match=r"row 2 sums to 0\.9"):
        target_of(path, LOG)


def test_a_policy_in_a_file_or_module_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half.py").write_text(
        "import numpy as np\ndef policy(batch):\n    return np.full((len(batch), 2), 0.5)\n"
    )
    by_file = target_of(f"{tmp_path / 'half.py'}:policy", LOG)
    assert target_of(f"{tmp_path / 'half.py'}:policy", LOG) is by_file
    monkeypatch.syspath_prepend(str(tmp_path))
    for target in (by_file, target_of("half:policy", LOG)):
        assert target(ROWS).tolist() == [[0.5, 0.5]] * 3


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nothing_like_it", "'nothing_like_it'"),
        (17, "found 17"),
        ("no.such.module:policy", "ModuleNotFoundError"),
        ("numpy:no_such_name", "AttributeError"),
        ("no_such_file.py:policy", "FileNotFoundError"),
    ],
)
def test_what_is_nowhere_is_said_with_what_would_be_right(name: Any, found: str) -> None:
    with pytest.raises(ProjectError, match=found):
        target_of(name, LOG)


def test_a_module_that_raises_is_not_our_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('half done')\n")
    with pytest.raises(ProjectError, match="half done"):
        target_of(f"{tmp_path / 'broken.py'}:policy", LOG)
