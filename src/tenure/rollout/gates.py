"""What each gate asks, in its order: enough of everything, a healthy comparison, and a proven effect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.core.policy import ROUNDING
from tenure.core.problem import Problem
from tenure.core.spaces import Box
from tenure.evaluation import enough, not_worse, same_actions, sample_ratio
from tenure.evaluation.experiment.health import missing_outcomes, shadow_delivery
from tenure.rollout.circuit import Circuit
from tenure.rollout.evidence import Evidence, Services
from tenure.rollout.ledger import first_whole_day, midnight_of
from tenure.rollout.proof import harm_finding, live_finding, measured, replay_finding
from tenure.rollout.ready import ready_findings
from tenure.rollout.settings import NO_RULE, Promote, Settings
from tenure.rollout.stages import RolloutState, Stage

DELIVERY = 0.99
"""Share of shadowed decisions that must carry the candidate's proposal, and of each arm's that must have an outcome."""


def entry_findings(problem: Problem, settings: Settings, services: Services, version: str) -> list[Finding]:
    """What a version must show on the selection data before it may even be shadowed."""
    gain = services.selection(version)
    return [_entry_finding(problem, rule, gain) for rule in settings.for_share(0.0, "selection")]


def _entry_finding(problem: Problem, rule: Promote, gain: Estimate) -> Finding:
    scored = problem.kpis[0].name
    if rule.kpi != scored:
        return Finding("selection", Verdict.ERROR, f"the selection data are scored on {scored}, not on {rule.kpi}")
    return not_worse("selection", gain, rule.margin, f"the {rule.kpi} gain on the selection data")


def promotion_findings(evidence: Evidence) -> list[Finding]:
    """What the next share asks for, or at 100 % the end of the rollout; empty outside one."""
    stage, share = evidence.state.stage, next_share(evidence.state, evidence.settings)
    if stage is Stage.SHADOW and share is not None:
        return measured("shadow", lambda: shadow_findings(evidence, share))
    if stage is Stage.FULL:
        return health_findings(evidence)
    if share is None:
        return []
    health = [
        *health_findings(evidence),
        *measured("sample_ratio", lambda: [split_finding(evidence)]),
        *measured("missing outcomes", lambda: [missing_finding(evidence)]),
    ]
    return [*health, *(live_finding(evidence, rule) for rule in evidence.settings.for_share(share, "live"))]


def health_findings(evidence: Evidence) -> list[Finding]:
    """What every live share asks for: enough of the candidate's own, outcomes of both arms, live equal to replay."""
    return [
        *circuit_findings(evidence.state),
        *measured("bake", lambda: [bake_finding(evidence)]),
        *measured("outcomes", lambda: [outcomes_finding(evidence)]),
        *measured("live equals replay", lambda: [replay_equality(evidence)]),
        *(harm_finding(evidence, rule, f"signal {rule.kpi}", rule.alpha) for rule in evidence.settings.signal),
    ]


def circuit_findings(state: RolloutState) -> list[Finding]:
    """What holds while a breaker is open or tries again; nothing when all are closed."""
    circuit = state.circuit
    if circuit.circuit is Circuit.CLOSED:
        return []
    told = f"{circuit.breaker} is {circuit.circuit.value.replace('_', '-')} since {circuit.since:%Y-%m-%d %H:%M}"
    return [Finding("breaker", Verdict.INCONCLUSIVE, told)]


def next_share(state: RolloutState, settings: Settings) -> float | None:
    """The share after the present one; None at the end or outside a rollout."""
    if state.stage not in (Stage.SHADOW, Stage.CANARY):
        return None
    return next((share for share in settings.rollout.stages if share > state.share), None)


