"""The value of a policy from another policy's log: two passes over batches, then a report or a refusal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, Self, TypeVar

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.core.logged import Logged, LoggedSource, Target
from tenure.evaluation.behaviour import BehaviourModel, behaviour_models
from tenure.evaluation.boundaries import asymptotic_radius
from tenure.evaluation.checks import refusal
from tenure.evaluation.distinct import Distinct
from tenure.evaluation.grouped import filled, group_of, linearised_error, ratio_influence
from tenure.evaluation.onestep import FORMULAS, LOGGED, OneStep, Weighted
from tenure.evaluation.passes import Pass, local
from tenure.evaluation.scan import Scan
from tenure.evaluation.slope import Point, slope
from tenure.evaluation.support import Refusal, Support, Why
from tenure.evaluation.terms import DiscreteTerms, KernelTerms, Predictions, Terms
from tenure.evaluation.value import PolicyValue

BANDWIDTHS = (2.0, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)
"""Half-widths of the kernel that are tried for `Box` actions, in standard deviations, widest first."""


@dataclass
class Valuation:
    """The second pass: support, the logging policy's own value, and every estimator; mergeable."""

    support: Support
    logged: OneStep
    gain: OneStep
    estimators: dict[str, OneStep]
    units: Distinct = field(default_factory=Distinct)

    @classmethod
    def empty(cls, density: bool, judged: str, modelled: bool) -> Self:
        """Nothing seen yet; without a reward model only the estimators that need none."""
        chosen = {name: OneStep(each) for name, each in FORMULAS.items() if modelled or not each.modelled}
        return cls(Support(density), OneStep(LOGGED), OneStep(FORMULAS[judged], against=True), chosen)

    def update(self, logged: Logged, terms: Terms, coefficients: Floats | None) -> None:
        """Take a batch."""
        seen = terms.weigh(logged, coefficients)
        self.support.update(logged.index, logged.reward, seen.propensity, seen.weight, seen.elsewhere)
        # What is not finite has been counted, and there will be no number; the sums stay finite.
        reward, weight = (np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0) for x in (logged.reward, seen.weight))
        batch = Weighted(reward, weight, logged.unit, seen.predicted, seen.expected)
        group = group_of(logged.unit)
        for estimator in (self.logged, self.gain, *self.estimators.values()):
            estimator.update(batch, group)
        self.units.update(logged.unit)

    def merge(self, other: Valuation) -> None:
        """Take what another has seen."""
        self.support.merge(other.support)
        self.logged.merge(other.logged)
        self.gain.merge(other.gain)
        for name, estimator in self.estimators.items():
            estimator.merge(other.estimators[name])
        self.units.merge(other.units)


@dataclass(frozen=True)
class OffPolicyReport:
    """What a log says about a policy.

    Args:
        judged: the estimator a verdict goes by: `dr` with a reward model from elsewhere, else `snips`.
        logged: value of the policy that wrote the log.
        estimates: one per estimator; all refused where one is.
        gain: by the judged estimator, over the logging policy on the same rows.
        sequence: the judged estimate with an interval that holds however often one looks while the log grows; None
            where the large-sample form is not to be trusted (`sequence_reason`).
        unsupported: share of the target's decisions that the log cannot value.
        units: different units.
        refusal: why there is no number; None where there is one.
        models: behaviour models where propensities were not logged, best first, with the value each would give.
    """

    judged: str
    logged: PolicyValue
    estimates: tuple[PolicyValue, ...]
    gain: PolicyValue
    sequence: Estimate | None
    sequence_reason: str
    unsupported: float
    units: int
    refusal: Refusal | None
    models: tuple[ModelledValue, ...] = ()

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


def evaluate_log(
    source: LoggedSource,
    target: Target,
    *,
    predictions: Predictions | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    each: Pass | None = None,
) -> OffPolicyReport:
    """Value a policy per decision from a log of one-step decisions, or say why that cannot be done.

    Args:
        source: the log; it is read twice, in batches (once more for `Box` actions).
        target: probability of every action; for `Box` actions the target's action.
        predictions: a reward model from elsewhere; without one a linear model is fitted, cross-fitted by unit.
        alpha: error rate of every interval, in (0, 1).
        seed: chance of the bootstrap.
        each: how a pass is run; two threads here without one.

    Raises:
        EvidenceError: the target's answers are no probabilities or actions, or alpha is impossible.
    """
    each = local(source) if each is None else each
    scan = _folded(each, partial(_scanned, labels=source.labels))
    judged = "snips" if predictions is None else "dr"
    if scan is None:
        return _report(Valuation.empty(False, judged, False), judged, alpha, seed)
    if scan.without_propensity < scan.n:
        return _valued(each, _terms(each, scan, target, predictions), scan, judged, alpha, seed)
    return _modelled(each, scan, target, predictions, judged, alpha, seed)


def _scanned(logged: Logged, labels: tuple[str, ...]) -> Scan:
    dimensions = 0 if labels else logged.action.shape[1]
    scan = Scan(np.zeros(len(labels), dtype=np.int64), np.zeros((3, dimensions)))
    scan.update(logged, *(DiscreteTerms if labels else KernelTerms).regress(logged))
    return scan


def _terms(each: Pass, scan: Scan, target: Target, predictions: Predictions | None) -> Terms:
    if not len(scan.taken):
        return KernelTerms(target, scan.spread, _bandwidth(each, target, scan.spread))
    return DiscreteTerms(target, scan.seen, predictions=predictions)


