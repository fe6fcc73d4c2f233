"""`early_end`: behaviour that ends its worlds early and takes with it what the rest of them would have brought.

KPIs without `per` and limits are means per decision, so that a world which closes after its first decision can look as
good as one that worked through. Here they are read per step of the panel: a step after the end brings nothing.
"""

from __future__ import annotations

from tenure.core.evidence import Finding, Verdict
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.design.reward.attack.search import Search
from tenure.design.reward.conduct import Conduct
from tenure.design.reward.exploit import ALPHA, FIRST_KPI, INDEPENDENT_KPI, harms_of, is_preferred
from tenure.evaluation.intervals import t_interval

MOST_FEWER = 0.25
"""Share of the incumbent's decisions that may be left out before an end needs a KPI which explains it."""

GATE = "early_end"


def early_end(problem: Problem, tried: Search) -> Finding:
    """Whether a behaviour that the reward may prefer ends worlds early at the cost of what they were for.

    Args:
        problem: its reward, KPIs and limits.
        tried: all behaviours, in the same worlds.
    """
    everything = sorted((*tried.known, *tried.found), key=lambda each: -float(each.returns(problem.reward).sum()))
    preferred = [each for each in everything if is_preferred(problem, each, tried.reference, surely=False)]
    early = [each for each in preferred if _surely_fewer(each, tried.reference, 0.0)]
    told = [finding for each in early if (finding := _judged(problem, each, tried)) is not None]
    if told:
        return max(told, key=lambda finding: finding.verdict)
    if early:
        return Finding(GATE, Verdict.PASS, f"{len(early)} behaviours end worlds earlier, with no total lost")
    return Finding(GATE, Verdict.PASS, "no behaviour that the reward may prefer ends worlds earlier than the incumbent")


def _judged(problem: Problem, conduct: Conduct, tried: Search) -> Finding | None:
    reference = tried.reference
    ends = (
        f"{conduct.name!r}, which the reward ranks as high, ends worlds after {conduct.taken().mean():.3g} decisions "
        f"(incumbent {reference.taken().mean():.3g})"
    )
    harms = harms_of(problem, conduct.scheduled, reference.scheduled, [each.scheduled for each in tried.known])
    if harms:
        surely = is_preferred(problem, conduct, reference)
        unsure = "" if surely else "; that it earns as much is not certain"
        verdict = Verdict.FAIL if surely else Verdict.INCONCLUSIVE
        return Finding(GATE, verdict, f"{ends}: per step of a full world {harms[0].words}{unsure}")
    unexplained = _unexplained(problem, conduct, reference) if _surely_fewer(conduct, reference, MOST_FEWER) else None
    return None if unexplained is None else Finding(GATE, Verdict.INCONCLUSIVE, f"{ends}: {unexplained}")


def _surely_fewer(conduct: Conduct, reference: Conduct, share: float) -> bool:
    """Whether worlds take fewer decisions than the incumbent's less a share, paired by world, with 95 % confidence."""
    missing = (1 - share) * reference.taken() - conduct.taken()
    return t_interval(missing, ALPHA, cluster="world", one_sided=True).low > 0


def _unexplained(problem: Problem, conduct: Conduct, reference: Conduct) -> str | None:
    """Why the KPIs do not show that a world was done when it ended; None where they do."""
    totals = {kpi.name: (_total(kpi, conduct), _total(kpi, reference)) for kpi in problem.kpis}
    goods = {name: pair for name, pair in totals.items() if pair[1] > 0}
    if not goods:
        return "no KPI counts what a world achieves, so nothing says whether it was done"
    for name, (now, before) in goods.items():
        share = FIRST_KPI if name == problem.kpis[0].name else INDEPENDENT_KPI
        if before - now > share * before:
            return f"what KPI {name!r} counts falls to {now / before:.0%} of the incumbent's total"
    return None


def _total(kpi: KPI, conduct: Conduct) -> float:
    """What a KPI counts above its line, per world; positive where it is good to have."""
    return kpi.sign * float(kpi.numerator(conduct.trace.signals).sum(axis=0).mean())
