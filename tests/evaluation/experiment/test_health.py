"""Sample ratio: exact binomial values worked by hand."""

from __future__ import annotations

import math

import pytest
from scipy.special import betaln

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Verdict
from tenure.evaluation.experiment.health import missing_outcomes, sample_ratio, shadow_delivery, split_p


def test_the_intended_share_passes() -> None:
    assert sample_ratio(100, 1000, 0.1).verdict is Verdict.PASS
    assert sample_ratio(1000, 1000, 1.0).verdict is Verdict.PASS


def test_a_mismatch_fails_in_both_directions() -> None:
    for count in (40, 160):
        found = sample_ratio(count, 1000, 0.1)
        assert found.verdict is Verdict.FAIL
        assert f"{count} of 1000" in found.reason


def test_the_alarm_stands_at_the_exact_p_value() -> None:
    # 0 of 10 at one half: 2 / 1024 = .00195.
    assert sample_ratio(0, 10, 0.5).verdict is Verdict.PASS
    assert sample_ratio(0, 10, 0.5, alpha=0.00196).verdict is Verdict.FAIL
    assert sample_ratio(0, 10, 0.5, alpha=0.00195).verdict is Verdict.PASS


@pytest.mark.parametrize(("count", "total"), [(0, 0), (4, 9), (0, 9)])
def test_too_few_units_to_show_a_mismatch_never_pass(count: int, total: int) -> None:
    assert sample_ratio(count, total, 0.5).verdict is Verdict.INCONCLUSIVE


def test_a_learned_share_where_all_was_meant_fails() -> None:
    assert sample_ratio(9, 10, 1.0).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "arguments",
    [(-1, 10, 0.5, 0.001), (11, 10, 0.5, 0.001), (1, 10, 0.0, 0.001), (1, 10, 1.1, 0.001), (1, 10, 0.5, 0.0)],
)
def test_impossible_counts_are_refused(arguments: tuple[int, int, float, float]) -> None:
    with pytest.raises(EvidenceError):
        sample_ratio(*arguments)


def test_from_ten_expected_units_on_the_evidence_is_valid_at_every_look() -> None:
    few, many = sample_ratio(9, 99, 0.1), sample_ratio(10, 100, 0.1)
    assert "at this look" in few.reason
    assert "at every look" in many.reason
    # beta(50, 50) around 1/2, 80 of 100: B(130, 70) / B(50, 50) * 2^100.
    log_p = -(betaln(130, 70) - betaln(50, 50) + 100 * math.log(2))
    p, looks = split_p(80, 100, 0.5)
    assert p == pytest.approx(math.exp(log_p))
    assert looks == "at every look"
    assert split_p(50, 100, 0.5)[0] == 1.0


def test_outcomes_missing_in_one_arm_fail_in_both_directions() -> None:
    for count in (5, 95):
        found = missing_outcomes(count, 100, 0.5, 1000)
        assert found.verdict is Verdict.FAIL
        assert f"{count} of those are the candidate's" in found.reason
    assert missing_outcomes(52, 100, 0.5, 1000).verdict is Verdict.PASS


def test_a_few_missing_outcomes_hold_only_where_they_matter() -> None:
    assert missing_outcomes(0, 0, 0.1, 1000).verdict is Verdict.PASS
    assert missing_outcomes(4, 4, 0.1, 1000).verdict is Verdict.FAIL
    assert missing_outcomes(2, 9, 0.5, 900).verdict is Verdict.PASS
    assert missing_outcomes(2, 9, 0.5, 899).verdict is Verdict.INCONCLUSIVE
    assert missing_outcomes(0, 0, 0.1, 0).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("arguments", [(1, 0, 0.5, 10), (1, 11, 0.5, 10), (1, 2, 1.0, 10), (-1, 2, 0.5, 10)])
def test_impossible_missing_counts_are_refused(arguments: tuple[int, int, float, int]) -> None:
    with pytest.raises(EvidenceError):
        missing_outcomes(*arguments)


@pytest.mark.parametrize(
    ("proposals", "verdict"),
    [(1000, Verdict.PASS), (990, Verdict.PASS), (989, Verdict.INCONCLUSIVE), (0, Verdict.ERROR)],
)
def test_the_shadow_must_be_there(proposals: int, verdict: Verdict) -> None:
    assert shadow_delivery(proposals, 1000).verdict is verdict


def test_a_shadow_without_decisions_never_passes() -> None:
    assert shadow_delivery(0, 0).verdict is Verdict.INCONCLUSIVE
    assert "no proposals" in shadow_delivery(0, 5).reason
    for wrong in ((-1, 5, 0.99), (6, 5, 0.99), (1, 5, 0.0)):
        with pytest.raises(EvidenceError):
            shadow_delivery(*wrong)
