"""Judging policies on one part of the data: against the incumbent, the other rules and the bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from tenure.core.evidence import Estimate
from tenure.core.policy import Policy
from tenure.core.project import Project
from tenure.core.simulator import Panel, Split
from tenure.core.trace import Trace
from tenure.evaluation import Comparison, compare, headroom_share
from tenure.simulators.rollout import run

WEEK = timedelta(weeks=1)
DRAWS_SEED = 2011
"""Seed of the bootstrap."""


@dataclass(frozen=True)
class Judgement:
    """How policies (seeds of one recipe) compare on a panel.

    Args:
        comparison: against the incumbent.
        rules: gain against each other rule of the project.
        headroom: share of the way from incumbent to bound; None without a bound.
        incumbent, candidate, bound: first KPI of each, in its unit; candidate is the mean over seeds.
        period: what was judged, in words.
    """

    comparison: Comparison
    rules: dict[str, Estimate]
    headroom: float | None
    incumbent: float
    candidate: float
    bound: float | None
    period: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        kpis = [{**asdict(row), "relative": row.relative} for row in self.comparison.kpis]
        return {
            "gain": self.comparison.gain.as_dict(),
            "headroom": {
                "share": self.headroom,
                "incumbent": self.incumbent,
                "candidate": self.candidate,
                "bound": self.bound,
            },
            "rules": {name: gain.as_dict() for name, gain in self.rules.items()},
            "kpis": kpis,
            "tails": [asdict(row) for row in self.comparison.tails],
            "sentence": self.comparison.sentence,
            "period": self.period,
        }


def judge(project: Project, policies: Sequence[Policy], split: Split) -> Judgement:
    """Compare policies with incumbent, rules and bound over the whole weeks of one part of the data."""
    panel = whole_weeks(project, split)
    traces = [simulate(project, policy, panel) for policy in policies]
    incumbent = simulate(project, project.incumbent, panel)
    rules = {name: _against(project, simulate(project, rule, panel), traces) for name, rule in project.rules.items()}
    kpi = project.problem.kpis[0]
    value, reached = kpi.value(incumbent.signals), float(np.mean([kpi.value(trace.signals) for trace in traces]))
    bound = bound_value(project, panel)
    return Judgement(
        comparison=_against_whole(project, incumbent, traces),
        rules=rules,
        headroom=None if bound is None else headroom_share(value, reached, bound),
        incumbent=value,
        candidate=reached,
        bound=bound,
        period=f"{panel.started_at:%Y-%m-%d}, {panel.steps * panel.interval // WEEK} whole weeks",
    )


def whole_weeks(project: Project, split: Split) -> Panel:
    """The panel of a part of the data, cut to whole weeks."""
    panel = project.simulator.panel(split)
    weeks = panel.steps * panel.interval // WEEK
    return project.simulator.panel(split, 0, 7 * weeks)


def simulate(project: Project, policy: Policy, panel: Panel) -> Trace:
    """One policy over a panel."""
    return run(project.problem, project.simulator, policy, panel).trace


def bound_value(project: Project, panel: Panel) -> float | None:
    """First KPI of the project's bound over a panel; None where it has none."""
    if project.bound is None:
        return None
    return project.problem.kpis[0].of_totals(project.bound(panel), panel.steps * len(panel.worlds))


def _against(project: Project, baseline: Trace, traces: Sequence[Trace]) -> Estimate:
    return _against_whole(project, baseline, traces).gain


def _against_whole(project: Project, baseline: Trace, traces: Sequence[Trace]) -> Comparison:
    rng = np.random.default_rng(DRAWS_SEED)
    return compare(project.problem, baseline, traces, baseline.periods(WEEK), rng, cluster="week")
