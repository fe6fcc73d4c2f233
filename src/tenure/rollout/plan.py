"""What a rollout will take, from the real traffic: days per stage, the chance to catch a harm, breakers on the past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.evaluation import BettingUpper
from tenure.evaluation.off_policy.proportions import effective_wilson
from tenure.rollout.ledger import Ledger, Unit
from tenure.rollout.past import Tripped, tripped
from tenure.rollout.proof import BOLDNESS, ONLY_THE_NULL
from tenure.rollout.settings import NO_RULE, GuardrailSettings, Settings
from tenure.store import LogFrame, Store
from tenure.store.measures import last_before

LOOK_BACK = timedelta(days=90)
"""How much of the log a plan is made from."""
ROLLOUTS = 200
"""Simulated rollouts behind each chance."""
MOST_UNITS = 500
"""Units of a day that are simulated; with more the chance is larger than stated."""
PROMISED = 0.9
"""Chance from which a guardrail can be said to catch a harm."""


@dataclass(frozen=True)
class StagePlan:
    """One stage of the rollout to come.

    Args:
        share: of the units.
        days: until its bake time and minimum sample are reached.
        decisions: of the candidate in those days.
        units: of the candidate in those days.
        chance: that the harm is proven by the end of this stage, in [0, 1]; None where no guardrail watches.
        chance_low: lower end of its 95 % interval (it is simulated).
        chance_high: upper end.
        reason: what the days come from, one sentence.
    """

    share: float
    days: int
    decisions: float
    units: float
    chance: float | None
    chance_low: float | None
    chance_high: float | None
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a rollout will take.

    Args:
        days_seen: closed days of the log it is made from.
        decisions_per_day: mean over them.
        units_per_day: mean over them.
        stages: SHADOW first, then each share.
        days: until the last stage is baked.
        harm: the stated harm, as a share of the incumbent's figure.
        kpi: of which KPI.
        tripped: what each breaker would have made of those days.
        notes: what a reader must know, in sentences.
    """

    days_seen: int
    decisions_per_day: float
    units_per_day: float
    stages: list[StagePlan]
    days: int
    harm: float
    kpi: str
    tripped: list[Tripped]
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)


def plan(
    problem: Problem, settings: Settings, store: Store, now: datetime, harm: float, kpi: str | None = None
) -> Plan:
    """The plan of a rollout, from the last 90 days of the log.

    Args:
        problem: what is decided.
        settings: stages, minima, guardrails and breakers.
        store: the log; only read.
        now: the present moment, UTC.
        harm: a harm that must not go unseen, as a share of the incumbent's figure, > 0.
        kpi: of which KPI; the first by default.

    Raises:
        ProblemError: there is no such KPI.
        EvidenceError: the log holds no closed day.
    """
    watched = problem.kpi(kpi or problem.kpis[0].name)
    frame = _frame(problem, store, now)
    ledger = Ledger(problem)
    ledger.fold_closed(frame, now, settings.reward_window.span)
    days, decisions, units = _traffic(problem, ledger)
    stages = [_shadow(settings, decisions / days)]
    stages += [_stage(settings, share, decisions / days, units / days) for share in settings.rollout.stages]
    stages = _with_rules(stages, settings)
    stages, notes = _with_chances(stages, ledger, watched, settings, harm)
    found = tripped(problem, settings, store, frame, now)
    total = sum(stage.days for stage in stages)
    return Plan(days, decisions / days, units / days, stages, total, harm, watched.name, found, notes)


def _frame(problem: Problem, store: Store, now: datetime) -> LogFrame:
    with store.database.snapshot() as connection:
        first = last_before(connection, store.control(problem.name), now - LOOK_BACK)
    return store.read_log(problem.name, after_sequence=first)


def _traffic(problem: Problem, ledger: Ledger) -> tuple[int, int, int]:
    """Days from the first to the last closed one, decisions and units on them."""
    units = ledger.units.values()
    if not units:
        raise EvidenceError(
            expected="a closed day in the log, whose outcomes can no longer come",
            found="none in the last 90 days",
            where=f"the log of {problem.name!r}",
            fix="let the server, or `observe`, record the incumbent for some days first",
        )
    days = ledger.closed_before - min(unit.day for unit in units)
    return days, sum(unit.decisions for unit in units), len(ledger.units)


def _shadow(settings: Settings, decisions: float) -> StagePlan:
    need = settings.rollout.shadow
    wants = {"bake time": float(need.min_days), "shadowed decisions": need.min_decisions / decisions}
    return _planned(0.0, wants, 0.0, 0.0)


def _stage(settings: Settings, share: float, decisions: float, units: float) -> StagePlan:
    need = settings.bake_of(share)
    wants = {
        "bake time": need["days"],
        "candidate decisions": need["candidate decisions"] / (share * decisions),
        "candidate units": need["candidate units"] / (share * units),
    }
    return _planned(share, wants, share * decisions, share * units)


def _planned(share: float, wants: dict[str, float], decisions: float, units: float) -> StagePlan:
    """A stage takes as long as what it waits for longest, in whole days."""
    slowest = max(wants, key=lambda name: wants[name])
    days = max(math.ceil(wants[slowest]), 1)
    reason = f"{days} days for its {slowest}"
    return StagePlan(share, days, decisions * days, units * days, None, None, None, reason)


def _with_rules(stages: Sequence[StagePlan], settings: Settings) -> list[StagePlan]:
    """The stages, each of which says so where no rule asks for proof before the share that follows it."""
    followed = [
        stage if settings.is_ruled(share) else replace(stage, reason=f"{stage.reason}; {NO_RULE}")
        for stage, share in zip(stages[:-1], settings.rollout.stages, strict=True)
    ]
    return [*followed, stages[-1]]


