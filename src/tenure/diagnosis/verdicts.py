"""From two arms on common seeds to a verdict."""

from __future__ import annotations

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.diagnosis.findings import Verdict
from tenure.diagnosis.thresholds import ERROR, WORTH
from tenure.evaluation import t_interval


def effect_of(control: Floats, treated: Floats, span: float, arms: int = 1) -> Estimate:
    """How much better the treated arm is, paired by seed, in spans; with its interval.

    Args:
        control, treated: merit of each seed, the same seeds in order, at least two; [seeds].
        span: what one whole share is, in the merit's unit; above 0.
        arms: treated arms of the probe, among which its error is shared (Bonferroni).

    Returns:
        An estimate whose lower end lies above a true mean with a chance of at most `ERROR / arms`, where the
        differences between paired seeds are Gaussian; and so does the upper end below it.

    Source: Student (1908).
    """
    return t_interval((treated - control) / span, alpha=2 * ERROR / arms, cluster="seed")


def verdict_of(effect: Estimate) -> Verdict:
    """Confirmed where the gain is surely above 0 and worth it; rejected where it is surely not worth it.

    >>> verdict_of(Estimate(0.5, 0.1, 0.9, 5, 5.0, "Student t", "seed", 0.02))
    'confirmed'
    >>> verdict_of(Estimate(0.05, 0.01, 0.09, 5, 5.0, "Student t", "seed", 0.02))
    'rejected'
    >>> verdict_of(Estimate(0.5, -0.1, 1.1, 5, 5.0, "Student t", "seed", 0.02))
    'inconclusive'
    """
    if effect.low > 0 and effect.value >= WORTH:
        return "confirmed"
    return "rejected" if effect.high < WORTH else "inconclusive"
