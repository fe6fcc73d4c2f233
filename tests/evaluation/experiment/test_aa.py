"""A/A runs: splits that are sticky, fair and independent, and a comparison that lies is found out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tenure.core.arrays import Bools
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Finding, Verdict
from tenure.evaluation.experiment.aa import aa_runs, split

UNITS = np.arange(200, dtype=np.uint64)
RNG = np.random.default_rng(8)
ROW_UNIT = np.repeat(UNITS, 10)
SHARED = np.repeat(RNG.standard_normal(200), 10) + 0.3 * RNG.standard_normal(2000)
"""Ten rows a unit that share the unit's luck."""


def comparison(value: np.ndarray[tuple[int, ...], np.dtype[np.float64]], chosen: Bools) -> Finding:
    p = float(stats.ttest_ind(value[chosen], value[~chosen]).pvalue)
    return Finding("t", Verdict.FAIL if p < 0.05 else Verdict.PASS, f"p = {p:.3g}")


def by_unit(chosen: Bools) -> Finding:
    return comparison(SHARED.reshape(200, 10).mean(axis=1), chosen.reshape(200, 10)[:, 0])


def by_row(chosen: Bools) -> Finding:
    return comparison(SHARED, chosen)


def test_rows_of_one_unit_stay_together_and_runs_differ() -> None:
    chosen = split(ROW_UNIT, 3, 0.5).reshape(200, 10)
    assert (chosen == chosen[:, :1]).all()
    assert (split(UNITS, 3, 0.5) == chosen[:, 0]).all()
    assert 0.3 < (split(UNITS, 3, 0.5) == split(UNITS, 4, 0.5)).mean() < 0.7


@pytest.mark.parametrize("part", [0.01, 0.5, 0.9])
def test_a_split_is_fair(part: float) -> None:
    count = int(split(np.arange(100_000, dtype=np.uint64), 0, part).sum())
    assert stats.binomtest(count, 100_000, part).pvalue > 0.001


def test_an_honest_comparison_keeps_its_promise() -> None:
    found = aa_runs(ROW_UNIT, by_unit)
    assert found.verdict is Verdict.PASS
    assert found.estimate is not None
    assert found.estimate.low < 0.05 < found.estimate.high


def test_a_comparison_by_row_is_found_out() -> None:
    found = aa_runs(ROW_UNIT, by_row, runs=100)
    assert found.verdict is Verdict.FAIL
    assert found.estimate is not None
    assert found.estimate.value > 0.3


def test_the_interval_is_the_exact_binomial_one() -> None:
    alarms = iter([Verdict.FAIL] * 3 + [Verdict.PASS] * 97)
    found = aa_runs(UNITS, lambda chosen: Finding("x", next(alarms), ""), runs=100)
    # Clopper and Pearson for 3 of 100.
    assert found.estimate is not None
    assert (found.estimate.low, found.estimate.high) == pytest.approx((0.00623, 0.08518), abs=1e-5)
    assert "3 false alarms in 100 A/A runs" in found.reason
    assert found.verdict is Verdict.PASS


def test_few_runs_prove_nothing_and_errors_are_errors() -> None:
    assert aa_runs(UNITS, lambda chosen: Finding("x", Verdict.PASS, ""), runs=10).verdict is Verdict.INCONCLUSIVE
    assert aa_runs(UNITS, lambda chosen: Finding("x", Verdict.ERROR, ""), runs=10).verdict is Verdict.ERROR


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(EvidenceError):
        aa_runs(UNITS, by_unit, runs=0)
    with pytest.raises(EvidenceError):
        aa_runs(UNITS[:0], by_unit)
    with pytest.raises(EvidenceError):
        aa_runs(UNITS, by_unit, part=1.0)
