"""Betting sequences: the bet by hand, the bound's logic, and what breaks them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.errors import EvidenceError
from tenure.evaluation import BettingLower, BettingMean, BettingUpper, betting_interval
from tenure.evaluation.sequences.stakes import Moments, bet

BOUNDED = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def test_the_stakes_and_the_capital_equal_the_hand_worked_ones() -> None:
    # Null .4, cap 1/2 (stake at most 1.25). Prior: mean .5, variance .25: stake .1 / (.25 + .01) = .384615.
    # x = 1: capital 1 + .384615 * .6 = 1.230769. Then mean 1.5/2 = .75, variance (.25 + .25^2)/2 = .15625:
    # stake .35 / (.15625 + .1225) = 1.255605, capped at 1.25. x = 0: factor 1 - 1.25 * .4 = .5: .6153846.
    lower = BettingLower(0, 1, null=0.4)
    lower.update(1.0)
    assert lower.e_value == pytest.approx(1.230769, abs=1e-6)
    lower.update(0.0)
    assert lower.e_value == pytest.approx(0.6153846, abs=1e-6)


def test_a_stake_is_never_negative_nor_above_its_cap() -> None:
    nulls = np.linspace(0.001, 0.999, 99)
    stakes = bet(Moments(3, 1.2, 0.4), nulls, 0.5)
    assert ((stakes >= 0) & (stakes * nulls <= 0.5 + 1e-12)).all()
    assert (stakes[nulls > 0.3] == 0).all()
    assert (stakes[nulls < 0.29] > 0).all()


def test_units_do_not_matter() -> None:
    x = np.random.default_rng(1).beta(2, 5, 200)
    plain, scaled = BettingLower(0, 1, null=0.2), BettingLower(-50, 150, null=-10.0)
    for value in x:
        plain.update(float(value))
        scaled.update(float(-50 + 200 * value))
    assert scaled.low == pytest.approx(-50 + 200 * plain.low)
    assert scaled.mean == pytest.approx(-50 + 200 * float(x.mean()))
    assert scaled.e_value == pytest.approx(plain.e_value)
    assert scaled.sd == pytest.approx(200 * plain.sd)
    assert plain.low > 0.1


@given(BOUNDED)
def test_the_bound_never_falls_and_stays_inside_the_possible(x: list[float]) -> None:
    lower, before = BettingLower(0, 1, points=50), 0.0
    for value in x:
        lower.update(value)
        assert before <= lower.low < 1
        before = lower.low


@given(BOUNDED)
def test_the_upper_bound_is_the_lower_one_in_a_mirror(x: list[float]) -> None:
    lower, upper = BettingLower(-1, 0, null=-0.3, points=50), BettingUpper(0, 1, null=0.3, points=50)
    for value in x:
        lower.update(-value)
        upper.update(value)
    assert upper.high == -lower.low
    assert upper.e_value == lower.e_value
    assert upper.rejects(0.3) == lower.rejects(-0.3)
    assert upper.sd == lower.sd


def test_what_has_been_refuted_stays_refuted_after_the_luck_turns() -> None:
    lower = BettingLower(0, 1, null=0.5)
    for x in [1.0] * 20 + [0.0] * 20:
        lower.update(x)
    assert lower.e_value < 1
    assert lower.rejects(0.5)
    assert lower.low >= 0.5


def test_before_the_first_observation_nothing_is_known() -> None:
    both = BettingMean(-1, 2, null=0.0)
    assert (both.low, both.high, both.n) == (-1, 2, 0)
    assert math.isnan(both.lower.mean)
    assert math.isnan(both.upper.mean)
    assert not both.lower.rejects(0.0)
    assert not both.lower.rejects(-1.0)
    assert not both.upper.rejects(2.0)
    with pytest.raises(EvidenceError, match="0 observations"):
        both.estimate()


def test_everything_below_the_bound_is_rejected_and_nothing_above() -> None:
    lower = BettingLower(0, 1)
    for _ in range(30):
        lower.update(0.9)
    assert lower.rejects(lower.low)
    assert lower.rejects(0.1)
    assert not lower.rejects(lower.low + 0.01)


def test_a_bound_above_every_grid_point_is_the_last_one() -> None:
    lower = BettingLower(0, 1, points=3)
    for _ in range(100):
        lower.update(1.0)
    assert lower.low == 0.75


@pytest.mark.parametrize("x", [1.0001, -0.1, math.nan, math.inf])
def test_an_observation_outside_its_bounds_breaks_the_sequence_for_good(x: float) -> None:
    for sequence in (BettingLower(0, 1), BettingUpper(0, 1)):
        sequence.update(0.5)
        before = sequence.broken
        with pytest.raises(EvidenceError, match="observations in"):
            sequence.update(x)
        assert (before is None, sequence.broken is None) == (True, False)
        with pytest.raises(EvidenceError, match="observation 2"):
            sequence.update(0.5)
        assert sequence.n == 1


def test_the_ends_of_the_bounds_are_legal() -> None:
    both = BettingMean(0, 1)
    both.update(0.0)
    both.update(1.0)
    assert both.n == 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"low": 1, "high": 1},
        {"low": 0, "high": math.inf},
        {"low": 0, "high": 1, "null": 0.0},
        {"low": 0, "high": 1, "null": 1.0},
        {"low": 0, "high": 1, "alpha": 0.0},
        {"low": 0, "high": 1, "cap": 1.0},
        {"low": 0, "high": 1, "points": 0},
        {"low": math.nan, "high": 1},
    ],
)
def test_impossible_sequences_are_refused(arguments: dict[str, float]) -> None:
    for kind in (BettingLower, BettingUpper, BettingMean):
        with pytest.raises(EvidenceError):
            kind(**arguments)  # type: ignore[arg-type]


def test_an_e_value_needs_a_null() -> None:
    with pytest.raises(EvidenceError, match="null"):
        _ = BettingLower(0, 1).e_value


def test_an_e_value_beyond_what_a_float_holds_is_still_a_number() -> None:
    lower = BettingLower(0, 1, null=0.001, points=1)
    for _ in range(2000):
        lower.update(1.0)
    assert math.isfinite(lower.e_value)
    assert lower.e_value > 1e300


def test_the_batch_form_is_the_sequence_fed_in_order() -> None:
    x = np.random.default_rng(2).uniform(2, 3, 150)
    both = BettingMean(0, 4)
    for value in x:
        both.update(float(value))
    found = betting_interval(x, 0, 4, cluster="trip")
    assert found == both.estimate("trip")
    assert found.low < 2.5 < found.high
    assert found.high - found.low < 0.6
    assert (found.value, found.n, found.alpha) == pytest.approx((float(x.mean()), 150, 0.05))


def test_a_tighter_sequence_follows_a_smaller_spread() -> None:
    chance = np.random.default_rng(4)
    narrow = betting_interval(0.5 + 0.01 * chance.choice([-1.0, 1.0], 300), 0, 1)
    wide = betting_interval(chance.choice([0.0, 1.0], 300), 0, 1)
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


@pytest.mark.parametrize("x", [[], [0.5, math.nan], [0.5, 2.0]])
def test_the_batch_form_refuses_what_the_sequence_refuses(x: list[float]) -> None:
    with pytest.raises(EvidenceError):
        betting_interval(x, 0, 1)


def test_a_mean_that_moved_gives_no_interval() -> None:
    with pytest.raises(EvidenceError, match="at least"):
        betting_interval([1.0] * 100 + [0.0] * 2000, 0, 1)


def test_an_observation_that_breaks_one_half_breaks_both() -> None:
    both = BettingMean(0, 1)
    with pytest.raises(EvidenceError):
        both.update(2.0)
    assert None not in (both.lower.broken, both.upper.broken)


@pytest.mark.parametrize("cuts", [[600], [1, 255, 300, 599], list(range(600))])
def test_batches_say_the_same_as_one_by_one(cuts: list[int]) -> None:
    x = np.random.default_rng(9).uniform(-1, 1, 600)
    single, batched = BettingMean(-1, 1, null=-0.1, points=50), BettingMean(-1, 1, null=-0.1, points=50)
    for value in x:
        single.update(float(value))
    for batch in np.split(x, cuts):
        batched.update(batch)
    assert (batched.n, batched.low, batched.high) == (single.n, single.low, single.high)
    assert batched.lower.e_value == pytest.approx(single.lower.e_value, rel=1e-12)
    assert batched.lower.mean == pytest.approx(single.lower.mean, rel=1e-12)


def test_a_batch_with_a_wrong_observation_breaks_where_it_stands() -> None:
    lower = BettingLower(0, 1)
    with pytest.raises(EvidenceError, match="observation 3 is 2"):
        lower.update(np.array([0.5, 0.5, 2.0, 0.5]))
    assert lower.n == 2
    with pytest.raises(EvidenceError, match="observation 3 is 2"):
        lower.update(np.array([0.5]))
    assert lower.n == 2
