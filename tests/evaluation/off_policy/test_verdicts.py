"""From a report to a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenure.core.evidence import Verdict
from tenure.evaluation.off_policy.support import Refusal, Why
from tenure.evaluation.off_policy.valuation import ModelledValue, OffPolicyReport
from tenure.evaluation.off_policy.value import PolicyValue
from tenure.evaluation.off_policy.verdicts import off_policy_verdict, settling


def value(name: str, at: float | None, half: float = 0.1, n: int = 400) -> PolicyValue:
    if at is None:
        return PolicyValue.refused(name, "no overlap", "explore")
    return PolicyValue(name, at, at - half, at + half, n, 300.0, 2.0)


def report(
    at: float | None, why: Why | None = None, judged: str = "snips", *, episodes: bool = False
) -> OffPolicyReport:
    """The logged value is 1."""
    refusal = None if why is None else Refusal(why, "what is wrong", "what helps")
    gain = None if episodes else value("gain", at)
    return OffPolicyReport(judged, value("logged", 1.0), (value(judged, at),), gain, None, "", 0.0, 400, refusal)


@pytest.mark.parametrize(
    ("at", "margin", "verdict"),
    [
        (1.1, 0.0, Verdict.PASS),  # lower end exactly at the logged value
        (1.09, 0.0, Verdict.INCONCLUSIVE),
        (1.0, 0.1, Verdict.PASS),
        (0.95, 0.0, Verdict.INCONCLUSIVE),
        (0.89, 0.0, Verdict.FAIL),  # upper end .99 below 1
        (0.89, 0.05, Verdict.INCONCLUSIVE),
    ],
)
def test_the_lower_end_must_reach_the_logged_value_less_the_margin(at: float, margin: float, verdict: Verdict) -> None:
    assert off_policy_verdict(report(at), margin).verdict is verdict


@pytest.mark.parametrize(
    ("why", "verdict"), [(Why.NO_SUPPORT, Verdict.INCONCLUSIVE), (Why.PROPENSITY_ILLEGAL, Verdict.ERROR)]
)
def test_a_refusal_is_never_a_pass(why: Why, verdict: Verdict) -> None:
    found = off_policy_verdict(report(None, why))
    assert found.verdict is verdict
    assert "what is wrong" in found.reason
    assert "what helps" in found.reason


def test_a_judged_estimate_without_a_value_is_inconclusive() -> None:
    found = off_policy_verdict(report(None))
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "No value: no overlap.")


def test_an_open_answer_says_how_many_rows_would_settle_it() -> None:
    # Half-width .1 over 400 rows, gap .05: four times the rows, 1,200 more.
    assert "1,200 more decisions" in off_policy_verdict(report(1.05)).reason
    for judged in ("pdwis", "dr"):
        found = off_policy_verdict(report(1.05, judged=judged, episodes=True))
        assert "1,200 more episodes" in found.reason


def test_rows_that_could_not_be_read_hold_the_verdict() -> None:
    assert off_policy_verdict(replace(report(2.0), rejected=4)).verdict is Verdict.PASS
    found = off_policy_verdict(replace(report(2.0), rejected=5))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "5 rows (1.2%) could not be read" in found.reason


def test_modelled_propensities_are_judged_by_the_widest_ends_and_said_first() -> None:
    models = tuple(ModelledValue(name, 1.0, 0.0, value("snips", at)) for name, at in (("a", 1.2), ("b", 1.05)))
    found = off_policy_verdict(replace(report(1.2), models=models))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "ASSUMED" in found.reason
    assert "0.95 to 1.3" in found.reason


def test_a_hopeless_number_of_rows_is_not_told() -> None:
    assert settling(value("snips", 1.0), 1.0 + 1e-14).startswith("No number of decisions")


def test_a_difference_of_exactly_the_margin_is_settled_by_no_number() -> None:
    assert settling(value("snips", 1.0), 1.0).startswith("No number of decisions")
