"""From ledger and replay to findings: what each gate asks, and what each guardrail watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.clock import FIRST
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.core.trace import Trace
from tenure.evaluation import (
    BettingLower,
    BettingUpper,
    UnitGains,
    enough,
    not_worse,
    same_actions,
    sample_ratio,
    sequential_harm,
    sequential_not_worse,
    unit_differences,
    unit_gains,
)
from tenure.evaluation.experiment.health import missing_outcomes, shadow_delivery
from tenure.rollout.circuit import Circuit
from tenure.rollout.ledger import Ledger, Unit, first_whole_day, midnight_of
from tenure.rollout.ready import ready_findings
from tenure.rollout.rules import SignalRule
from tenure.rollout.settings import NO_RULE, GuardrailSettings, Promote, Settings
from tenure.rollout.stages import RolloutState, Stage
from tenure.store import Event

DAY = timedelta(days=1)
BOLDNESS = 0.9
"""Largest share of its capital a betting sequence stakes on one observation."""
ONLY_THE_NULL = 1
"""A gate asks one question of its sequence, so a grid of means beside the null would be paid for nothing."""
DELIVERY = 0.99
"""Share of shadowed decisions that must carry the candidate's proposal, and of each arm's that must have an outcome."""


@dataclass(frozen=True)
class Services:
    """What the rollout needs of rooms above it, as callables.

    Args:
        replay: a version (None: the incumbent) over real days from a moment on, without touching the world.
        selection: a version's gain over the incumbent on the selection data, in the first KPI, as a share of the
            incumbent's figure.
        decide: a version's actions on logged observations.
    """

    replay: Callable[[str | None, datetime, int], Trace]
    selection: Callable[[str], Estimate]
    decide: Callable[[str, Floats], Ints]


@dataclass(frozen=True)
class Evidence:
    """Everything findings are made from.

    Args:
        problem: what is decided.
        settings: limits of every gate.
        ledger: what the log says of each unit.
        services: replay and repeated decisions.
        state: where the rollout stands.
        events: of the problem, in order; what says whether operations are ready.
        now: the present moment, UTC.
    """

    problem: Problem
    settings: Settings
    ledger: Ledger
    services: Services
    state: RolloutState
    events: Sequence[Event] = ()
    now: datetime = FIRST

    def days_since(self, moment: datetime | None) -> int:
        """Whole closed days from a moment on."""
        return 0 if moment is None else max(self.ledger.closed_before - first_whole_day(moment), 0)

    def stage_units(self) -> list[Unit]:
        """Closed units of both arms since the present share began."""
        return [] if self.state.since is None else self.ledger.since(self.state.since)

    def live_units(self) -> list[Unit]:
        """Closed units since the first live share, of both arms, while a control existed."""
        if self.state.canary_at is None:
            return []
        return [u for u in self.ledger.since(self.state.canary_at) if u.stage == Stage.CANARY and u.is_comparable]

    def full_units(self) -> list[Unit]:
        """Closed units of the candidate since it answers all."""
        if self.state.stage is not Stage.FULL:
            return []
        return [u for u in self.stage_units() if u.is_candidate and u.is_comparable]


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
        return _measured("shadow", lambda: shadow_findings(evidence, share))
    if stage is Stage.FULL:
        return health_findings(evidence)
    if share is None:
        return []
    health = [
        *health_findings(evidence),
        *_measured("sample_ratio", lambda: [split_finding(evidence)]),
        *_measured("missing outcomes", lambda: [missing_finding(evidence)]),
    ]
    return [*health, *(live_finding(evidence, rule) for rule in evidence.settings.for_share(share, "live"))]


def health_findings(evidence: Evidence) -> list[Finding]:
    """What every live share asks for: enough of the candidate's own, outcomes of both arms, live equal to replay."""
    return [
        *circuit_findings(evidence.state),
        *_measured("bake", lambda: [bake_finding(evidence)]),
        *_measured("outcomes", lambda: [outcomes_finding(evidence)]),
        *_measured("live equals replay", lambda: [replay_equality(evidence)]),
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


def replay_finding(problem: Problem, rule: Promote, incumbent: Trace, candidate: Trace) -> Finding:
    """Paired daily gains over the same real days, by a betting sequence."""
    kpi = problem.kpi(rule.kpi)
    gains = daily_gains(kpi, incumbent, candidate, relative=rule.relative)
    return sequential_finding(f"replay {kpi.name}", rule, gains, f"the daily {kpi.name} gain in replay")


def daily_gains(kpi: KPI, incumbent: Trace, candidate: Trace, *, relative: bool) -> Floats:
    """Gain of each day, positive where the candidate is better; [days].

    Relative gains are differences of daily sums over the incumbent's mean day, others differences of daily ratios.
    """
    (above_i, below_i), (above_c, below_c) = (_daily(kpi, trace) for trace in (incumbent, candidate))
    with np.errstate(divide="ignore", invalid="ignore"):  # what cannot be divided is refused by the sequence
        if relative:
            return np.asarray(kpi.sign * (above_c - above_i) / above_i.mean())
        return np.asarray(kpi.sign * (above_c / below_c - above_i / below_i))


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


def live_finding(evidence: Evidence, rule: Promote) -> Finding:
    """Live candidate units against same-day controls, pooled over all live shares so far."""
    gate, what = f"live {rule.kpi}", f"the live {rule.kpi} gain per {rule.cluster}"

    def judged() -> list[Finding]:
        gains = live_gains(evidence, evidence.problem.kpi(rule.kpi), relative=rule.relative)
        return [sequential_finding(gate, rule, gains.by_day() if rule.cluster == "day" else gains.gain, what)]

    return _measured(gate, judged)[0]


def live_gains(evidence: Evidence, kpi: KPI, *, relative: bool) -> UnitGains:
    """Each candidate unit against the controls of its day; relative gains in shares of its episode's usual cost.

    Raises:
        EvidenceError: an episode has no usual cost, because it was never shadowed.
    """
    index = evidence.problem.kpis.index(kpi)
    units = [unit for unit in evidence.live_units() if relative or unit.below[index] > 0]
    names, days = [unit.unit_id for unit in units], np.array([unit.day for unit in units], dtype=int)
    chosen = np.array([unit.is_candidate for unit in units], dtype=bool)
    if not relative:
        ratio = np.array([unit.above[index] / unit.below[index] for unit in units])
        return unit_differences(names, days, chosen, ratio, kpi.sign)
    usual = evidence.ledger.usual((u for u in evidence.ledger.units.values() if u.stage == Stage.SHADOW), kpi)
    total = np.array([unit.total(index) for unit in units])
    saved = unit_gains(names, days, [unit.episode_id for unit in units], chosen, total, usual)
    return replace(saved, gain=-kpi.sign * saved.gain)  # a saving is a gain where lower is better


def full_gains(evidence: Evidence, kpi: KPI, *, relative: bool) -> Floats:
    """At 100 % there is no live control: each day's units against the incumbent replayed over those days; [days].

    Days without a unit are left out; where fewer decisions were measured than replayed, the replayed sums shrink with
    them, so that a day half lost does not look half as expensive.
    """
    units, index = evidence.full_units(), evidence.problem.kpis.index(kpi)
    if not units:
        return np.zeros(0)
    days = np.array([unit.day for unit in units])
    first, count = int(days.min()), int(days.max() - days.min()) + 1
    replayed = evidence.services.replay(None, midnight_of(first), count)
    seen, above, below = (
        np.bincount(days - first, weights=weights, minlength=count)
        for weights in (
            [unit.joined for unit in units],
            [unit.above[index] for unit in units],
            [unit.below[index] for unit in units],
        )
    )
    steps = np.bincount(replayed.periods(DAY), weights=(replayed.action >= 0).sum(axis=1), minlength=count)
    above_i, below_i = _daily(kpi, replayed)
    kept = seen > 0
    with np.errstate(divide="ignore", invalid="ignore"):  # what cannot be divided is refused by the sequence
        shares = (above - above_i * seen / steps) / above_i.mean()
        gain = shares if relative else above / below - above_i / below_i
    return np.asarray(kpi.sign * gain[kept])


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

    return _measured(gate, judged)[0]


def sequential_finding(gate: str, rule: Promote, gains: Floats, what: str) -> Finding:
    """Whether the mean gain is proven above -margin by a betting sequence over the gains in order."""
    sequence = BettingLower(*rule.bounds, alpha=rule.alpha, null=-rule.margin, cap=BOLDNESS, points=ONLY_THE_NULL)
    return _watched(gate, sequence, gains, lambda: sequential_not_worse(gate, sequence, rule.margin, what))


def _measured(gate: str, judge: Callable[[], list[Finding]]) -> list[Finding]:
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


def _daily(kpi: KPI, trace: Trace) -> tuple[Floats, Floats]:
    """Numerator and denominator of a KPI over all worlds, for each day; [days] each."""
    day = trace.periods(DAY)
    above, below = kpi.numerator(trace.signals).sum(axis=1), kpi.denominator(trace.signals).sum(axis=1)
    return np.asarray(np.bincount(day, above), dtype=float), np.asarray(np.bincount(day, below), dtype=float)
