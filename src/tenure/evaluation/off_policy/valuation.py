"""The second pass over a log, and the report it gives: estimates with their doubt, or one refusal for all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.core.logged import Logged
from tenure.evaluation.checks import refusal
from tenure.evaluation.grouped import filled, group_of, linearised_error, ratio_influence
from tenure.evaluation.off_policy.distinct import Distinct
from tenure.evaluation.off_policy.one_step import FORMULAS, LOGGED, OneStep, Weighted
from tenure.evaluation.off_policy.proportions import share_interval
from tenure.evaluation.off_policy.support import Refusal, Support
from tenure.evaluation.off_policy.terms import Terms
from tenure.evaluation.off_policy.value import PolicyValue
from tenure.evaluation.segment_effects import SegmentEffect, SegmentEffects
from tenure.evaluation.segments import Segments
from tenure.evaluation.sequences.boundaries import asymptotic_radius


@dataclass
class Valuation:
    """The second pass: support, the logging policy's own value, and every estimator; mergeable."""

    support: Support
    logged: OneStep
    gain: OneStep
    estimators: dict[str, OneStep]
    units: Distinct = field(default_factory=Distinct)
    segments: SegmentEffects | None = None

    @classmethod
    def empty(cls, density: bool, judged: str, modelled: bool, segments: Segments | None = None) -> Self:
        """Nothing seen yet; without a reward model only the estimators that need none."""
        chosen = {name: OneStep(each) for name, each in FORMULAS.items() if modelled or not each.modelled}
        effects = None if segments is None else SegmentEffects(segments)
        gain = OneStep(FORMULAS[judged], against=True)
        return cls(Support(density), OneStep(LOGGED), gain, chosen, segments=effects)

    def update(self, logged: Logged, terms: Terms, coefficients: Floats | None) -> None:
        """Take a batch."""
        seen = terms.weigh(logged, coefficients)
        self.support.update(logged.index, logged.reward, seen.propensity, seen.weight, seen.elsewhere)
        batch = Weighted.of(logged, seen)
        group = group_of(logged.unit)
        for estimator in (self.logged, self.gain, *self.estimators.values()):
            estimator.update(batch, group)
        self.units.update(logged.unit)
        if self.segments is not None:
            self.segments.update(logged.features, logged.unit, difference(batch))

    def merge(self, other: Valuation) -> None:
        """Take what another has seen."""
        self.support.merge(other.support)
        self.logged.merge(other.logged)
        self.gain.merge(other.gain)
        for name, estimator in self.estimators.items():
            estimator.merge(other.estimators[name])
        self.units.merge(other.units)
        if self.segments is not None and other.segments is not None:
            self.segments.merge(other.segments)


def difference(batch: Weighted) -> Floats:
    """What each row says about target less logging policy: v + w (r - q) - r; [n]. Doubly robust, as `one_step.dr`."""
    q, v = batch.model
    return np.asarray(v + batch.weight * (batch.reward - q) - batch.reward)


@dataclass(frozen=True)
class OffPolicyReport:
    """What a log says about a policy.

    Args:
        judged: the estimator a verdict goes by: `dr` with a reward model from elsewhere, else `snips` (for episodes
            `pdwis`).
        logged: value of the policy that wrote the log.
        estimates: one per estimator; all refused where one is.
        gain: by the judged estimator, over the logging policy on the same rows; None for episodes.
        sequence: the judged estimate with an interval that holds however often one looks while the log grows; None
            where the large-sample form is not to be trusted (`sequence_reason`).
        unsupported: share of the target's decisions that the log cannot value.
        units: different units.
        refusal: why there is no number; None where there is one.
        segments: where the policy is better, worse or neither is proven; empty where they were not asked for.
        lower_bound: what the policy is worth at least, without trust in large samples; None where it was not asked for,
            or cannot be had (`lower_bound_reason`).
        rejected: rows of the log that could not be read, and are in no figure.
        models: behaviour models where propensities were not logged, best first, with the value each would give.
    """

    judged: str
    logged: PolicyValue
    estimates: tuple[PolicyValue, ...]
    gain: PolicyValue | None
    sequence: Estimate | None
    sequence_reason: str
    unsupported: float
    units: int
    refusal: Refusal | None
    models: tuple[ModelledValue, ...] = ()
    segments: tuple[SegmentEffect, ...] = ()
    lower_bound: Estimate | None = None
    lower_bound_reason: str = ""
    rejected: int = 0

    @property
    def band(self) -> PolicyValue:
        """The judged estimate; under modelled propensities with the widest ends of all models."""
        judged = self.estimate(self.judged)
        values = [each.value for each in self.models if each.value.low is not None and each.value.high is not None]
        if judged.low is None or judged.high is None or not values:
            return judged
        lows, highs = zip(*((each.low, each.high) for each in values), strict=True)
        return replace(judged, low=min(judged.low, *lows), high=max(judged.high, *highs))

    def estimate(self, name: str) -> PolicyValue:
        """One of the estimates.

        Raises:
            EvidenceError: it was not made.
        """
        for each in self.estimates:
            if each.estimator == name:
                return each
        raise refusal(f"one of {[each.estimator for each in self.estimates]}", name, "OffPolicyReport", "name one")


@dataclass(frozen=True)
class ModelledValue:
    """The judged estimate under one behaviour model: part of the sensitivity band."""

    model: str
    log_loss: float
    calibration_error: float
    value: PolicyValue


