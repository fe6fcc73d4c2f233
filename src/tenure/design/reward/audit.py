"""`reward audit`: the check, the static audit, and the attack by cheap exploiters; what they found, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import ProjectError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.core.problem import Problem
from tenure.core.project import Project, line_of
from tenure.core.spaces import Discrete
from tenure.design.reward.attack.hunt import FULL, Effort, Exploiter, Hunt
from tenure.design.reward.attack.pool import POOL
from tenure.design.reward.attack.search import Report, Search, search
from tenure.design.reward.check import behaviour_fields, check_reward
from tenure.design.reward.conduct import Conduct
from tenure.design.reward.doubt import Doubt, doubt_of
from tenure.design.reward.early import early_end
from tenure.design.reward.exploit import MOST_ONE_ACTION, Exploit, distinct, judge_conduct
from tenure.design.reward.static import plateaus, static_findings

SHOWN_EXPLOITS = 5
"""Exploits that are shown, the best paid first; the rest are counted."""


@dataclass(frozen=True)
class Attack:
    """What the exploiters found.

    Args:
        findings: `exploits`, `one_action`, `early_end` and `plateaus`.
        exploits: one for each harm and term to mend, the best paid first.
        conducts: everything that was tried, the incumbent first.
    """

    findings: tuple[Finding, ...]
    exploits: tuple[Exploit, ...]
    conducts: tuple[Conduct, ...]

    @property
    def searched(self) -> Mapping[str, int]:
        """How many behaviours of each kind were tried."""
        kinds = [conduct.kind for conduct in self.conducts]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Args:
        findings: of the check, of the static audit and of the attack.
        exploits: at most five, the best paid first.
        conducts: every behaviour that was tried, the incumbent first.
        searched: how many behaviours of each kind were tried.
        seed: of all chance; the same seed finds the same.
        seconds: it took.
    """

    findings: tuple[Finding, ...]
    exploits: tuple[Exploit, ...]
    conducts: tuple[Conduct, ...]
    searched: Mapping[str, int]
    seed: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return worst(finding.verdict for finding in self.findings)

    def as_dict(self, problem: Problem) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "verdict": self.verdict.word,
            "findings": [finding.as_dict() for finding in self.findings],
            "exploits": [exploit.as_dict() for exploit in self.exploits],
            "behaviours": [behaviour_fields(problem, each) for each in self.conducts],
            "searched": dict(self.searched),
            "seed": self.seed,
            "seconds": self.seconds,
        }


def audit(
    project: Project, seed: int = 0, report: Report = lambda _: None, effort: Effort = FULL, clock: Clock | None = None
) -> Audit:
    """Look for behaviour that the reward pays and the business would not want.

    Args:
        project: with its scenarios; without a simulator.py nothing can be searched, and the audit says so.
        seed: of all chance.
        report: told a line before each part.
        effort: how hard to search.
        clock: measures the seconds.

    Raises:
        ProjectError: the actions are a `Box`, the scenarios are wrong, or the incumbent breaks its contract.
    """
    clock = SystemClock() if clock is None else clock
    started = clock.monotonic()
    _check_discrete(project)
    if not (project.folder / "simulator.py").exists():
        return Audit((_nothing_searched(project),), (), (), {}, seed, clock.monotonic() - started)
    report("scenarios and terms")
    check = check_reward(project)
    static = static_findings(project, check)
    found = attack(project, seed, report, effort)
    return Audit(
        (*check.findings, *static, *found.findings),
        found.exploits[:SHOWN_EXPLOITS],
        found.conducts,
        found.searched,
        seed,
        clock.monotonic() - started,
    )


def attack(
    project: Project,
    seed: int = 0,
    report: Report = lambda _: None,
    effort: Effort = FULL,
    pool: Mapping[str, Exploiter] = POOL,
) -> Attack:
    """The exploiters' part of the audit.

    Args:
        project: with a simulator and discrete actions.
        seed: of all chance.
        report: told a line before each exploiter.
        effort: how hard to search.
        pool: exploiters by name.
    """
    tried = search(Hunt(project, effort, seed), report, pool)
    everything = (*tried.known, *tried.found)
    verdicts = (judge_conduct(project.problem, each, tried.reference, tried.known) for each in everything)
    exploits = distinct([exploit for exploit in verdicts if exploit is not None])
    doubts = [doubt_of(project.problem, each, tried.reference, tried.known) for each in everything]
    findings = [
        _exploits_finding(tried, exploits, [doubt for doubt in doubts if doubt is not None]),
        _one_action_finding(project.problem, tried, exploits),
        early_end(project.problem, tried),
    ]
    restarts = {each.name: each.returns(project.problem.reward) for each in tried.found if each.kind == "evolution"}
    if len(restarts) > 1:
        findings.append(plateaus(restarts))
    return Attack(tuple(findings), exploits, (tried.reference, *everything))


