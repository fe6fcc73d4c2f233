"""The value of a policy from another policy's log: two passes over batches, then a report or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self, TypeVar

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged, LoggedSource, Target
from tenure.evaluation.behaviour import BehaviourModel, behaviour_models
from tenure.evaluation.checks import refusal
from tenure.evaluation.onestep import FORMULAS, OneStep, Weighted
from tenure.evaluation.passes import Pass, local
from tenure.evaluation.scan import Scan
from tenure.evaluation.slope import Point, slope
from tenure.evaluation.support import Refusal, Why
from tenure.evaluation.terms import DiscreteTerms, KernelTerms, Predictions, Terms
from tenure.evaluation.valuation import ModelledValue, OffPolicyReport, Valuation, refused, report

BANDWIDTHS = (2.0, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1)
"""Half-widths of the kernel that are tried for `Box` actions, in standard deviations, widest first."""


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
        return report(Valuation.empty(False, judged, False), judged, alpha, seed)
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
    return report(valuation, judged, alpha, seed)


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
        why = Refusal(
            Why.PROPENSITY_MISSING,
            f"no propensities, and no model of them: {error.expected} needed, {error.found} found",
            error.fix,
        )
        return refused(Valuation.empty(False, judged, False), why, judged)
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
    found = _valued(each, terms, scan, judged, alpha, seed)
    assumed = tuple(replace(value, assumed=True) for value in found.estimates)
    gain = None if found.gain is None else replace(found.gain, assumed=True)
    return replace(found, estimates=assumed, gain=gain)


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
