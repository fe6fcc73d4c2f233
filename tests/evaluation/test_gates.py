"""Gates: every verdict from both of its sides, and no evidence never passes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate, Verdict
from tenure.evaluation import (
    BettingLower,
    BettingMean,
    BettingUpper,
    enough,
    not_worse,
    same_actions,
    sequential_harm,
    sequential_not_worse,
)


def gain(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, low, high, 13, 13.0, "t", "week")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.05, 0.2, Verdict.PASS),
        (-0.0501, 0.2, Verdict.INCONCLUSIVE),
        (-0.3, -0.05, Verdict.INCONCLUSIVE),
        (-0.3, -0.0501, Verdict.FAIL),
        (0.01, math.inf, Verdict.PASS),
        (-math.inf, math.inf, Verdict.INCONCLUSIVE),
        (math.nan, 0.2, Verdict.ERROR),
        (0.0, math.nan, Verdict.ERROR),
    ],
)
def test_not_worse_reads_the_whole_interval(low: float, high: float, verdict: Verdict) -> None:
    found = not_worse("offline", gain(0.0, low, high), 0.05, "cost")
    assert found.verdict is verdict
    assert found.gate == "offline"
    assert "cost" in found.reason
    assert found.estimate is not None


def test_not_worse_says_how_much_is_missing() -> None:
    # value 0, half-width .2, margin .1: four times the units.
    assert "4 times" in not_worse("g", gain(0.0, -0.2, 0.2), 0.1, "cost").reason
    assert "does not look better" in not_worse("g", gain(-0.2, -0.3, 0.1), 0.1, "cost").reason
    assert "no lower end" in not_worse("g", gain(0.0, -math.inf, 1.0), 0.1, "cost").reason


@pytest.mark.parametrize("margin", [-0.1, math.nan])
def test_an_impossible_margin_is_an_error_never_a_pass(margin: float) -> None:
    assert not_worse("g", gain(1, 0.9, 1.1), margin, "cost").verdict is Verdict.ERROR


def test_enough_needs_every_minimum() -> None:
    need = {"decisions": 100.0, "days": 14.0}
    assert enough("bake", {"decisions": 100, "days": 14}, need).verdict is Verdict.PASS
    found = enough("bake", {"decisions": 500, "days": 13}, need)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "missing: days 13 of 14"


@pytest.mark.parametrize("have", [{}, {"units": 0.0}, {"units": math.nan}, {"others": 5.0}])
def test_zero_never_passes_even_where_nothing_is_asked_for(have: dict[str, float]) -> None:
    assert enough("bake", have, {"units": 0.0}).verdict is Verdict.INCONCLUSIVE


def test_no_minimum_at_all_is_no_evidence() -> None:
    assert enough("bake", {"units": 5.0}, {}).verdict is Verdict.INCONCLUSIVE


@given(
    st.dictionaries(st.sampled_from("abc"), st.floats(-5, 5)), st.dictionaries(st.sampled_from("abc"), st.floats(0, 5))
)
def test_enough_passes_exactly_where_all_is_there(have: dict[str, float], need: dict[str, float]) -> None:
    there = bool(need) and all(have.get(name, 0) >= least and have.get(name, 0) > 0 for name, least in need.items())
    assert (enough("g", have, need).verdict is Verdict.PASS) == there


def fed(sequence: BettingLower | BettingUpper | BettingMean, values: list[float]) -> None:
    for value in values:
        sequence.update(value)


def test_a_sequence_passes_only_once_it_is_proven() -> None:
    lower = BettingLower(-1, 1, null=-0.1)
    assert sequential_not_worse("canary", lower, 0.1, "cost").verdict is Verdict.INCONCLUSIVE
    fed(lower, [0.4] * 3)
    early = sequential_not_worse("canary", lower, 0.1, "cost")
    assert early.verdict is Verdict.INCONCLUSIVE
    assert "more observations would settle this" in early.reason
    fed(lower, [0.4] * 50)
    assert sequential_not_worse("canary", lower, 0.1, "cost").verdict is Verdict.PASS


def test_a_worse_sequence_never_passes_and_says_so() -> None:
    lower = BettingLower(-1, 1)
    fed(lower, [-0.5] * 200)
    found = sequential_not_worse("canary", lower, 0.1, "cost")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "does not look better" in found.reason


def test_a_sequence_without_a_null_is_read_from_its_grid() -> None:
    lower = BettingLower(-1, 1)
    fed(lower, [0.4] * 5)
    assert sequential_not_worse("canary", lower, 0.1, "cost").verdict is Verdict.INCONCLUSIVE
    fed(lower, [0.4] * 50)
    assert sequential_not_worse("canary", lower, 0.1, "cost").verdict is Verdict.PASS


@pytest.mark.parametrize("kind", [BettingUpper, BettingMean])
def test_harm_is_found_when_proven_and_not_before(kind: type[BettingUpper] | type[BettingMean]) -> None:
    sequence = kind(-1, 1, null=-0.1)
    assert sequential_harm("guard", sequence, 0.1, "cost").verdict is Verdict.INCONCLUSIVE
    fed(sequence, [-0.6] * 3)
    early = sequential_harm("guard", sequence, 0.1, "cost")
    assert early.verdict is Verdict.PASS
    assert "no harm proven so far, n = 3" in early.reason
    fed(sequence, [-0.6] * 50)
    assert sequential_harm("guard", sequence, 0.1, "cost").verdict is Verdict.FAIL


def test_a_better_candidate_is_not_called_harmful() -> None:
    sequence = BettingUpper(-1, 1, null=-0.1)
    fed(sequence, [0.3] * 300)
    assert sequential_harm("guard", sequence, 0.1, "cost").verdict is Verdict.PASS


def test_a_broken_sequence_is_an_error_whatever_it_had_proven() -> None:
    lower, both = BettingLower(-1, 1, null=-0.1), BettingMean(-1, 1, null=-0.1)
    fed(lower, [0.9] * 100)
    fed(both, [0.9] * 100)
    assert sequential_not_worse("g", lower, 0.1, "cost").verdict is Verdict.PASS
    for sequence in (lower, both):
        with pytest.raises(EvidenceError):
            sequence.update(1.5)
    assert sequential_not_worse("g", lower, 0.1, "cost").verdict is Verdict.ERROR
    assert sequential_harm("g", both, 0.1, "cost").verdict is Verdict.ERROR


@pytest.mark.parametrize("margin", [-0.1, 1.0, 2.0, math.nan])
def test_a_margin_beyond_the_possible_is_an_error(margin: float) -> None:
    lower, upper = BettingLower(-1, 1), BettingUpper(-1, 1)
    fed(lower, [0.9] * 100)
    fed(upper, [0.9] * 100)
    assert sequential_not_worse("g", lower, margin, "cost").verdict is Verdict.ERROR
    assert sequential_harm("g", upper, margin, "cost").verdict is Verdict.ERROR


def test_live_actions_must_equal_the_replay() -> None:
    actions = np.array([1, 2, 3])
    assert same_actions("replay", actions, actions.copy()).verdict is Verdict.PASS
    found = same_actions("replay", actions, np.array([1, 0, 3]))
    assert found.verdict is Verdict.FAIL
    assert "1 of 3" in found.reason
    assert same_actions("replay", actions[:0], actions[:0]).verdict is Verdict.INCONCLUSIVE
    assert same_actions("replay", actions, actions[:2]).verdict is Verdict.ERROR
