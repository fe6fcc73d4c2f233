"""Judging policies on one part of the data: against the incumbent, the other rules and the bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.core.policy import Policy
from tenure.core.project import Project
from tenure.core.reward import KPI
from tenure.core.simulator import Panel, Split
from tenure.core.trace import Trace, bound_kpi
from tenure.evaluation import Comparison, Sums, cluster_by, compare, crossed_headroom, headroom_share
from tenure.simulators.rollout import run

WEEK = timedelta(weeks=1)
DRAWS_SEED = 2011
"""Seed of the bootstrap."""


@dataclass(frozen=True)
class Judgement:
    """How policies (seeds of one recipe) compare on a panel.

    Args:
        comparison: against the incumbent.
        rules: against each other rule of the project.
        headroom: share of the way from incumbent to bound, with its doubt; None where no bound is known.
        incumbent, candidate, bound: first KPI of each, in its unit; candidate is the mean over seeds.
        period: what was judged, in words.
    """

    comparison: Comparison
    rules: dict[str, Comparison]
    headroom: Estimate | None
    incumbent: float
    candidate: float
    bound: float | None
    period: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        kpis = [{**asdict(row), "relative": row.relative} for row in self.comparison.kpis]
        room = self.headroom
        return {
            "gain": self.comparison.gain.as_dict(),
            "headroom": {
                "share": None if room is None else room.value,
                "low": None if room is None else room.low,
                "high": None if room is None else room.high,
                "method": None if room is None else room.method,
                "incumbent": self.incumbent,
                "candidate": self.candidate,
                "bound": self.bound,
            },
            "rules": {name: each.gain.as_dict() for name, each in self.rules.items()},
            "kpis": kpis,
            "tails": [asdict(row) for row in self.comparison.tails],
            "sentence": self.comparison.sentence,
            "period": self.period,
        }


def judge(project: Project, policies: Sequence[Policy], split: Split) -> Judgement:
    """Compare policies with incumbent, rules and bound over one part of the data; in whole weeks, or all its worlds."""
    panel = whole_panel(project, split)
    traces = [simulate(project, policy, panel) for policy in policies]
    incumbent = simulate(project, project.incumbent, panel)
    ruled = {name: simulate(project, rule, panel) for name, rule in project.rules.items()}
    comparison = _against(project, panel, incumbent, traces)
    kpi, best = project.problem.kpis[0], bound_totals(project, panel)
    bound = None if best is None else bound_kpi(kpi, best, [incumbent, *traces])
    return Judgement(
        comparison=comparison,
        rules={name: _against(project, panel, trace, traces) for name, trace in ruled.items()},
        headroom=None if best is None or bound is None else _headroom(kpi, panel, comparison, incumbent, traces, best),
        incumbent=incumbent.kpi(kpi),
        candidate=_mean(kpi, traces),
        bound=bound,
        period=_words(panel),
    )


def whole_panel(project: Project, split: Split) -> Panel:
    """The panel of a part of the data: every world where each was drawn by itself, else cut to whole weeks."""
    panel = project.simulator.panel(split)
    if panel.independent:
        return panel
    return project.simulator.panel(split, 0, 7 * (panel.steps * panel.interval // WEEK))


def simulate(project: Project, policy: Policy, panel: Panel) -> Trace:
    """One policy over a panel."""
    return run(project.problem, project.simulator, policy, panel).trace


def bound_totals(project: Project, panel: Panel) -> Mapping[str, Floats] | None:
    """The bound's total of each signal, [worlds]; None where the project has no bound."""
    totals: Mapping[str, Floats] | None = None if project.bound is None else project.bound(panel)
    return totals


def _mean(kpi: KPI, traces: Sequence[Trace]) -> float:
    return float(np.mean([trace.kpi(kpi) for trace in traces]))


def _words(panel: Panel) -> str:
    if panel.independent:
        return f"{len(panel.worlds)} worlds of at most {panel.steps} decisions"
    return f"{panel.started_at:%Y-%m-%d}, {panel.steps * panel.interval // WEEK} whole weeks"


def _headroom(
    kpi: KPI,
    panel: Panel,
    comparison: Comparison,
    incumbent: Trace,
    traces: Sequence[Trace],
    best: Mapping[str, Floats],
) -> Estimate:
    """The share with its doubt over worlds and seeds. Where worlds share their time, a bound is known over all of it
    only, so the doubt there is that of the gain, and the room between incumbent and bound is taken as it was measured.
    """
    if not panel.independent:
        value, least = incumbent.kpi(kpi), kpi.of_totals(best, incumbent.action.size)
        share, change = headroom_share(value, _mean(kpi, traces), least), comparison.kpis[0].change
        low, high = (-end / (value - least) for end in (change.high, change.low))
        return replace(change, value=share, low=low, high=high, method=f"{change.method}; room as measured")
    before, *runs = (_per_world(kpi, trace) for trace in (incumbent, *traces))
    candidate = Sums(np.stack([one.above for one in runs]), np.stack([one.below for one in runs]))
    rng = np.random.default_rng(DRAWS_SEED)
    above = kpi.numerator(best)
    below = np.full_like(above, panel.steps) if kpi.per is None else kpi.denominator(best)
    return crossed_headroom(before, Sums(above, below), candidate, rng)


def _per_world(kpi: KPI, trace: Trace) -> Sums:
    above, below = trace.kpi_parts(kpi)
    return Sums(above.sum(axis=0), below.sum(axis=0))


def _against(project: Project, panel: Panel, baseline: Trace, traces: Sequence[Trace]) -> Comparison:
    rng = np.random.default_rng(DRAWS_SEED)
    period, cluster = cluster_by(panel, WEEK, "week")
    return compare(project.problem, baseline, traces, period, rng, cluster=cluster)
