"""A proposal after mask and constraints, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.policy import Proposal
from tenure.serving.offers import Offer, checked, moved, restricted

from .toy import LABELLED

HALVES = np.array([[0.0, 0.5, 0.3, 0.2]])


def mask(*allowed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.array([allowed], dtype=bool)


def test_without_a_mask_an_offer_stays() -> None:
    offer = Offer([1], [0.5])
    assert restricted(offer, None, np.zeros(1)) is offer
    assert moved(offer, None) is offer


def test_a_certain_proposal_of_what_is_forbidden_is_no_offer() -> None:
    assert restricted(Offer([1], [0.5]), mask(1, 0, 1, 1), np.zeros(1)) is None
    assert restricted(Offer([1], [0.5]), mask(0, 1, 0, 0), np.zeros(1)) == Offer([1], [0.5])


@pytest.mark.parametrize(("draw", "action", "sure"), [(0.0, 2, 0.6), (0.59, 2, 0.6), (0.61, 3, 0.4)])
def test_a_forbidden_draw_is_drawn_anew_from_what_is_left(draw: float, action: int, sure: float) -> None:
    # without action 1 the rest is .3 and .2 of .5: .6 and .4
    found = restricted(Offer([1], [0.5], HALVES), mask(1, 0, 1, 1), np.array([draw]))
    assert found is not None
    assert found.action == [action]
    assert found.confidence == pytest.approx([sure])
    assert found.probability(0, 1) == 0.0
    assert found.probability(0, 2) == pytest.approx(0.6)


def test_nothing_left_is_no_offer() -> None:
    assert restricted(Offer([1], [0.5], HALVES), mask(1, 0, 0, 0), np.zeros(1)) is None


def test_one_row_that_has_nothing_left_spoils_the_group() -> None:
    both = Offer([1, 1], [0.5, 0.5], np.repeat(HALVES, 2, axis=0))
    assert restricted(both, np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=bool), np.zeros(2)) is None


def test_an_incumbents_chances_move_with_its_actions() -> None:
    # 0 and 1 are forbidden: both move to 2; 3 stays
    found = moved(Offer([1], [0.9], np.array([[0.1, 0.2, 0.3, 0.4]])), mask(0, 0, 1, 1))
    assert found.action == [2]
    assert found.distribution is not None
    assert found.distribution[0].tolist() == pytest.approx([0.0, 0.0, 0.6, 0.4])


def test_of_two_nearest_the_lower_one_is_taken() -> None:
    assert moved(Offer([1], [1.0]), mask(1, 0, 1, 0)).action == [0]


@pytest.mark.parametrize(
    "proposal",
    [
        Proposal(np.array([0.0]), np.array([0.5])),
        Proposal(np.array([4]), np.array([0.5])),
        Proposal(np.array([-1]), np.array([0.5])),
        Proposal(np.array([0]), np.array([np.nan])),
        Proposal(np.array([0]), np.array([1.1])),
        Proposal(np.array([0, 0]), np.array([0.5])),
        Proposal(np.array([1]), np.array([0.5]), np.array([[0.5, 0.5]])),
        Proposal(np.array([0]), np.array([0.5]), HALVES),
        Proposal(np.array([1]), np.array([0.5]), HALVES * 2),
        Proposal(np.array([1]), np.array([0.5]), HALVES * np.nan),
    ],
)
def test_what_no_proposal_may_be_is_none(proposal: Proposal) -> None:
    assert checked(proposal, 1, LABELLED) is None


def test_a_good_proposal_comes_as_lists() -> None:
    offer = checked(Proposal(np.array([1, 3]), np.array([0.5, 1.0])), 2, LABELLED)
    assert offer == Offer([1, 3], [0.5, 1.0])
    assert (offer.probability(0, 1), offer.probability(0, 3)) == (1.0, 0.0)
