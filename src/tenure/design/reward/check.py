"""`reward check`: do the mock behaviours come out in the order they must, and does every term state what it has to?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tenure.core.errors import ProblemError
from tenure.core.evidence import Estimate, Finding, Verdict, worst
from tenure.core.problem import Problem
from tenure.core.project import Project, line_of
from tenure.core.reward import Reward
from tenure.core.simulator import Panel
from tenure.design.reward.conduct import WORLDS, Conduct, conduct, fresh_panel
from tenure.design.reward.ranking import paired_difference
from tenure.design.reward.scenarios import Order, Scenarios, load_scenarios
from tenure.design.reward.terms import term_findings


@dataclass(frozen=True)
class Margin:
    """How far one behaviour stands above the next of an order.

    Args:
        order: as written, with its reason.
        better: the behaviour that must come out above.
        worse: the one below it.
        difference: of their returns per world; without doubt for hand-written rows. Each end holds at 95 %.
        by_term: mean sum of each term under both, by its signal.
    """

    order: Order
    better: str
    worse: str
    difference: Estimate
    by_term: Mapping[str, tuple[float, float]]

    @property
    def verdict(self) -> Verdict:
        """Strictly above, not above, or too close to tell."""
        if self.difference.low > 0:
            return Verdict.PASS
        return Verdict.INCONCLUSIVE if self.difference.high > 0 else Verdict.FAIL

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        parts = {name: list(pair) for name, pair in self.by_term.items()}
        return {
            "order": self.order.order,
            "because": self.order.because,
            "better": self.better,
            "worse": self.worse,
            "difference": self.difference.as_dict(),
            "by_term": parts,
            "verdict": self.verdict.word,
        }


@dataclass(frozen=True)
class RewardCheck:
    """What a check found.

    Args:
        findings: one for each order, and one for each gate on the terms.
        conducts: every behaviour that some order names, as it went.
        margins: between neighbours of each order.
    """

    findings: tuple[Finding, ...]
    conducts: tuple[Conduct, ...]
    margins: tuple[Margin, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return worst(finding.verdict for finding in self.findings)

    def as_dict(self, problem: Problem) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "verdict": self.verdict.word,
            "findings": [finding.as_dict() for finding in self.findings],
            "exploits": [],
            "behaviours": [behaviour_fields(problem, each) for each in self.conducts],
            "margins": [margin.as_dict() for margin in self.margins],
        }


def check_reward(project: Project, worlds: int = WORLDS) -> RewardCheck:
    """Let every behaviour that an order names act in the same worlds, and compare what the reward says of them.

    Args:
        project: with its scenarios.
        worlds: simulated ones, all behaviours in the same; hand-written rows need none.

    Raises:
        ProblemError: the scenarios contradict themselves or the problem, or an order compares hand-written rows with
            simulated behaviours of another length.
        ProjectError: a behaviour cannot be run.
    """
    scenarios = load_scenarios(project)
    names = dict.fromkeys(name for order in scenarios.orders for name in order.names)
    conducts = run_behaviours(project, scenarios, names, worlds)
    for order in scenarios.orders:
        _check_comparable(project, scenarios, order)
    margins = {order: margins_of(project.problem.reward, conducts, order) for order in scenarios.orders}
    findings = [judge_order(order, found) for order, found in margins.items()] or [_no_scenarios(scenarios)]
    return RewardCheck(
        (*findings, *term_findings(project)),
        tuple(conducts.values()),
        tuple(margin for found in margins.values() for margin in found),
    )


def run_behaviours(
    project: Project, scenarios: Scenarios, names: Iterable[str], worlds: int = WORLDS
) -> dict[str, Conduct]:
    """Some behaviours by name, those that are simulated all in one panel."""
    chosen = [scenarios.behaviours[name] for name in names]
    simulated = any(behaviour.rows is None for behaviour in chosen)
    panel: Panel | None = fresh_panel(project.problem, project.simulator, worlds) if simulated else None
    rules = {"incumbent": "incumbent", **dict.fromkeys(project.rules, "rule")}
    return {each.name: conduct(project, each, panel, rules.get(each.name, "scenario")) for each in chosen}


def known_conducts(project: Project, check: RewardCheck, worlds: int = WORLDS) -> tuple[Conduct, ...]:
    """Every behaviour of the scenarios, the incumbent and the rules too; what the check ran is not run again."""
    scenarios, done = load_scenarios(project), {each.name: each for each in check.conducts}
    names = [name for name in scenarios.behaviours if name not in done]
    if not (project.folder / "simulator.py").exists():
        names = [name for name in names if scenarios.behaviours[name].rows is not None]
    found = done | run_behaviours(project, scenarios, names, worlds)
    return tuple(found[name] for name in scenarios.behaviours if name in found)


def margins_of(reward: Reward, conducts: Mapping[str, Conduct], order: Order) -> tuple[Margin, ...]:
    """The differences between neighbours of an order."""
    return tuple(_margin(reward, conducts[one], conducts[two], order) for one, two in pairwise(order.names))


def behaviour_fields(problem: Problem, each: Conduct) -> dict[str, Any]:
    """A behaviour as JSON tells it: its return and every KPI."""
    return {
        "name": each.name,
        "kind": each.kind,
        "good": each.good,
        "worlds": len(each.trace.worlds),
        "mean_return": float(each.returns(problem.reward).mean()),
        "by_term": each.by_term(problem.reward),
        "kpis": {kpi.name: each.kpi(kpi) for kpi in problem.kpis},
    }


def _margin(reward: Reward, better: Conduct, worse: Conduct, order: Order) -> Margin:
    ours, theirs = better.returns(reward), worse.returns(reward)
    # A script of rows is one episode: against worlds of the same length it is the same in each.
    difference = paired_difference(np.atleast_1d(ours - theirs))
    mine, other = better.by_term(reward), worse.by_term(reward)
    return Margin(order, better.name, worse.name, difference, {name: (mine[name], other[name]) for name in mine})


def judge_order(order: Order, margins: tuple[Margin, ...]) -> Finding:
    """Whether the behaviours of an order come out in it."""
    verdict = worst(margin.verdict for margin in margins)
    closest = min(margins, key=lambda margin: margin.difference.low)
    if verdict is Verdict.PASS:
        told = ", ".join(f"{margin.better} by {margin.difference.value:.4g}" for margin in margins)
        return Finding("order", verdict, f"{order.order}: in order; {told}", closest.difference)
    first = next(margin for margin in margins if margin.verdict is verdict)
    return Finding("order", verdict, f"{order.order}: {_told(first)}", first.difference)


def _told(margin: Margin) -> str:
    found = margin.difference
    parts = "; ".join(f"{name} {one:.4g} and {two:.4g}" for name, (one, two) in margin.by_term.items())
    if margin.verdict is Verdict.INCONCLUSIVE:
        close = f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g}) over {found.n} worlds"
        return f"{margin.better!r} and {margin.worse!r} are too close to tell, {close}; by term {parts}"
    ours, theirs = (sum(pair[side] for pair in margin.by_term.values()) for side in (0, 1))
    return f"{margin.better!r} returns {ours:.4g}, {margin.worse!r} {theirs:.4g}: not above it; by term {parts}"


def _no_scenarios(scenarios: Scenarios) -> Finding:
    reason = f"no order in {scenarios.path}: write how two behaviours must come out, such as 'works > stands still'"
    return Finding("order", Verdict.INCONCLUSIVE, reason)


def _check_comparable(project: Project, scenarios: Scenarios, order: Order) -> None:
    """Rows compare with rows; with simulated behaviours only where they write out a whole episode of that length."""
    behaviours = [scenarios.behaviours[name] for name in order.names]
    written = [behaviour for behaviour in behaviours if behaviour.rows is not None]
    steps = project.problem.horizon
    short = [behaviour for behaviour in written if len(behaviour.rows or ()) != steps]
    if short and len(written) < len(behaviours):
        raise ProblemError(
            expected=f"rows for all {steps} decisions of an episode where an order names simulated behaviours too",
            found=f"{short[0].name!r} with {len(short[0].rows or ())} rows",
            where=line_of(scenarios.path, order.order),
            fix="compare rows with rows and simulated behaviours with simulated ones, each in an order of its own",
        )