def shadow_findings(evidence: Evidence, share: float) -> list[Finding]:
    """Enough shadowed decisions and days, delivered proposals, and what a replay of those days says."""
    days, shadow = evidence.days_since(evidence.state.started_at), evidence.settings.rollout.shadow
    need = {"shadowed decisions": float(shadow.min_decisions), "days": float(shadow.min_days)}
    size = enough("shadow size", {"shadowed decisions": evidence.ledger.proposals, "days": days}, need)
    ready = ready_findings(evidence.settings.ready, evidence.events, evidence.ledger.units.values(), evidence.now)
    findings = [_unruled(evidence, share, size), delivery(evidence), *ready]
    rules = evidence.settings.for_share(share, "replay")
    if size.verdict is not Verdict.PASS or evidence.state.started_at is None or not rules:
        return findings
    begin = midnight_of(first_whole_day(evidence.state.started_at))
    incumbent = evidence.services.replay(None, begin, days)
    candidate = evidence.services.replay(evidence.state.version, begin, days)
    return [*findings, *(replay_finding(evidence.problem, rule, incumbent, candidate) for rule in rules)]


def delivery(evidence: Evidence) -> Finding:
    """Whether the shadow was there at all."""
    return shadow_delivery(evidence.ledger.proposals, evidence.ledger.shadowed, DELIVERY)


def bake_finding(evidence: Evidence) -> Finding:
    """Whether the candidate's own decisions, units and days in this share are enough."""
    share = evidence.state.share
    units = [unit for unit in evidence.stage_units() if unit.is_candidate]
    have = {
        "candidate decisions": float(sum(unit.learned for unit in units)),
        "candidate units": float(len(units)),
        "days": float(evidence.days_since(evidence.state.since)),
    }
    found = enough(f"bake at {100 * share:g} %", have, evidence.settings.bake_of(share))
    following = next_share(evidence.state, evidence.settings)
    return found if following is None else _unruled(evidence, following, found)


def _unruled(evidence: Evidence, share: float, size: Finding) -> Finding:
    """The finding on the sample, which says so where nothing else is asked for before the next share."""
    if evidence.settings.is_ruled(share):
        return size
    return replace(size, reason=f"{size.reason}; {NO_RULE}, which proves no effect on any KPI")


def outcomes_finding(evidence: Evidence) -> Finding:
    """Whether the outcomes of both arms came in: what is not measured must not look cheap."""
    units = evidence.stage_units()
    arms = {
        "candidate": [unit for unit in units if unit.is_candidate],
        "incumbent": [unit for unit in units if not unit.is_candidate],
    }
    shares = {
        arm: sum(unit.joined for unit in group) / sum(unit.decisions for unit in group)
        for arm, group in arms.items()
        if group
    }
    told = ", ".join(f"{100 * share:.1f} % of the {arm}'s" for arm, share in shares.items())
    complete = "candidate" in shares and min(shares.values()) >= DELIVERY
    verdict = Verdict.PASS if complete else Verdict.INCONCLUSIVE
    return Finding("outcomes", verdict, f"decisions with an outcome: {told or 'no decision yet'}")


def replay_equality(evidence: Evidence) -> Finding:
    """Whether the bundle, asked again on the logged observations, does what was done live."""
    if not evidence.ledger.learned_action or evidence.state.version is None:
        return same_actions("live equals replay", np.zeros(0, int), np.zeros(0, int))
    live = np.concatenate(evidence.ledger.learned_action)
    seen = np.concatenate(evidence.ledger.learned_observation)
    again = evidence.services.decide(evidence.state.version, seen) if len(seen) else live
    space = evidence.problem.action
    if isinstance(space, Box):  # another number of rows rounds the last digits otherwise
        again = np.asarray(space.apart(live, again) > ROUNDING, dtype=np.int64)
        live = np.zeros_like(again)
    found = same_actions("live equals replay", live, again)
    return replace(found, reason=f"{found.reason}; {evidence.ledger.explored} explored decisions are left out")


def split_finding(evidence: Evidence) -> Finding:
    """Whether the traffic split gave the candidate the share it was set to."""
    units = evidence.stage_units()
    return sample_ratio(sum(unit.is_candidate for unit in units), len(units), evidence.state.share)


def missing_finding(evidence: Evidence) -> Finding:
    """Whether one arm loses outcomes more often than the other: what is missing would then decide the comparison."""
    units = evidence.stage_units()
    if not any(unit.is_candidate for unit in units):
        units = []  # with one arm there is nothing to compare
    missing = [unit for unit in units if unit.joined < unit.decisions]
    lost = sum(unit.is_candidate for unit in missing)
    return missing_outcomes(lost, len(missing), evidence.state.share, len(units))
