"""Sample ratio: exact binomial values worked by hand."""

from __future__ import annotations

import pytest

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Verdict
from tenure.evaluation import sample_ratio


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
