"""What traffic can prove: by a table worked by hand, and consistent with the interval it rests on."""

from __future__ import annotations

import math

import pytest

from tenure.core.evidence import Estimate
from tenure.design.assess.volume import a_year, decisions_to_prove, volume
from tenure.evaluation.sequences.boundaries import asymptotic_radius


def test_the_decisions_needed_are_the_fewest_that_prove_it() -> None:
    needed = decisions_to_prove(0.1, 1.0)
    assert needed is not None
    assert asymptotic_radius(needed, 2.0) <= 0.1 < asymptotic_radius(needed - 1, 2.0)


def test_no_gain_is_never_proven() -> None:
    assert decisions_to_prove(0.0, 1.0) is None
    assert decisions_to_prove(1e-9, 1.0) is None


def test_a_month_of_traffic_proves_what_its_interval_says() -> None:
    plan = volume(gain=0.1, spread=1.0, per_day=1000)
    assert plan.smallest_effect == asymptotic_radius(28_000, 2.0)
    assert plan.days_to_prove == pytest.approx((plan.decisions_to_prove or 0) / 1000)


def test_unknown_traffic_names_no_days() -> None:
    plan = volume(gain=0.1, spread=1.0, per_day=math.nan)
    assert plan.days_to_prove is None
    assert math.isnan(plan.smallest_effect)


def test_a_year_scales_the_whole_interval() -> None:
    year = a_year(Estimate(1.0, 0.5, 1.5, 10, 10.0, "m", "unit"), 1000.0)
    assert year is not None
    assert (year.value, year.low, year.high) == (1000.0, 500.0, 1500.0)
    assert a_year(Estimate(1.0, 0.5, 1.5, 10, 10.0, "m", "unit"), math.nan) is None
