"""What four worlds leave open about a behaviour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.design.reward.test_exploit import PROBLEM, mill

from tenure.core import KPI
from tenure.core.evidence import Verdict
from tenure.core.problem import Limit
from tenure.design.reward.doubt import doubt_of

LOUD = (90.0, 90.0, 90.0, 90.0)
NOTHING = (0.0, 0.0, 0.0, 0.0)
RATIO = replace(PROBLEM, kpis=(PROBLEM.kpis[0], KPI("loss", "sparks per kWh", "lower", {"sparks": 1}, {"power": 1})))


def test_harm_whose_pay_may_be_luck_is_in_doubt() -> None:
    doubt = doubt_of(PROBLEM, mill(flour=(30, 5, 12, 13), noise=LOUD, name="clatters"), mill())
    assert doubt is not None
    assert doubt.verdict is Verdict.INCONCLUSIVE
    assert doubt.reason.startswith("'clatters' earns +14 per world over the incumbent, which 4 worlds leave uncertain")
    assert "KPI 'noise' at 90" in doubt.reason


def test_what_is_clear_is_in_no_doubt() -> None:
    assert doubt_of(PROBLEM, mill(flour=(30, 5, 12, 13)), mill()) is None  # no harm
    assert doubt_of(PROBLEM, mill(flour=(9, 10, 11, 12), noise=LOUD), mill()) is None  # no pay
    assert doubt_of(PROBLEM, mill(noise=LOUD), mill()) is None  # an exploit


@pytest.mark.parametrize(("power", "before"), [(5.0, 0.0), (0.0, 5.0)])
def test_a_kpi_that_only_one_of_the_two_has_could_not_be_measured(power: float, before: float) -> None:
    doubt = doubt_of(RATIO, mill(sparks=(9,) * 4, power=(power,) * 4, name="sparks"), mill(power=(before,) * 4))
    assert doubt is not None
    assert doubt.verdict is Verdict.ERROR
    who = "undefined for the incumbent and 1.8 for 'sparks'" if power else "0 for the incumbent and undefined for"
    assert f"KPI 'loss' is {who}" in doubt.reason


@pytest.mark.parametrize("noise", [40.0, float("nan")])
def test_a_signal_that_is_not_a_number_could_not_be_measured_even_if_it_never_is(noise: float) -> None:
    doubt = doubt_of(PROBLEM, mill(noise=(40, 40, 40, float("nan"))), mill(noise=(noise,) * 4))
    assert doubt is not None
    assert doubt.verdict is Verdict.ERROR
    assert "signal 'noise' is not always a number" in doubt.reason


def test_a_limit_over_what_is_not_a_number_could_not_be_measured() -> None:
    limited = replace(PROBLEM, limits=(Limit("fire", "sparks", 1.0, "law", held_by="penalty"),))
    doubt = doubt_of(limited, mill(sparks=(float("nan"),) * 4), mill())
    assert doubt is not None
    assert doubt.verdict is Verdict.ERROR


def test_a_kpi_that_neither_has_says_nothing() -> None:
    assert doubt_of(RATIO, mill(power=NOTHING), mill(power=NOTHING)) is None


def test_an_undefined_kpi_of_what_earns_less_does_not_matter() -> None:
    assert doubt_of(RATIO, mill(flour=(1, 1, 1, 1), power=NOTHING), mill()) is None