def _with_chances(
    stages: Sequence[StagePlan], ledger: Ledger, kpi: KPI, settings: Settings, harm: float
) -> tuple[list[StagePlan], list[str]]:
    """The stages with the chance that the harm is proven by the end of each, and what is to be said of that."""
    rules = [rule for rule in settings.guardrail if rule.kpi == kpi.name]
    if not rules:
        return list(stages), [f"no guardrail watches {kpi.name}: only breakers can stop a harm to it"]
    live = [stage for stage in stages if stage.share > 0]
    alpha = rules[0].alpha / len(settings.guardrail)
    days = _values_by_day(ledger, kpi, relative=rules[0].relative)
    if not len(days):
        return list(stages), [f"no unit of the log has a usable {kpi.name}: the chance to catch a harm is unknown"]
    rollouts = [_Simulated(rules[0], alpha, kpi, harm, days, seed) for seed in range(ROLLOUTS)]
    told: list[StagePlan] = []
    for stage in live:
        caught = sum(rollout.live_through(stage.share, stage.days) for rollout in rollouts) / ROLLOUTS
        low, high = effective_wilson(caught, ROLLOUTS)
        told.append(replace(stage, chance=caught, chance_low=low, chance_high=high))
    return [*stages[: len(stages) - len(live)], *told], _notes(told, kpi, harm, rollouts, rules[0])


def _notes(
    stages: Sequence[StagePlan], kpi: KPI, harm: float, rollouts: Sequence[_Simulated], rule: GuardrailSettings
) -> list[str]:
    notes = [
        f"at {100 * stage.share:g} % of this traffic the guardrail proves a harm of {100 * harm:g} % to {kpi.name} "
        f"in {100 * stage.chance:.0f} % of rollouts before the stage ends: only breakers can promise a stop there"
        for stage in stages
        if stage.chance is not None and stage.chance < PROMISED
    ]
    broken = sum(rollout.broken for rollout in rollouts)
    if broken:
        share = f"{100 * broken / len(rollouts):.0f} % of the simulated rollouts"
        notes.append(
            f"in {share} a gain left the guardrail's bounds {list(rule.bounds)}, which holds and proves nothing"
        )
    return notes


def _values_by_day(ledger: Ledger, kpi: KPI, *, relative: bool) -> Floats:
    """Each closed day's units as the guardrail sees them, in shares of their episode's usual figure, or as ratios.

    Returns:
        [days, units], NaN where a day has fewer units than another; at most so many units a day.
    """
    index = ledger.problem.kpis.index(kpi)
    units = [unit for unit in ledger.units.values() if unit.is_comparable and (relative or unit.below[index] > 0)]
    usual = ledger.usual(units, kpi)
    days: dict[int, list[float]] = {}
    for unit in sorted(units, key=lambda unit: (unit.day, unit.unit_id)):
        if not relative or usual[unit.episode_id] > 0:
            days.setdefault(unit.day, []).append(_value(unit, index, usual[unit.episode_id] if relative else None))
    found = np.full((len(days), max(map(len, days.values()), default=0)), np.nan)
    mix = np.random.default_rng(0)
    for row, values in enumerate(days.values()):
        found[row, : len(values)] = mix.permutation(values)
    return found[:, :MOST_UNITS]


def _value(unit: Unit, index: int, usual: float | None) -> float:
    return float(unit.above[index] / unit.below[index]) if usual is None else unit.total(index) / usual


class _Simulated:
    """One rollout of a harmful candidate over the log's own days, through the real betting guardrail."""

    def __init__(self, rule: GuardrailSettings, alpha: float, kpi: KPI, harm: float, days: Floats, seed: int) -> None:
        self.upper = BettingUpper(*rule.bounds, alpha=alpha, null=-rule.margin, cap=BOLDNESS, points=ONLY_THE_NULL)
        self.rule, self.sign, self.days, self.rng = rule, kpi.sign, days, np.random.default_rng(seed)
        self.factor = 1 - kpi.sign * harm
        self.caught = self.broken = False

    def live_through(self, share: float, days: int) -> bool:
        """Some more days at a share; whether the harm is proven by then."""
        if not self.caught and not self.broken:
            seen = self.days[self.rng.integers(len(self.days), size=days)]
            self._see(self._whole(seen) if share >= 1 else self._split(seen, share))
        return self.caught

    def _see(self, gains: Floats) -> None:
        """Up to the first gain outside the bounds, which is an error: from there on nothing is proven."""
        low, high = self.rule.bounds
        outside = np.flatnonzero((gains < low) | (gains > high))
        self.upper.update(gains[: outside[0]] if len(outside) else gains)
        self.caught = bool(self.upper.n) and self.upper.rejects(-self.rule.margin)
        self.broken = bool(len(outside)) and not self.caught

    def _split(self, seen: Floats, share: float) -> Floats:
        """Gains of the candidate's units against the controls of their day."""
        there = ~np.isnan(seen)
        chosen = (self.rng.random(seen.shape) < share) & there
        controls = there & ~chosen
        count = controls.sum(axis=1)
        mean = np.where(controls, seen, 0.0).sum(axis=1) / np.maximum(count, 1)
        kept = chosen & (count > 0)[:, None]
        return np.asarray(self.sign * (seen * self.factor - mean[:, None])[kept])

    def _whole(self, seen: Floats) -> Floats:
        """Each day's gain against the incumbent replayed over the same day."""
        total = np.nansum(seen, axis=1)
        day = total / np.nansum(self.days, axis=1).mean() if self.rule.relative else np.nanmean(seen, axis=1)
        return np.asarray(self.sign * (self.factor - 1) * day)
