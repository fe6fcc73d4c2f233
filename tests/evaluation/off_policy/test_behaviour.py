"""Models of the policy that wrote a log without propensities."""

from __future__ import annotations

import numpy as np
import pytest
from tests.evaluation.logs import bandit_log, logged

from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged
from tenure.evaluation.off_policy.behaviour import FLOOR, behaviour_models, expected_calibration_error

LOG, _ = bandit_log(4000, np.random.default_rng(3))
MODELS = behaviour_models(LOG)


def test_the_true_model_class_fits_best_and_is_calibrated() -> None:
    assert MODELS[0].name == "logistic"
    assert {model.name for model in MODELS} == {"frequencies", "logistic", "boosted"}
    assert MODELS[0].calibration_error < 0.02
    assert MODELS[-1].name == "frequencies"


def test_modelled_propensities_come_near_the_true_ones() -> None:
    assert np.abs(MODELS[0].propensity(LOG) - LOG.propensity).mean() < 0.02


def test_predictions_are_out_of_fold() -> None:
    # Pure noise cannot be predicted: in sample a boosted model would beat log 3, out of fold it cannot.
    rng = np.random.default_rng(0)
    noise = logged(
        rng.integers(0, 3, 2000), np.full(2000, 1 / 3), np.zeros(2000), actions=3, features=LOG.features[:2000]
    )
    losses = {model.name: model.log_loss for model in behaviour_models(noise)}
    assert losses["boosted"] >= losses["frequencies"] - 0.002


def test_an_action_a_fold_never_saw_gets_the_floor() -> None:
    action = np.zeros(200, dtype=np.int64)
    action[::2], action[0] = 1, 2
    rare = logged(action, np.full(200, 0.5), np.zeros(200), actions=3)
    assert behaviour_models(rare)[0].propensity(rare)[0] == FLOOR


@pytest.mark.parametrize("actions", [np.zeros(500, dtype=np.int64), np.arange(50) % 2])
def test_too_little_to_model_is_refused(actions: np.ndarray) -> None:
    n = len(actions)
    with pytest.raises(EvidenceError, match="100 rows or more with two actions"):
        behaviour_models(logged(actions, np.full(n, 0.5), np.zeros(n)))


def test_vectors_have_no_model_of_who_did_what() -> None:
    vectors = Logged(**{**vars(LOG), "labels": (), "action": np.zeros((len(LOG), 2))})
    with pytest.raises(EvidenceError, match="log the density of every vector"):
        behaviour_models(vectors)


def test_calibration_error_meets_its_hand_worked_value() -> None:
    # Ten bins of one row each: predictions .05, .15 ... .95 against a first half of 0 and a second of 1.
    predicted = np.arange(10) / 10 + 0.05
    happened = (np.arange(10) >= 5).astype(float)
    assert expected_calibration_error(predicted, happened) == pytest.approx(0.25)
