"""Occlusion: a feature's influence is what hiding it takes from the chosen action's probability."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.evaluation.influence import occlusion


def logistic(observation: Floats) -> Floats:
    """P(action 1) = 1 / (1 + exp(-(2 x0 - x1))); the third feature is not looked at."""
    one = 1 / (1 + np.exp(-(2 * observation[:, 0].astype(float) - observation[:, 1])))
    return np.stack([1 - one, one], axis=1)


OBSERVATION = np.array([1.0, 1.0, 5.0], dtype=np.float32)
BASELINE = np.zeros(3, dtype=np.float32)


def test_it_equals_the_figures_worked_by_hand() -> None:
    # sigmoid(1) = 0.731059; without x0: sigmoid(-1) = 0.268941; without x1: sigmoid(2) = 0.880797.
    found = occlusion(logistic, OBSERVATION, BASELINE, action=1)
    assert found.tolist() == pytest.approx([0.731059 - 0.268941, 0.731059 - 0.880797, 0.0], abs=1e-6)


def test_what_speaks_for_one_action_speaks_against_the_other() -> None:
    for_one, for_other = (occlusion(logistic, OBSERVATION, BASELINE, action) for action in (1, 0))
    assert for_one.tolist() == pytest.approx((-for_other).tolist())


def test_a_feature_at_its_baseline_has_no_influence() -> None:
    assert occlusion(logistic, OBSERVATION, OBSERVATION, action=1).tolist() == [0.0, 0.0, 0.0]


def test_it_asks_once_and_changes_nothing_it_was_given() -> None:
    asked: list[int] = []

    def count(observation: Floats) -> Floats:
        asked.append(len(observation))
        observation[:] = observation
        return logistic(observation)

    before = OBSERVATION.copy()
    occlusion(count, OBSERVATION, BASELINE, action=1)
    assert asked == [4]
    assert np.array_equal(before, OBSERVATION)


def test_other_lengths_and_probabilities_that_are_none_are_refused() -> None:
    with pytest.raises(EvidenceError, match="baseline"):
        occlusion(logistic, OBSERVATION, BASELINE[:2], action=1)
    with pytest.raises(EvidenceError, match="finite"):
        occlusion(lambda x: np.full((len(x), 2), np.nan), OBSERVATION, BASELINE, action=1)
