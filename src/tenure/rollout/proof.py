"""Whether a gain or a harm is proven, in replay or live: betting sequences over gains, each within its alpha."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Finding, Verdict
from tenure.core.problem import Problem
from tenure.core.trace import Trace
from tenure.evaluation import BettingLower, BettingUpper, sequential_harm, sequential_not_worse
from tenure.rollout.evidence import Evidence
from tenure.rollout.gains import daily_gains, full_gains, live_gains
from tenure.rollout.rules import SignalRule
from tenure.rollout.settings import GuardrailSettings, Promote
from tenure.rollout.stages import Stage

BOLDNESS = 0.9
"""Largest share of its capital a betting sequence stakes on one observation."""
ONLY_THE_NULL = 1
"""A gate asks one question of its sequence, so a grid of means beside the null would be paid for nothing."""


def replay_finding(problem: Problem, rule: Promote, incumbent: Trace, candidate: Trace) -> Finding:
    """Paired daily gains over the same real days, by a betting sequence."""
    kpi = problem.kpi(rule.kpi)
    gains = daily_gains(kpi, incumbent, candidate, relative=rule.relative)
    return sequential_finding(f"replay {kpi.name}", rule, gains, f"the daily {kpi.name} gain in replay")


def live_finding(evidence: Evidence, rule: Promote) -> Finding:
    """Live candidate units against same-day controls, pooled over all live shares so far."""
    gate, what = f"live {rule.kpi}", f"the live {rule.kpi} gain per {rule.cluster}"

    def judged() -> list[Finding]:
        gains = live_gains(evidence, evidence.problem.kpi(rule.kpi), relative=rule.relative)
        return [sequential_finding(gate, rule, gains.by_day() if rule.cluster == "day" else gains.gain, what)]

    return measured(gate, judged)[0]


def guardrail_findings(evidence: Evidence) -> list[Finding]:
    """What each guardrail has proven so far; in SHADOW the candidate touches nothing and there is nothing to guard.

    Each guardrail gets an equal part of its alpha, so that all together raise no more false alarms than one may.
    """
    if evidence.state.stage not in (Stage.CANARY, Stage.FULL):
        return []
    rules = evidence.settings.guardrail
    return [harm_finding(evidence, rule, f"guardrail {rule.kpi}", rule.alpha / len(rules)) for rule in rules]


def harm_finding(evidence: Evidence, rule: GuardrailSettings | SignalRule, gate: str, alpha: float) -> Finding:
    """Whether harm beyond the margin is proven, on live controls first and on the replayed incumbent at 100 %."""
    kpi = evidence.problem.kpi(rule.kpi)

    def judged() -> list[Finding]:
        live = live_gains(evidence, kpi, relative=rule.relative).gain
        gains = np.concatenate([live, full_gains(evidence, kpi, relative=rule.relative)])
        upper = BettingUpper(*rule.bounds, alpha=alpha, null=-rule.margin, cap=BOLDNESS, points=ONLY_THE_NULL)
        return [_watched(gate, upper, gains, lambda: sequential_harm(gate, upper, rule.margin, rule.kpi))]

    return measured(gate, judged)[0]


def sequential_finding(gate: str, rule: Promote, gains: Floats, what: str) -> Finding:
    """Whether the mean gain is proven above -margin by a betting sequence over the gains in order."""
    sequence = BettingLower(*rule.bounds, alpha=rule.alpha, null=-rule.margin, cap=BOLDNESS, points=ONLY_THE_NULL)
    return _watched(gate, sequence, gains, lambda: sequential_not_worse(gate, sequence, rule.margin, what))


def measured(gate: str, judge: Callable[[], list[Finding]]) -> list[Finding]:
    """What a check finds; one that fails is an error of its gate and holds, and the other checks go on."""
    try:
        return judge()
    except Exception as error:  # whatever a service raises, harm must still be looked for
        return [Finding(gate, Verdict.ERROR, f"could not be measured: {error or type(error).__name__}")]


def _watched(
    gate: str, sequence: BettingLower | BettingUpper, gains: Sequence[float] | Floats, judge: Callable[[], Finding]
) -> Finding:
    try:
        sequence.update(np.asarray(gains, dtype=np.float64))
    except EvidenceError as error:
        low, high = sequence.bounds
        told = f"{error.found}, outside the stated bounds {low:g} to {high:g}: nothing can be proven, so it holds"
        return Finding(gate, Verdict.ERROR, told)
    return judge()