def _exploits_finding(tried: Search, exploits: Sequence[Exploit], doubts: Sequence[Doubt]) -> Finding:
    unsearched = f"; not all could be searched: {'; '.join(tried.broken)}" if tried.broken else ""
    if exploits:
        top = exploits[0]
        behaviours = sum(sum(each.alike.values()) for each in exploits)
        reason = (
            f"{len(exploits)} found, in {behaviours} behaviours; the best paid is {top.conduct.name!r}: "
            f"{top.gain.value:+.4g} per world over the incumbent, {top.harm.words}; {top.advice}{unsearched}"
        )
        return Finding("exploits", Verdict.FAIL, reason, top.gain)
    if tried.broken:
        return Finding("exploits", Verdict.ERROR, f"none found{unsearched}")
    if doubts:
        gravest = max(doubts, key=lambda each: each.verdict)
        return Finding("exploits", gravest.verdict, f"{len(doubts)} in doubt, none proven: {gravest.reason}")
    if not tried.found:
        return Finding("exploits", Verdict.INCONCLUSIVE, "no exploiter brought a behaviour")
    kinds = ", ".join(dict.fromkeys(each.kind for each in tried.found))
    worlds = len(tried.reference.trace.worlds)
    count = len(tried.found) + len(tried.known)
    return Finding("exploits", Verdict.PASS, f"none among {count} behaviours ({kinds}) in {worlds} worlds each")


def _one_action_finding(problem: Problem, tried: Search, exploits: Sequence[Exploit]) -> Finding:
    """Whether what the reward likes best has stopped deciding."""
    everything = (tried.reference, *tried.known, *tried.found)
    best = max(everything, key=lambda each: float(each.returns(problem.reward).mean()))
    label, share, usual = _one_action(problem, best, tried.reference)
    told = f"the best paid behaviour, {best.name!r}, takes {label!r} {share:.0%} of the time (incumbent {usual:.0%})"
    if share <= MOST_ONE_ACTION or usual > MOST_ONE_ACTION:
        return Finding("one_action", Verdict.PASS, told)
    if any(exploit.conduct is best for exploit in exploits):
        return Finding("one_action", Verdict.FAIL, told)
    if _no_worse(problem, best, tried.reference) and _no_worse(problem, best.scheduled, tried.reference.scheduled):
        return Finding("one_action", Verdict.PASS, f"{told} and is at least as good by every KPI")
    return Finding("one_action", Verdict.INCONCLUSIVE, told)


def _no_worse(problem: Problem, one: Conduct, other: Conduct) -> bool:
    return all(kpi.sign * (one.kpi(kpi) - other.kpi(kpi)) >= 0 for kpi in problem.kpis)


def _one_action(problem: Problem, best: Conduct, usual: Conduct) -> tuple[str, float, float]:
    """The action a behaviour takes most: its label, its share there, and its share with the incumbent."""
    assert isinstance(problem.action, Discrete)
    shares = best.action_shares(problem.action.size)
    most = int(shares.argmax())
    return problem.action.labels[most], float(shares[most]), float(usual.action_shares(problem.action.size)[most])


def _nothing_searched(project: Project) -> Finding:
    kinds = ", ".join(POOL)
    reason = f"no simulator.py in {project.folder}: nothing was searched, neither scenarios nor {kinds}"
    return Finding("exploits", Verdict.INCONCLUSIVE, reason)


def _check_discrete(project: Project) -> None:
    if not isinstance(project.problem.action, Discrete):
        raise ProjectError(
            expected="a discrete action space, since the exploiters choose among labelled actions",
            found="a Box",
            where=line_of(project.folder / "problem.py", "action="),
            fix="state the actions as Discrete steps to have the reward audited",
        )
