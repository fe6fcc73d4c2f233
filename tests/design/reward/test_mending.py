"""Which term an exploit points at."""

from __future__ import annotations

from dataclasses import replace

from tests.design.reward.test_exploit import PROBLEM, mill

from tenure.core import KPI, Reward, Term
from tenure.design.reward.mending import culprit, mend

NOISE = PROBLEM.kpis[1]
LOUD = mill(flour=(20, 21, 22, 23), noise=(90, 90, 90, 90))


def test_a_harm_that_no_term_reads_is_a_missing_term() -> None:
    found = mend(PROBLEM, LOUD, mill(), NOISE)
    assert found.signal == "noise"
    assert found.advice == "no term prices noise: add one, since the term over flour alone earns the surplus"


def test_a_good_that_no_term_pays_for_is_a_missing_term() -> None:
    fed = KPI("fed", "kg", "higher", {"power": 1})
    found = mend(PROBLEM, mill(flour=(20,) * 4, power=(1,) * 4), mill(), fed)
    assert found.advice.startswith("no term pays for power")


def test_a_harm_that_is_paid_for_is_named() -> None:
    paid = replace(PROBLEM, reward=Reward((Term("noise", 1.0, "$/dB", "loud is busy"),)))
    assert mend(paid, LOUD, mill(), NOISE).advice.startswith("the term over noise pays for the harm itself")


def test_a_price_that_is_too_low_is_named_with_what_outweighs_it() -> None:
    terms = (*PROBLEM.reward.terms, Term("noise", -0.01, "$/dB", "neighbours"))
    found = mend(replace(PROBLEM, reward=Reward(terms)), LOUD, mill(), NOISE)
    assert found.signal == "noise"
    assert found.advice == "the term over noise is too weak against the one over flour: weigh it higher"
    # Two steps: flour 2 $ * 11.5 kg * 2 against 2 $ * 21.5 kg * 2; noise 0.01 $ * 40 dB * 2 against 90 dB.
    assert found.by_term == {"flour": (46.0, 86.0), "noise": (-0.8, -1.8)}


def test_of_a_ratio_the_signal_that_worsens_it_most_is_the_culprit() -> None:
    precision = KPI("precision", "share", "higher", {"sparks": 1}, {"power": 1})
    before, after = mill(sparks=(4,) * 4, power=(5,) * 4), mill(sparks=(5,) * 4, power=(50,) * 4)
    assert culprit(precision, after, before) == ("power", True)
