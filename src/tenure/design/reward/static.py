"""The audit that needs no search: limits nobody keeps, endless pay, mere shaping, what the terms do to each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.core.arrays import Floats
from tenure.core.evidence import Finding, Verdict
from tenure.core.problem import Limit
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.design.reward.check import RewardCheck, known_conducts
from tenure.design.reward.conduct import Conduct
from tenure.design.reward.interplay import ablation_finding, dominance_finding, tradeoff_finding
from tenure.design.reward.loops import loop_finding
from tenure.design.reward.ranking import ablations, paired_difference, weighings
from tenure.simulators.actions import is_masked

PLATEAU = 0.25
"""Share of the larger return by which restarts that end apart ended on different plateaus."""


def static_findings(project: Project, check: RewardCheck) -> list[Finding]:
    """Every gate of the static audit, over all known behaviours: incumbent, rules and scenarios.

    Args:
        project: what is audited.
        check: of the same project; what it ran is not run again.
    """
    conducts = known_conducts(project, check)
    return [
        ablation_finding(project.problem.reward, conducts),
        dominance_finding(project.problem.reward, conducts),
        tradeoff_finding(project.problem.reward, conducts),
        limit_finding(project, conducts),
        bounds_finding(project),
        shaping_finding(project, conducts),
        loop_finding(project, conducts),
    ]


def static_tables(reward: Reward, conducts: Sequence[Conduct]) -> dict[str, Any]:
    """What the findings rest on, for the document: each term left out, and each weighing more or less."""
    return {
        "ablation": [each.as_dict() for each in ablations(reward, conducts)],
        "weighing": [each.as_dict() for each in weighings(reward, conducts)],
    }


def limit_finding(project: Project, conducts: Sequence[Conduct]) -> Finding:
    """Gate `limits`: every limit is held by something that is there, when served too."""
    limits = project.problem.limits
    faults = [fault for limit in limits if (fault := _limit_fault(project, limit, conducts))]
    if faults:
        return Finding("limits", Verdict.FAIL, "; ".join(faults))
    unserved = [limit.name for limit in limits if limit.held_by == "mask" and not project.problem.constraints]
    if unserved:
        why = "the simulator's mask is not enforced by the server unless requests carry a mask"
        fix = "state a Constraint of the problem, which the server applies to every action"
        return Finding("limits", Verdict.INCONCLUSIVE, f"{', '.join(unserved)} by mask: {why}; {fix}")
    told = ", ".join(f"{limit.name} by {limit.held_by}" for limit in limits)
    return Finding("limits", Verdict.PASS, f"held: {told}" if limits else "no limit is stated")


def _limit_fault(project: Project, limit: Limit, conducts: Sequence[Conduct]) -> str:
    problem = project.problem
    if limit.held_by is None:
        ways = f"price {limit.signal} in the reward, mask it, or let training learn its weight"
        return f"nothing holds {limit.name!r}: {ways}"
    if limit.held_by == "penalty":
        weight = sum(term.weight for term in problem.reward.terms if term.signal == limit.signal)
        return "" if weight < 0 else f"{limit.name!r} is held by a penalty, and no term prices {limit.signal}"
    if limit.held_by == "mask":
        if not is_masked(problem, project.simulator):
            return f"{limit.name!r} is held by a mask, and neither a constraint nor the simulator has one"
        over = [each for each in conducts if not each.written and each.mean(limit.signal) > limit.most]
        if over:
            found = over[0].mean(limit.signal)
            return (
                f"the mask does not hold {limit.name!r}: {over[0].name!r} has {found:.4g} of {limit.signal} a decision"
            )
    return ""


def bounds_finding(project: Project) -> Finding:
    """Gate `bounds`: a term that can pay or cost without end."""
    bounds = project.problem.signal_bounds
    endless = {
        term.signal: "pay" if term.weight * end > 0 else "cost"
        for term in project.problem.reward.terms
        for end in bounds[term.signal]
        if math.isinf(end) and term.weight
    }
    if not endless:
        return Finding("bounds", Verdict.PASS, "every term is bounded by its signal")
    told = ", ".join(f"{signal} can {what} without end" for signal, what in endless.items())
    return Finding("bounds", Verdict.INCONCLUSIVE, f"{told}: state the signal's bounds, or cap it where it is measured")


def shaping_finding(project: Project, conducts: Sequence[Conduct]) -> Finding:
    """Gate `shaping`: pay for what no KPI and no limit cares about, which changes the ranking.

    Source: Ng, Harada and Russell (1999): only potential-based shaping leaves the best policy what it is.
    """
    problem = project.problem
    cared = {name for kpi in problem.kpis for name in kpi.reads} | {limit.signal for limit in problem.limits}
    moving = {each.signal for each in ablations(problem.reward, conducts) if each.flips}
    loose = [term.signal for term in problem.reward.terms if term.signal not in cared and term.signal in moving]
    if loose:
        told = f"{', '.join(dict.fromkeys(loose))} changes the ranking, yet no KPI and no limit reads it"
        fix = "such shaping can change what is best; help the learner by a potential, Problem.shaping, instead"
        return Finding("shaping", Verdict.INCONCLUSIVE, f"{told}: {fix}")
    told = (
        "the shaping is a potential, so it cannot change what is best" if problem.shaping else "no term is mere shaping"
    )
    return Finding("shaping", Verdict.PASS, told)


def plateaus(returns: Mapping[str, Floats]) -> Finding:
    """Gate `plateaus`: restarts of one search that end far apart, as a reward that is too narrow makes them.

    Args:
        returns: what each restart ended on: its return in every world, the same worlds for all, [worlds].
    """
    if len(returns) < 2:
        return Finding("plateaus", Verdict.INCONCLUSIVE, "fewer than two restarts")
    means = {name: float(values.mean()) for name, values in returns.items()}
    best, least = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    gap = paired_difference(returns[best] - returns[least])
    told = f"{len(returns)} restarts end between {means[least]:.4g} and {means[best]:.4g}"
    if gap.low > PLATEAU * max(abs(means[best]), abs(means[least])):
        why = "the reward is so narrow that chance decides what is found: pay for steps on the way, by a potential"
        return Finding("plateaus", Verdict.INCONCLUSIVE, f"{told}; {why}", gap)
    return Finding("plateaus", Verdict.PASS, f"{told}, on one plateau", gap)