def _bandwidth(each: Pass, target: Target, spread: Floats) -> float:
    """The kernel's half-width by SLOPE, on a quarter of the units."""
    found = _folded(each, partial(_at_bandwidths, target=target, spread=spread))
    assert found is not None
    return BANDWIDTHS[slope([Point.of(sums) for sums in found.tuning()])]


@dataclass
class _Bandwidths:
    estimators: list[OneStep]

    def merge(self, other: _Bandwidths) -> None:
        for mine, theirs in zip(self.estimators, other.estimators, strict=True):
            mine.merge(theirs)

    def tuning(self) -> list[Floats]:
        return [estimator.tuning_sums for estimator in self.estimators]


def _at_bandwidths(logged: Logged, target: Target, spread: Floats) -> _Bandwidths:
    estimators = [OneStep(FORMULAS["snips"]) for _ in BANDWIDTHS]
    for bandwidth, estimator in zip(BANDWIDTHS, estimators, strict=True):
        weight = KernelTerms(target, spread, bandwidth).weigh(logged, None).weight
        reward, weight = (np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0) for x in (logged.reward, weight))
        estimator.update(Weighted(reward, weight, logged.unit))
    return _Bandwidths(estimators)


def _valued(each: Pass, terms: Terms, scan: Scan, judged: str, alpha: float, seed: int) -> OffPolicyReport:
    coefficients = None if scan.ridge is None else scan.ridge.fitted()
    function = partial(_valuation, terms=terms, coefficients=coefficients, judged=judged)
    valuation = _folded(each, function)
    assert valuation is not None
    return _report(valuation, judged, alpha, seed)


def _valuation(logged: Logged, terms: Terms, coefficients: Floats | None, judged: str) -> Valuation:
    valuation = Valuation.empty(terms.density, judged, True)
    valuation.update(logged, terms, coefficients)
    return valuation


def _modelled(
    each: Pass,
    scan: Scan,
    target: Target,
    predictions: Predictions | None,
    judged: str,
    alpha: float,
    seed: int,
) -> OffPolicyReport:
    """No propensity in any row: one report per behaviour model, the best one's marked as assumed."""
    sample = scan.sample.rows
    assert sample is not None
    try:
        if not len(scan.taken):
            raise refusal("logged densities", "none", "a log of `Box` actions", "log the density of each action")
        models = behaviour_models(sample)
    except EvidenceError as error:
        why = Refusal(Why.PROPENSITY_MISSING, f"no propensities, and no model of them: {error.found}", error.fix)
        return _refused(Valuation.empty(False, judged, False), why, judged)
    reports = [_under(model, each, scan, target, predictions, judged, alpha, seed) for model in models]
    values = tuple(
        ModelledValue(model.name, model.log_loss, model.calibration_error, report.estimate(judged))
        for model, report in zip(models, reports, strict=True)
    )
    return replace(reports[0], models=values)


def _under(
    model: BehaviourModel,
    each: Pass,
    scan: Scan,
    target: Target,
    predictions: Predictions | None,
    judged: str,
    alpha: float,
    seed: int,
) -> OffPolicyReport:
    terms = DiscreteTerms(target, scan.seen, propensity=model.propensity, predictions=predictions)
    report = _valued(each, terms, scan, judged, alpha, seed)
    assumed = tuple(replace(value, assumed=True) for value in report.estimates)
    return replace(report, estimates=assumed, gain=replace(report.gain, assumed=True))


class _Mergeable(Protocol):
    def merge(self, other: Self, /) -> None: ...


M = TypeVar("M", bound=_Mergeable)


def _folded(each: Pass, function: Callable[[Logged], M]) -> M | None:
    """All partial results as one; None for a log without rows."""
    parts: Iterable[M] = each(function)
    whole: M | None = None
    for part in parts:
        if whole is None:
            whole = part
        else:
            whole.merge(part)
    return whole


def _report(valuation: Valuation, judged: str, alpha: float, seed: int) -> OffPolicyReport:
    why = valuation.support.refusal
    if why is not None:
        return _refused(valuation, why, judged)
    answers = {name: _answer(name, each, valuation, alpha, seed) for name, each in valuation.estimators.items()}
    sequence, reason = _sequence(valuation, answers[judged], judged, alpha)
    return OffPolicyReport(
        judged=judged,
        logged=_on_policy(valuation, alpha, seed),
        estimates=tuple(answers.values()),
        gain=_answer(f"{judged} - logged", valuation.gain, valuation, alpha, seed),
        sequence=sequence,
        sequence_reason=reason,
        unsupported=valuation.support.unsupported_share,
        units=valuation.units.count,
        refusal=None,
    )


def _refused(valuation: Valuation, why: Refusal, judged: str) -> OffPolicyReport:
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


def _on_policy(valuation: Valuation, alpha: float, seed: int) -> PolicyValue:
    """The logging policy's own value: every row weighs one."""
    try:
        ends = valuation.logged.result(alpha, seed)
    except EvidenceError as error:
        return PolicyValue.refused("logged", f"{error.found} unit(s)", error.fix, n=valuation.logged.n)
    n = valuation.logged.n
    return PolicyValue("logged", ends.value, ends.low, ends.high, n, float(n), 1.0, method=ends.method, alpha=alpha)


def _answer(name: str, estimator: OneStep, valuation: Valuation, alpha: float, seed: int) -> PolicyValue:
    support = valuation.support
    try:
        ends = estimator.result(alpha, seed)
    except EvidenceError as error:
        return PolicyValue.refused(name, f"{error.found} unit(s)", error.fix, n=support.n, ess=support.ess)
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
