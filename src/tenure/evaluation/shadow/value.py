"""What the candidate's disagreements are worth, both ways: off-policy on the log, and by replay in a simulator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.core.logged import Hashes, Logged, LoggedTable
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.evaluation.off_policy.decisions import evaluate_log
from tenure.evaluation.shadow.log import Margin, Replay, ShadowLog
from tenure.evaluation.shadow.paired import Signals, change

Way = Literal["replay", "off_policy"]
Word = Literal["worse", "within margin", "better", "unclear"]

MOST_MISSING = 0.01
"""Largest share of the outcomes that may be missing before the log values nothing."""


@dataclass(frozen=True)
class Valued:
    """The gain in reward by one way of valuing, or why there is none.

    Args:
        way: replay or off_policy.
        gain: candidate minus incumbent per decision, in the reward's unit; None where it is refused.
        per_disagreement: the same per decision on which they differ; None without a gain or a difference.
        reason: why there is no gain; with one, what must be read beside it.
        helps: what would help.
        decides: a verdict may rest on it.
    """

    way: Way
    gain: Estimate | None
    per_disagreement: float | None = None
    reason: str = ""
    helps: str = ""
    decides: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**vars(self), "gain": None if self.gain is None else self.gain.as_dict()}


@dataclass(frozen=True)
class KpiChange:
    """One KPI's change by one way of valuing; intervals hold over all KPIs and ways together."""

    way: Way
    incumbent: float
    candidate: float
    change: Estimate

    @property
    def relative(self) -> tuple[float, float, float] | None:
        """Change, low and high as shares of the incumbent's size; None where that is 0."""
        size = abs(self.incumbent)
        return (self.change.value / size, self.change.low / size, self.change.high / size) if size else None

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        names = ("value", "low", "high")
        relative = None if self.relative is None else dict(zip(names, self.relative, strict=True))
        return {**vars(self), "change": self.change.as_dict(), "relative": relative}


@dataclass(frozen=True)
class KpiEvidence:
    """One KPI under both policies, by every way there is.

    Args:
        name, unit, better: as the problem states them.
        margin: how much worse it may be, in its unit, as a share where `relative`; None where nobody has said.
        changes: one per way, replay first.
        reason: why there is no change; empty where there is one.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    margin: Margin | None
    changes: tuple[KpiChange, ...]
    reason: str = ""

    @property
    def word(self) -> Word:
        """worse: proven beyond the margin by some way; within margin: proven worse, not beyond; better: by the first
        way; else unclear."""
        harms = [self.harm(each) for each in self.changes]
        if any(low > self.tolerated(each) for each, (low, _) in zip(self.changes, harms, strict=True)):
            return "worse"
        if any(low > 0 for low, _ in harms):
            return "within margin"
        return "better" if harms and harms[0][1] < 0 else "unclear"

    @property
    def shown(self) -> KpiChange | None:
        """The change a sentence names: the one that proves harm where one does, else the first way's."""
        for each in self.changes:
            if self.harm(each)[0] > self.tolerated(each):
                return each
        return self.changes[0] if self.changes else None

    @property
    def proven_within(self) -> bool:
        """By the first way it is proven not to be worse by more than its margin, where one is stated."""
        first = self.changes[0] if self.changes else None
        if self.margin is None:
            return True
        return first is not None and self.harm(first)[1] <= self.tolerated(first)

    def harm(self, each: KpiChange) -> tuple[float, float]:
        """The interval of how much worse it got; low and high."""
        ends = each.change.low, each.change.high
        return ends if self.better == "lower" else (-ends[1], -ends[0])

    def tolerated(self, each: KpiChange) -> float:
        """The margin in the KPI's unit; 0 where none is stated."""
        return 0.0 if self.margin is None else self.margin.of(each.incumbent)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        margin = None if self.margin is None else {"size": self.margin.size, "relative": self.margin.relative}
        plain = {"name": self.name, "unit": self.unit, "better": self.better, "margin": margin, "reason": self.reason}
        return {**plain, "word": self.word, "changes": [each.as_dict() for each in self.changes]}


@dataclass(frozen=True, eq=False)
class Side:
    """What one way of valuing compares, row by row.

    Args:
        before, after: the incumbent's and the candidate's signals; off-policy both are the log's.
        weight: what each row of `after` stands for; None by replay.
    """

    way: Way
    before: Signals
    after: Signals
    features: Floats
    cluster: Hashes
    cluster_name: str
    weight: Floats | None = None


def replay_side(replay: Replay) -> Side:
    """Both simulated policies."""
    place = replay.features, replay.cluster, replay.cluster_name
    return Side("replay", replay.incumbent, replay.candidate, *place)


