"""From an off-policy report to a verdict, and to what would settle it."""

from __future__ import annotations

import math

from tenure.core.evidence import Finding, Verdict
from tenure.evaluation.off_policy.support import MANY
from tenure.evaluation.off_policy.valuation import OffPolicyReport
from tenure.evaluation.off_policy.value import PolicyValue
from tenure.evaluation.settling import settling_sentence

GATE = "off_policy"
MOST_REJECTED = 0.01
"""Largest share of rows that may be missing from a verdict."""


def off_policy_verdict(report: OffPolicyReport, margin: float = 0.0) -> Finding:
    """Whether the policy is proven not to be worse than the logging one by more than a margin.

    PASS where the lower bound is at least the logged value less the margin; FAIL where the upper bound is below it;
    INCONCLUSIVE between, and where there is no number; ERROR where the log itself is wrong.

    Args:
        report: of a log.
        margin: in the reward's unit, >= 0.
    """
    refusal, judged = report.refusal, report.band
    if refusal is not None:
        return Finding(GATE, refusal.verdict, f"No value: {refusal.reason}. To do: {refusal.helps}.")
    if judged.value is None or judged.low is None or judged.high is None or report.logged.value is None:
        return Finding(GATE, Verdict.INCONCLUSIVE, f"No value: {judged.reason or report.logged.reason}.")
    bar = report.logged.value - margin
    seen = (
        f"{judged.estimator} {judged.value:.6g} ({judged.low:.6g} to {judged.high:.6g}) against {bar:.6g}, "
        f"the logged value{f' less {margin:g}' if margin else ''}"
    )
    if report.models:
        seen += "; ASSUMED, propensities were modelled, and the ends are the widest of all models"
    share = report.rejected / (report.rejected + judged.n)
    if share > MOST_REJECTED:
        lost = f"{report.rejected:,} rows ({share:.1%}) could not be read, and may be unlike the others"
        return Finding(GATE, Verdict.INCONCLUSIVE, f"Undecided: {lost}: {seen}.")
    if judged.low >= bar:
        return Finding(GATE, Verdict.PASS, f"Not worse: {seen}.")
    if judged.high < bar:
        return Finding(GATE, Verdict.FAIL, f"Worse: {seen}.")
    return Finding(
        GATE,
        Verdict.INCONCLUSIVE,
        f"Undecided: {seen}. {settling(judged, bar, 'decisions' if report.gain else 'episodes')}",
    )


def settling(judged: PolicyValue, bar: float, unit: str = "decisions") -> str:
    """How many more rows of this kind would settle it, in one sentence.

    An interval shrinks with the root of the rows: n of half-width h become n (h / gap)^2 for a half-width of the gap.
    """
    assert judged.value is not None
    assert judged.low is not None
    assert judged.high is not None
    gap, half = abs(judged.value - bar), (judged.high - judged.low) / 2
    needed = judged.n * (half / gap) ** 2 if gap > 1e-9 * half else math.inf
    more = max(1, math.ceil(needed) - judged.n) if needed < MANY else None
    sentence = settling_sentence(more, unit=unit)
    return f"{sentence[0].upper()}{sentence[1:]}."
