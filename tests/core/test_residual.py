"""Adjustments stay within their bound, and none leaves the incumbent as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure import Box, Discrete
from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError
from tenure.core.policy import Proposal
from tenure.core.residual import Adjusting, Residual

LABELS = Discrete(("a", "b", "c", "d", "e"))
VECTORS = Box(("x", "y"), ("m", "s"), (0.0, -5.0), (10.0, 5.0))


@dataclass
class Fixed:
    """Proposes what it was told."""

    proposal: Proposal
    version: str = "fixed"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return self.proposal


def test_the_space_of_adjustments_is_the_bound_either_way() -> None:
    assert Residual(2).space(LABELS) == Discrete(("-2", "-1", "0", "+1", "+2"))
    space = Residual(0.25).space(VECTORS)
    assert isinstance(space, Box)
    assert (space.low, space.high) == ((-2.5, -2.5), (2.5, 2.5))


@pytest.mark.parametrize("within", [0, -1, 5, 1.5])
def test_a_bound_that_is_no_number_of_labels_is_refused(within: float) -> None:
    with pytest.raises(ProblemError):
        Residual(within).space(LABELS)


def test_a_share_of_more_than_the_range_is_refused() -> None:
    with pytest.raises(ProblemError, match="share of each number's range"):
        Residual(1.1).space(VECTORS)


def test_labels_move_by_the_adjustment_and_stop_at_the_ends() -> None:
    base, adjustment = np.array([0, 2, 4, 3]), np.array([0, 3, 4, 2])  # 2 is none
    assert Residual(2).applied(LABELS, base, adjustment).tolist() == [0, 3, 4, 3]


def test_what_is_forbidden_gives_way_to_the_nearest_allowed_label_within_the_bound() -> None:
    allowed = np.array([[1, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
    base, adjustment = np.array([2, 0, 1]), np.array([2, 2, 0])  # one up, one up, one down
    # 3 is forbidden: 2 and 4 are as near, 4 lies outside the bound; 1 is forbidden and only 0 is left near; 0 is free.
    assert Residual(1).applied(LABELS, base, adjustment, allowed).tolist() == [2, 0, 0]


def test_vectors_move_by_the_adjustment_and_stop_at_the_bounds() -> None:
    base, adjustment = np.array([[5.0, 4.5], [1.0, 0.0]]), np.array([[1.0, 2.0], [-99.0, 0.5]])
    assert Residual(0.2).applied(VECTORS, base, adjustment).tolist() == [[6.0, 5.0], [0.0, 0.5]]


@given(
    base=st.integers(0, 4),
    adjustment=st.integers(-50, 50),
    within=st.integers(1, 4),
    mask=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_no_adjustment_leaves_the_bound_or_takes_what_is_forbidden(
    base: int, adjustment: int, within: int, mask: list[bool]
) -> None:
    allowed = np.array([mask])
    allowed[0, base] = True  # the incumbent's own action is allowed
    taken = Residual(within).applied(LABELS, np.array([base]), np.array([adjustment]), allowed)[0]
    assert abs(taken - base) <= within
    assert allowed[0, taken]


@given(base=st.integers(0, 4), within=st.integers(1, 4), mask=st.lists(st.booleans(), min_size=5, max_size=5))
def test_no_adjustment_is_the_incumbents_own_action(base: int, within: int, mask: list[bool]) -> None:
    allowed, residual = np.array([mask]), Residual(within)
    allowed[0, base] = True
    assert residual.applied(LABELS, np.array([base]), residual.none(1, LABELS), allowed)[0] == base
    vector = np.array([[3.0, float(base)]])
    assert residual.none(1, VECTORS).tolist() == [[0.0, 0.0]]
    assert Residual(0.1).applied(VECTORS, vector, residual.none(1, VECTORS)).tolist() == vector.tolist()


def test_an_incumbent_that_draws_keeps_its_chances_moved_by_the_adjustment() -> None:
    drawn = Fixed(Proposal(np.array([1]), np.array([0.25]), np.array([[0.5, 0.25, 0.0, 0.0, 0.25]])))
    up = Fixed(Proposal(np.array([2]), np.array([0.9])))
    found = Adjusting(up, drawn, Residual(1), LABELS).propose(np.zeros((1, 1)), None, np.array([0.6]))
    assert found.action.tolist() == [2]
    assert found.distribution is not None
    assert found.distribution.tolist() == [[0.0, 0.5, 0.25, 0.0, 0.25]], "the last label cannot go up"
    assert found.confidence.tolist() == [0.25]


def test_two_rules_that_are_sure_make_one_that_is() -> None:
    sure = Fixed(Proposal(np.array([4]), np.ones(1)))
    down = Fixed(Proposal(np.array([0]), np.array([0.7])))
    found = Adjusting(down, sure, Residual(1), LABELS).propose(np.zeros((1, 1)), None, np.zeros(1))
    assert (found.action.tolist(), found.distribution, found.confidence.tolist()) == ([3], None, [0.7])