def log_side(log: ShadowLog) -> Side:
    """The log against itself, weighed by what the candidate would have done."""
    rows, signals = _usable(log)
    propensity = np.where(rows.rows.propensity > 0, rows.rows.propensity, np.nan)
    weight = np.nan_to_num((rows.proposed == rows.rows.action) / propensity)
    return Side("off_policy", signals, signals, rows.rows.features, rows.rows.unit, "unit", weight)


def by_replay(problem: Problem, side: Side, differs: float, alpha: float) -> Valued:
    """The gain in reward by replay, per row.

    Args:
        differs: share of the logged decisions on which the candidate would act otherwise.
    """
    try:
        reward = KPI("reward", "", "higher", {term.signal: term.weight for term in problem.reward.terms})
        gain = change(reward, side.before, side.after, side.cluster, alpha, name=side.cluster_name)
    except EvidenceError as error:
        return Valued("replay", None, reason=f"{error.expected} needed, found {error.found}", helps=error.fix)
    return Valued("replay", gain, _each(gain, differs))


def by_log(problem: Problem, log: ShadowLog, differs: float, alpha: float, seed: int) -> Valued:
    """The gain in reward by importance weighting, or the typed refusal of the log."""
    usable, _ = _usable(log)
    report = evaluate_log(LoggedTable(usable.rows), _Proposals(usable), alpha=alpha, seed=seed)
    found = report.gain
    if found is None or found.value is None or found.low is None or found.high is None:
        refused = report.estimate(report.judged) if found is None else found
        return Valued("off_policy", None, reason=refused.reason, helps=refused.helps)
    method = f"{found.estimator}, {found.method}; largest weight {found.max_weight:.3g}"
    gain = Estimate(found.value, found.low, found.high, found.n, found.ess, method, found.cluster, alpha)
    caution = _caution(problem, found.assumed)
    return Valued("off_policy", gain, _each(gain, differs), reason=caution, decides=not caution)


def kpi_evidence(
    problem: Problem, sides: tuple[Side, ...], margins: Mapping[str, Margin], alpha: float
) -> tuple[KpiEvidence, ...]:
    """Every KPI by every way; alpha is spread evenly over all of them (Bonferroni; Dunn 1961)."""
    each = alpha / max(1, len(problem.kpis) * len(sides))
    return tuple(_evidence(kpi, sides, margins.get(kpi.name), each) for kpi in problem.kpis)


def _evidence(kpi: KPI, sides: tuple[Side, ...], margin: Margin | None, alpha: float) -> KpiEvidence:
    changes, reason = [], "" if sides else "nothing can value the disagreements"
    for side in sides:
        try:
            changes.append(_change(kpi, side, alpha))
        except EvidenceError as error:
            reason = f"{error.expected} needed, found {error.found}"
    return KpiEvidence(kpi.name, kpi.unit, kpi.better, margin, tuple(changes), reason)


def _change(kpi: KPI, side: Side, alpha: float) -> KpiChange:
    found = change(kpi, side.before, side.after, side.cluster, alpha, name=side.cluster_name, weight=side.weight)
    before = kpi.value(side.before)
    return KpiChange(side.way, before, before + found.value, found)


def _usable(log: ShadowLog) -> tuple[ShadowLog, dict[str, Floats]]:
    """Rows with a proposal; without an outcome only where too few lack one to matter, else the log is refused."""
    kept = log.delivered
    if kept.any() and (kept & log.measured).sum() >= (1 - MOST_MISSING) * kept.sum():
        kept = kept & log.measured
    signals = {name: values[kept] for name, values in log.signals.items()}
    return replace(log, rows=log.rows.take(kept), proposed=log.proposed[kept], signals=signals), signals


class _Proposals:
    """The recorded proposals as a target policy: what was proposed has probability 1."""

    def __init__(self, log: ShadowLog) -> None:
        first = int(log.rows.index[0]) if len(log) else 0
        self._by_index = np.zeros(int(log.rows.index[-1]) - first + 1 if len(log) else 0, dtype=np.int64)
        self._first = first
        self._by_index[log.rows.index - first] = log.proposed

    def __call__(self, logged: Logged) -> Floats:
        return np.asarray(np.eye(len(logged.labels))[self._by_index[logged.index - self._first]])


def _each(gain: Estimate, differs: float) -> float | None:
    return gain.value / differs if differs > 0 and math.isfinite(gain.value) else None


def _caution(problem: Problem, assumed: bool) -> str:
    if assumed:
        return "propensities were not logged but modelled, so no verdict rests on it"
    if problem.horizon > 1:
        return "each decision valued by itself; what it does to later ones is not in it, so no verdict rests on it"
    return ""
