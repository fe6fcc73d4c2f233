"""From a batch and a target to weights and model values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.evaluation.logs import logged, uniform

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged
from tenure.evaluation.off_policy.terms import DiscreteTerms, KernelTerms, situation

LOG = logged([0, 1, 1], [0.5, 0.25, 0.8], [1.0, 2.0, 3.0])
SEEN = np.array([True, True])


def always(answer: Any) -> Any:
    return lambda batch: np.asarray(answer, dtype=float)


def test_a_weight_is_target_over_propensity() -> None:
    target = always([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    found = DiscreteTerms(target, SEEN).weigh(LOG, None)
    assert found.weight == pytest.approx([1.8, 2.0, 1.0])
    assert (found.predicted, found.expected) == (None, None)


def test_what_the_log_never_shows_is_the_targets_mass_elsewhere() -> None:
    terms = DiscreteTerms(always([[0.7, 0.3]] * 3), np.array([True, False]))
    assert terms.weigh(LOG, None).elsewhere == pytest.approx([0.3] * 3)


def test_predictions_from_elsewhere_are_used_as_they_are() -> None:
    terms = DiscreteTerms(uniform, SEEN, predictions=always([[1.0, 3.0], [5.0, 7.0], [0.0, 4.0]]))
    found = terms.weigh(LOG, None)
    assert found.predicted == pytest.approx([1.0, 7.0, 4.0])
    assert found.expected == pytest.approx([2.0, 6.0, 2.0])


def test_a_fitted_model_predicts_by_its_coefficients() -> None:
    coefficients = np.zeros((2, 2, 2))
    coefficients[:, :, 0] = [10.0, 20.0]
    found = DiscreteTerms(uniform, SEEN).weigh(LOG, coefficients)
    assert found.predicted == pytest.approx([10.0, 20.0, 20.0])
    assert found.expected == pytest.approx([15.0] * 3)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([[0.5, 0.5]] * 2, r"\(2, 2\)"),
        ([[0.5, 0.5], [0.5, 0.4], [0.5, 0.5]], "in sum 0.9"),
        ([[0.5, 0.5], [0.5, 0.5], [1.5, -0.5]], "-0.5"),
        ([[0.5, 0.5], [np.nan, 0.5], [0.5, 0.5]], "nan"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(answer: Any, found: str) -> None:
    with pytest.raises(EvidenceError, match=found):
        DiscreteTerms(always(answer), SEEN).weigh(LOG, None)


def test_a_wrong_row_is_named_by_its_place_in_the_log() -> None:
    with pytest.raises(EvidenceError, match="row 2"):
        DiscreteTerms(always([[0.5, 0.4]]), SEEN).weigh(LOG.take(slice(2, 3)), None)


def test_the_situation_holds_the_slot_and_zero_for_what_is_missing() -> None:
    batch = logged([0], [0.5], [1.0], features=[[np.nan, 4.0]], position=np.array([3]))
    assert situation(batch).tolist() == [[1.0, 0.0, 4.0, 3.0]]


def box(action: Any, density: Any) -> Logged:
    batch = logged([0] * len(action), density, [1.0] * len(action), features=[[2.0]] * len(action))
    return Logged(**{**vars(batch), "action": np.asarray(action, dtype=float), "labels": ()})


def constant(*action: float) -> Any:
    return lambda batch: np.tile(np.array(action), (len(batch), 1))


def test_kernel_weights_meet_their_hand_worked_values() -> None:
    # Half-width 2 x .5 = 1; Epanechnikov at distance 0, .5 and 1.5: .75, .5625, 0; over density .5.
    terms = KernelTerms(constant(1.0), np.array([0.5]), 2.0)
    found = terms.weigh(box([[1.0], [1.5], [2.5]], [0.5] * 3), None)
    assert found.weight == pytest.approx([1.5, 1.125, 0.0])


def test_kernels_multiply_over_dimensions() -> None:
    # Half-widths 1 and 2: .75 / 1 times .75 x (1 - .25) / 2.
    terms = KernelTerms(constant(0.0, 0.0), np.array([1.0, 2.0]), 1.0)
    found = terms.weigh(box([[0.0, 1.0]], [1.0]), None)
    assert found.weight == pytest.approx([0.75 * 0.5625 / 2])


def test_a_kernel_integrates_to_one() -> None:
    grid = np.linspace(-5, 5, 20_001)
    found = KernelTerms(constant(0.3), np.array([1.3]), 0.7).weigh(box(grid[:, None], np.ones(len(grid))), None)
    assert np.trapezoid(found.weight, grid) == pytest.approx(1, abs=1e-6)


def test_the_box_model_values_the_logged_and_the_targets_action() -> None:
    # Features of the model: 1, x, a, a^2, a x, here 1, 2, a, a^2, 2 a; coefficients 1, 0, 0, 1, 1.
    coefficients = np.tile(np.array([1.0, 0, 0, 1, 1]), (2, 1, 1))
    found = KernelTerms(constant(3.0), np.array([1.0]), 1.0).weigh(box([[1.0]], [0.4]), coefficients)
    assert found.predicted == pytest.approx([1 + 1 + 2])
    assert found.expected == pytest.approx([1 + 9 + 6])


@pytest.mark.parametrize("answer", [[[1.0, 2.0]], [[np.nan]], [1.0]])
def test_actions_of_another_shape_or_not_finite_are_refused(answer: Floats) -> None:
    with pytest.raises(EvidenceError, match="finite actions"):
        KernelTerms(always(answer), np.array([1.0]), 1.0).weigh(box([[0.0]], [1.0]), None)