def report(valuation: Valuation, judged: str, alpha: float, seed: int) -> OffPolicyReport:
    why = valuation.support.refused(_weight_error(valuation))
    if why is not None:
        return refused(valuation, why, judged)
    answers = {name: _answer(name, each, valuation, alpha, seed) for name, each in valuation.estimators.items()}
    answers |= {name: _joined(answers[name], answers[other]) for name, other in BIASED.items() if name in answers}
    sequence, reason = _sequence(valuation, answers[judged], judged, alpha)
    return OffPolicyReport(
        judged=judged,
        logged=_on_policy(valuation, alpha, seed),
        estimates=tuple(answers.values()),
        gain=_answer(f"{judged} - logged", valuation.gain, valuation, alpha, seed),
        sequence=sequence,
        sequence_reason=reason,
        unsupported=valuation.support.unsupported_share,
        units=min(valuation.units.count, valuation.support.n),
        refusal=None,
        segments=() if valuation.segments is None else valuation.segments.result(alpha),
    )


def refused(valuation: Valuation, why: Refusal, judged: str) -> OffPolicyReport:
    support = valuation.support

    def none(name: str) -> PolicyValue:
        return PolicyValue.refused(
            name, why.reason, why.helps, n=support.n, ess=support.ess, max_weight=support.largest
        )

    logged = none("logged") if support.rewardless or not support.n else _on_policy(valuation, 0.05, 0)
    return OffPolicyReport(
        judged=judged,
        logged=logged,
        estimates=tuple(none(name) for name in valuation.estimators),
        gain=none(f"{judged} - logged"),
        sequence=None,
        sequence_reason=why.reason,
        unsupported=support.unsupported_share,
        units=valuation.units.count,
        refusal=why,
    )


FIRST_UNITS = 1000
"""Units before which no sequence is given: a weight that is large but rare may not have come yet, and neither the
spread nor the skewness of what came tells of it (`tests/statistics/test_off_policy_sequence_holds.py`)."""

SHARES = {"ips": False, "dr": False, "snips": True, "sndr": True}
"""Estimators that of rewards 0 or 1 estimate a share, and whether their weights are normalised."""


BIASED = {"dm": "dr", "clipped_ips": "ips", "switch_dr": "dr", "dr_os": "dr"}
"""Estimators that trade bias for variance, and the one without that bias."""


def _joined(biased: PolicyValue, unbiased: PolicyValue) -> PolicyValue:
    """A biased estimate with an interval that reaches over the unbiased one's: nobody knows how large the bias is."""
    if biased.low is None or biased.high is None or unbiased.low is None or unbiased.high is None:
        return biased
    method = f"{biased.method}; interval joined with that of {unbiased.estimator}, for the bias is unknown"
    low, high = min(biased.low, unbiased.low), max(biased.high, unbiased.high)
    return replace(biased, low=low, high=high, method=method)


def _weight_error(valuation: Valuation) -> float | None:
    """Standard error of the mean weight over groups of units; None where there are too few."""
    sums = np.stack([valuation.estimators["snips"].sums[:, 1], valuation.estimators["ips"].sums[:, 1]], axis=1)
    rows = filled(sums)
    return linearised_error(rows) if len(rows) > 1 else None


def _on_policy(valuation: Valuation, alpha: float, seed: int) -> PolicyValue:
    """The logging policy's own value: every row weighs one."""
    n, estimator = valuation.logged.n, valuation.logged
    try:
        ends = estimator.result(alpha, seed)
    except EvidenceError as error:
        return PolicyValue.refused("logged", f"{error.found} unit(s)", error.fix, n=n)
    if not valuation.support.between:
        ends = share_interval(ends, n / estimator.design_effect, alpha)
    return PolicyValue("logged", ends.value, ends.low, ends.high, n, float(n), 1.0, method=ends.method, alpha=alpha)


def _answer(name: str, estimator: OneStep, valuation: Valuation, alpha: float, seed: int) -> PolicyValue:
    support = valuation.support
    try:
        ends = estimator.result(alpha, seed)
    except EvidenceError as error:
        return PolicyValue.refused(name, f"{error.found} unit(s)", error.fix, n=support.n, ess=support.ess)
    if name in SHARES and not support.between:
        ends = share_interval(ends, support.effective(SHARES[name]) / estimator.design_effect, alpha)
    return PolicyValue(
        estimator=name,
        value=ends.value,
        low=ends.low,
        high=ends.high,
        n=support.n,
        ess=support.ess,
        max_weight=support.largest,
        method=ends.method,
        alpha=alpha,
    )


def _sequence(valuation: Valuation, answer: PolicyValue, judged: str, alpha: float) -> tuple[Estimate | None, str]:
    """The judged estimate's asymptotic confidence sequence over units, or why there is none."""
    if answer.value is None:
        return None, answer.reason
    sums, units = filled(valuation.estimators[judged].sums), valuation.units.count
    if units < FIRST_UNITS:
        return None, f"{FIRST_UNITS} units needed, found {units}"
    sd = linearised_error(sums) * math.sqrt(units)
    try:
        radius = asymptotic_radius(units, sd, alpha, skewness=_skewness(ratio_influence(sums), units))
    except EvidenceError as error:
        return None, f"{error.expected} needed, found {error.found}"
    value = answer.value
    return Estimate(value, value - radius, value + radius, units, answer.ess, "asymptotic sequence", "unit", alpha), ""


def _skewness(x: Floats, units: int) -> float:
    """Skewness of a unit's contribution, from that of groups of units: a sum of m is 1 / sqrt(m) as skewed."""
    variance = float((x**2).mean())
    if variance == 0:
        return 0.0
    return float((x**3).mean() / variance**1.5) * math.sqrt(max(1.0, units / len(x)))
