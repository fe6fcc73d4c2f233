"""The value of a policy from another policy's log: two passes over batches, then a report or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self, TypeVar

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged, LoggedSource, Target
from tenure.evaluation.checks import refusal
from tenure.evaluation.off_policy.behaviour import BehaviourModel, behaviour_models
from tenure.evaluation.off_policy.one_step import FORMULAS, OneStep, Weighted
from tenure.evaluation.off_policy.passes import Pass, local
from tenure.evaluation.off_policy.scan import Scan
from tenure.evaluation.off_policy.slope import Point, slope
from tenure.evaluation.off_policy.support import Refusal, Why
from tenure.evaluation.off_policy.terms import DiscreteTerms, KernelTerms, Predictions, Terms
from tenure.evaluation.off_policy.valuation import (
    ModelledValue,
    OffPolicyReport,
    Valuation,
    difference,
    refused,
    report,
)
from tenure.evaluation.segments import Segments, find

BANDWIDTHS = (2.0, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)
"""Half-widths of the kernel that are tried for `Box` actions, in standard deviations, widest first."""


def evaluate_log(
    source: LoggedSource,
    target: Target,
    *,
    predictions: Predictions | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    segments: bool = False,
    each: Pass | None = None,
) -> OffPolicyReport:
    """Value a policy per decision from a log of one-step decisions, or say why that cannot be done.

    Args:
        source: the log; it is read twice, in batches (once more for `Box` actions).
        target: probability of every action; for `Box` actions the target's action.
        predictions: a reward model from elsewhere; without one a linear model is fitted, cross-fitted by unit.
        alpha: error rate of every interval, in (0, 1).
        seed: chance of the bootstrap.
        segments: also look for segments in which the policy is better or worse.
        each: how a pass is run; two threads here without one.

    Raises:
        EvidenceError: the target's answers are no probabilities or actions, or alpha is impossible.
    """
    question = _Question(each or local(source), target, predictions, alpha, seed, segments)
    scan = _folded(question.each, partial(_scanned, labels=source.labels))
    if scan is None:
        return report(Valuation.empty(False, question.judged, False), question.judged, alpha, seed)
    if scan.without_propensity < scan.n:
        return _valued(question, _terms(question, scan), scan)
    return _modelled(question, scan)


@dataclass(frozen=True)
class _Question:
    """What was asked of `evaluate_log`."""

    each: Pass
    target: Target
    predictions: Predictions | None
    alpha: float
    seed: int
    segments: bool

    @property
    def judged(self) -> str:
        return "snips" if self.predictions is None else "dr"


def _scanned(logged: Logged, labels: tuple[str, ...]) -> Scan:
    dimensions = 0 if labels else logged.action.shape[1]
    scan = Scan(np.zeros(len(labels), dtype=np.int64), np.zeros((3, dimensions)))
    scan.update(logged, *(DiscreteTerms if labels else KernelTerms).regress(logged))
    return scan


def _terms(question: _Question, scan: Scan) -> Terms:
    if not len(scan.taken):
        return KernelTerms(question.target, scan.spread, _bandwidth(question, scan.spread))
    return DiscreteTerms(question.target, scan.seen, predictions=question.predictions)


def _bandwidth(question: _Question, spread: Floats) -> float:
    """The kernel's half-width by SLOPE, on a quarter of the units."""
    found = _folded(question.each, partial(_at_bandwidths, target=question.target, spread=spread))
    assert found is not None
    return BANDWIDTHS[slope([Point.of(estimator.tuning_sums) for estimator in found.estimators])]


@dataclass
class _Bandwidths:
    estimators: list[OneStep]

    def merge(self, other: _Bandwidths) -> None:
        for mine, theirs in zip(self.estimators, other.estimators, strict=True):
            mine.merge(theirs)


def _at_bandwidths(logged: Logged, target: Target, spread: Floats) -> _Bandwidths:
    estimators = [OneStep(FORMULAS["snips"]) for _ in BANDWIDTHS]
    for bandwidth, estimator in zip(BANDWIDTHS, estimators, strict=True):
        estimator.update(Weighted.of(logged, KernelTerms(target, spread, bandwidth).weigh(logged, None)))
    return _Bandwidths(estimators)


def _valued(question: _Question, terms: Terms, scan: Scan) -> OffPolicyReport:
    coefficients = None if scan.ridge is None else scan.ridge.fitted()
    segments = _segments(terms, coefficients, scan) if question.segments else None
    function = partial(_valuation, terms=terms, coefficients=coefficients, judged=question.judged, segments=segments)
    valuation = _folded(question.each, function)
    assert valuation is not None
    return report(valuation, question.judged, question.alpha, question.seed)


def _valuation(
    logged: Logged, terms: Terms, coefficients: Floats | None, judged: str, segments: Segments | None
) -> Valuation:
    valuation = Valuation.empty(terms.density, judged, True, segments)
    valuation.update(logged, terms, coefficients)
    return valuation


def _segments(terms: Terms, coefficients: Floats | None, scan: Scan) -> Segments:
    """Segments of the paired difference, found on the sample."""
    rows = scan.sample.rows
    assert rows is not None
    change = difference(Weighted.of(rows, terms.weigh(rows, coefficients)))
    return find(rows.features, change, rows.unit, rows.names)


def _modelled(question: _Question, scan: Scan) -> OffPolicyReport:
    """No propensity in any row: one report per behaviour model, the best one's marked as assumed."""
    sample = scan.sample.rows
    assert sample is not None
    try:
        if not len(scan.taken):
            raise refusal("logged densities", "none", "a log of `Box` actions", "log the density of each action")
        models = behaviour_models(sample)
    except EvidenceError as error:
        found = f"no propensities, and no model of them: {error.expected} needed, {error.found} found"
        why = Refusal(Why.PROPENSITY_MISSING, found, error.fix)
        return refused(Valuation.empty(False, question.judged, False), why, question.judged)
    reports = [_under(model, question, scan) for model in models]
    return assumed(models, reports)


def _under(model: BehaviourModel, question: _Question, scan: Scan) -> OffPolicyReport:
    terms = DiscreteTerms(question.target, scan.seen, propensity=model.propensity, predictions=question.predictions)
    return _valued(question, terms, scan)


def assumed(models: Sequence[BehaviourModel], reports: Sequence[OffPolicyReport]) -> OffPolicyReport:
    """The report under the best model, marked as assumed, with the value under each: the sensitivity band."""
    best = reports[0]
    band = tuple(
        ModelledValue(
            model.name, model.log_loss, model.calibration_error, replace(each.estimate(each.judged), assumed=True)
        )
        for model, each in zip(models, reports, strict=True)
    )
    gain = None if best.gain is None else replace(best.gain, assumed=True)
    estimates = tuple(replace(value, assumed=True) for value in best.estimates)
    return replace(best, estimates=estimates, gain=gain, models=band)


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
