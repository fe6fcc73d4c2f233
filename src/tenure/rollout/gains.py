"""How much better the candidate is, in figures per unit or day: in replay, against live controls, and at 100 %."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.reward import KPI
from tenure.core.trace import Trace
from tenure.evaluation import UnitGains, unit_differences, unit_gains
from tenure.rollout.evidence import Evidence
from tenure.rollout.ledger import midnight_of
from tenure.rollout.stages import Stage

DAY = timedelta(days=1)


def daily_gains(kpi: KPI, incumbent: Trace, candidate: Trace, *, relative: bool) -> Floats:
    """Gain of each day, positive where the candidate is better; [days].

    Relative gains are differences of daily sums over the incumbent's mean day, others differences of daily ratios.
    """
    (above_i, below_i), (above_c, below_c) = (_daily(kpi, trace) for trace in (incumbent, candidate))
    with np.errstate(divide="ignore", invalid="ignore"):  # what cannot be divided is refused by the sequence
        if relative:
            return np.asarray(kpi.sign * (above_c - above_i) / above_i.mean())
        return np.asarray(kpi.sign * (above_c / below_c - above_i / below_i))


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
    steps = np.bincount(replayed.periods(DAY), weights=replayed.alive.sum(axis=1), minlength=count)
    above_i, below_i = _daily(kpi, replayed)
    kept = seen > 0
    with np.errstate(divide="ignore", invalid="ignore"):  # what cannot be divided is refused by the sequence
        shares = (above - above_i * seen / steps) / above_i.mean()
        gain = shares if relative else above / below - above_i / below_i
    return np.asarray(kpi.sign * gain[kept])


def _daily(kpi: KPI, trace: Trace) -> tuple[Floats, Floats]:
    """Numerator and denominator of a KPI over all worlds, for each day; [days] each."""
    day = trace.periods(DAY)
    above, below = kpi.numerator(trace.signals).sum(axis=1), kpi.denominator(trace.signals).sum(axis=1)
    return np.asarray(np.bincount(day, above), dtype=float), np.asarray(np.bincount(day, below), dtype=float)
