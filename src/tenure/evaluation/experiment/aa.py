"""A/A runs: the comparison on splits that differ in nothing. What it finds there are false alarms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats
from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.core.logged import Hashes
from tenure.evaluation.checks import refusal, share


def split(unit: Hashes, run: int, part: float) -> Bools:
    """Which units of a log fall to the one side of a split: sticky by unit, independent from run to run.

    Args:
        unit: hash of each row's unit (`Logged.unit`); uint64 [n].
        run: number of the split.
        part: share of units on that side, in (0, 1).

    Source: SplitMix64, Steele, Lea and Flood (2014), OOPSLA.
    """
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is the point
        mixed = np.asarray(unit, dtype=np.uint64) + np.uint64(run + 1) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    uniform: Floats = (mixed >> np.uint64(11)) * 2.0**-53
    return np.asarray(uniform < part)


def aa_runs(
    unit: Hashes, compare: Callable[[Bools], Finding], runs: int = 400, part: float = 0.5, alpha: float = 0.05
) -> Finding:
    """How often a comparison says FAIL where both sides are the same policy's.

    Args:
        unit: hash of each row's unit; uint64 [n].
        compare: the comparison as it will be made, from which rows are the one side's to a finding.
        runs: splits tried.
        part: share of units on that side, in (0, 1).
        alpha: what the comparison promises, in (0, 1).

    Returns:
        FAIL where false alarms are proven more frequent than alpha, ERROR where a comparison could not be made, PASS
        where they are proven below twice alpha, otherwise INCONCLUSIVE. The estimate is their share with its
        Clopper-Pearson interval at 95 %.

    Raises:
        EvidenceError: no unit, no run, or a share out of its range.

    Source: Kohavi, Tang and Xu (2020), chapter 19; Clopper and Pearson (1934).
    """
    share(part, "part", "aa_runs")
    share(alpha, "alpha", "aa_runs")
    if runs < 1 or not len(unit):
        raise refusal("a run and a unit", f"{runs} runs, {len(unit)} rows", "aa_runs", "give the rows of a log")
    found = [compare(split(unit, run, part)).verdict for run in range(runs)]
    alarms, errors = found.count(Verdict.FAIL), found.count(Verdict.ERROR)
    estimate = _binomial(alarms, runs)
    seen = f"{alarms} false alarms in {runs} A/A runs ({100 * estimate.low:.2g} to {100 * estimate.high:.2g} %)"
    if errors:
        return Finding("A/A", Verdict.ERROR, f"{errors} of {runs} A/A comparisons could not be made", estimate)
    return Finding("A/A", _verdict(estimate, alpha), f"{seen}, {100 * alpha:g} % promised", estimate)


def _verdict(estimate: Estimate, alpha: float) -> Verdict:
    if estimate.low > alpha:
        return Verdict.FAIL
    return Verdict.PASS if estimate.high < 2 * alpha else Verdict.INCONCLUSIVE


def _binomial(count: int, total: int) -> Estimate:
    ends = stats.binomtest(count, total).proportion_ci(0.95, "exact")
    low, high = float(ends.low), float(ends.high)
    return Estimate(count / total, low, high, total, float(total), "Clopper-Pearson", "A/A run")
