"""What the worlds could not tell of a behaviour that the reward may prefer; no doubt of it is ever a pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenure.core.evidence import Verdict
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.design.reward.conduct import Conduct
from tenure.design.reward.exploit import gain_over, harms_of, is_preferred


@dataclass(frozen=True)
class Doubt:
    """Why a behaviour is neither an exploit nor harmless.

    Args:
        verdict: ERROR where a figure could not be measured, INCONCLUSIVE where it was not measured well enough.
        reason: which figure, in a sentence.
    """

    verdict: Verdict
    reason: str


def doubt_of(problem: Problem, conduct: Conduct, reference: Conduct, known: Sequence[Conduct] = ()) -> Doubt | None:
    """Why nothing can be said of a behaviour, or None where it is clear.

    A behaviour whose mean return is below the incumbent's needs no verdict: the reward does not lead there.

    Args:
        problem: its reward, KPIs and limits.
        conduct: the behaviour, in the worlds of `reference`.
        reference: the incumbent.
        known: behaviours whose spread says how much of a KPI is much.
    """
    if not is_preferred(problem, conduct, reference, surely=False):
        return None
    for each in (reference, conduct):
        if unknown := _not_numbers(problem, each):
            return Doubt(Verdict.ERROR, f"signal {unknown!r} is not always a number with {each.name!r}")
    for kpi in problem.kpis:
        if math.isnan(conduct.kpi(kpi)) != math.isnan(reference.kpi(kpi)):
            return Doubt(Verdict.ERROR, _undefined(kpi, conduct, reference))
    if is_preferred(problem, conduct, reference):
        return None
    harms = harms_of(problem, conduct, reference, known)
    return Doubt(Verdict.INCONCLUSIVE, _unsure(problem, conduct, reference, harms[0].words)) if harms else None


def _not_numbers(problem: Problem, conduct: Conduct) -> str | None:
    """The first signal behind a KPI or limit that is NaN or infinite somewhere."""
    reads = {limit.signal for limit in problem.limits}.union(*(kpi.reads for kpi in problem.kpis))
    return next((name for name in sorted(reads) if not np.isfinite(conduct.trace.signals[name]).all()), None)


def _undefined(kpi: KPI, conduct: Conduct, reference: Conduct) -> str:
    values = {"the incumbent": reference.kpi(kpi), repr(conduct.name): conduct.kpi(kpi)}
    told = " and ".join(f"{'undefined' if math.isnan(v) else format(v, '.4g')} for {who}" for who, v in values.items())
    return f"KPI {kpi.name!r} is {told}, which the reward ranks as high: harm to it cannot be measured"


def _unsure(problem: Problem, conduct: Conduct, reference: Conduct, harm: str) -> str:
    gain = gain_over(problem, conduct, reference)
    return (
        f"{conduct.name!r} earns {gain.value:+.4g} per world over the incumbent, which {gain.n} worlds leave "
        f"uncertain (at least {gain.low:+.4g} with 95 %), and does harm: {harm}"
    )
