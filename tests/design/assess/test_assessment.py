"""What training would take, and how use cases are ranked."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tenure.core.evidence import Estimate, Verdict
from tenure.design.assess.assessment import Assessment, _assessed, ranked
from tenure.design.assess.compute import BIKES_NOISE, LEAST, MOST, WHOLE_RUN, expected_compute
from tenure.design.assess.measure import Measured
from tenure.design.assess.pace import Pace
from tenure.design.assess.recommend import Advice, Facts


def case(name: str, low: float, high: float, verdict: Verdict = Verdict.PASS) -> Assessment:
    year = Estimate((low + high) / 2, low, high, 10, 10.0, "m", "unit")
    return Assessment(name, "log", Advice(verdict, "bandit", ""), (), gain=year, yearly=year)


def test_the_surer_of_two_equal_lower_ends_comes_first() -> None:
    order = ranked([case("wide", 100, 500), case("narrow", 100, 200), case("best", 150, 160)])
    assert [each.name for each in order] == ["best", "narrow", "wide"]


def test_what_does_not_pass_comes_last_whatever_it_is_worth() -> None:
    order = ranked(
        [case("simple", 900, 950, Verdict.FAIL), case("open", 900, 950, Verdict.INCONCLUSIVE), case("rl", 1, 2)]
    )
    assert [each.name for each in order] == ["rl", "open", "simple"]


@pytest.mark.parametrize(("gains", "proven"), [(True, True), (None, False), (False, False)])
def test_only_a_gain_told_from_nothing_is_proven_by_some_decisions(gains: bool | None, proven: bool) -> None:
    gain = Estimate(0.1, -0.1, 0.3, 100, 10.0, "m", "unit")
    facts = Facts(gains, False, False, False, False, False, True, True)
    measured = Measured(facts, (), gain, noise=1.0, signal=0.1, retrain_days=None)
    planned = _assessed("log", "log", measured, Pace(100.0, "as you said"), (3, 2, 1.0)).volume
    assert planned is not None
    assert (planned.decisions_to_prove is not None) is proven


def test_compute_is_taken_off_the_value() -> None:
    dear = replace(case("dear", 100, 110), compute=replace(expected_compute(18, 25, 100, 21, 1), core_hours=200.0))
    assert dear.score == pytest.approx(100 - 0.05 * 200)
    assert case("open", 1, 2, Verdict.INCONCLUSIVE).score == -math.inf


def test_the_formula_meets_the_case_it_is_calibrated_on() -> None:
    found = expected_compute(18, 25, 100, BIKES_NOISE, 1.0)
    assert found.steps == 491_520
    assert found.core_hours == pytest.approx(WHOLE_RUN * 491_520 / 28_000 / 3600)


def test_twice_as_many_actions_take_a_fifth_more_steps() -> None:
    one, two = (expected_compute(10, actions, 20, 5.0, 1.0).steps for actions in (4, 8))
    assert two / one == pytest.approx(2**0.25, rel=1e-4)


def test_an_estimate_stays_within_what_can_be_promised() -> None:
    assert expected_compute(1, 2, 1, 1e-9, 1.0).steps == LEAST
    assert expected_compute(10, 5, 20, 1.0, 0.0).steps == MOST
