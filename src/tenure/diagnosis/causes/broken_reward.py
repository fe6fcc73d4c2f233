"""Broken reward: what the learner is paid for is not what the first KPI measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.evidence import Estimate
from tenure.core.policy import Policy
from tenure.core.reward import Reward
from tenure.core.trace import Trace
from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Look, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix
from tenure.diagnosis.rollouts import Chance, Rollouts, merits, returns
from tenure.diagnosis.thresholds import ERROR
from tenure.diagnosis.verdicts import verdict_of
from tenure.evaluation import t_interval


def suspect(facts: Facts) -> Suspicion:
    """Policies the reward ranks another way than the first KPI; else returns that rise while the KPI does not."""
    name = facts.problem.kpis[0].name
    if facts.standings:
        lost, other = _turned_most(facts)
        said = (
            f"the reward pays a last checkpoint more than {other}, which is {lost:.0%} of the span better in {name!r}"
        )
        return Suspicion(ramp(lost, 0.05, 0.4), said) if lost > 0 else NOTHING
    pairs = zip(facts.metric("return_mean"), facts.merits, strict=False)
    both = [_agreement(row, merit) for row, merit in pairs if len(row) == len(merit) > 3]
    if not both:
        return NOTHING
    together = float(np.mean(both))
    said = f"over the checkpoints returns and {name!r} agree by {together:+.2f}"
    return Suspicion(ramp(together, 0.3, -0.5) * trouble(facts), said)


def _turned_most(facts: Facts) -> tuple[float, str]:
    """How much worse a last checkpoint is by the first KPI than somebody who is paid less, in spans; and who."""
    pairs = [
        ((merit - mine) / facts.span, other)
        for name, (mine, earned) in facts.standings.items()
        for other, (merit, paid) in facts.standings.items()
        if name.startswith("last") and earned > paid and merit > mine
    ]
    return max(pairs, default=(0.0, ""))


def _agreement(earned: np.ndarray, merit: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where one of them never changes."""
    if np.ptp(earned) == 0 or np.ptp(merit) == 0:
        return 0.0
    return float(stats.spearmanr(earned, merit).statistic)


def fixes(_: Facts) -> tuple[Fix, ...]:
    """None: the reward stands in problem.py."""
    return ()


@dataclass(frozen=True)
class Turned:
    """Two policies which the reward ranks one way and the first KPI the other.

    Args:
        by: the policy that is worse by the KPI, and better paid; and the other.
        lost: what it is worse by, in spans, with its interval.
        paid: whether it is surely better paid.
        term: signal of a term without which the ranking turns back; empty for none.
    """

    by: tuple[str, str]
    lost: Estimate
    paid: bool
    term: str


def look(facts: Facts, rollouts: Rollouts) -> Look:
    """Does the reward rank the learned policies, the incumbent, the rules and chance as the first KPI does?"""
    traces = {name: rollouts.on_selection(policy) for name, policy in _policies(rollouts)}
    turned = list(_turned(facts, rollouts, traces))
    if not turned:
        return Look("no checkpoint lies in the run's folder", (), "inconclusive")
    sure = [pair for pair in turned if pair.paid]
    worst = max(sure or turned, key=lambda pair: pair.lost.low)
    kpi = facts.problem.kpis[0].name
    if not sure:
        said = f"no policy that is worse by {kpi!r} is better paid than the {len(traces) - 1} beside it"
        return Look(said, (), "rejected", worst.lost)
    first, second = worst.by
    said = (
        f"the reward pays {first} more than {second}, which is better by {worst.lost.value:.0%} of the span in {kpi!r}"
    )
    return Look(said, (_mending(worst.term),), verdict_of(worst.lost), worst.lost)


def _policies(rollouts: Rollouts) -> Iterator[tuple[str, Policy]]:
    for which in ("last", "best"):
        for number, policy in enumerate(rollouts.learned(which)[:3]):
            yield f"the {which} checkpoint of seed {rollouts.seeds[number]}", policy
    yield "the incumbent", rollouts.project.incumbent
    yield "chance", Chance(rollouts.project.problem)
    yield from ((f"the rule {name!r}", rule) for name, rule in rollouts.project.rules.items())


def _turned(facts: Facts, rollouts: Rollouts, traces: Mapping[str, Trace]) -> Iterator[Turned]:
    """Every last checkpoint, against everybody else."""
    from tenure.training.worlds import reward_of

    problem, reward = facts.problem, reward_of(rollouts.project, rollouts.settings)
    average = facts.sign * facts.incumbent
    pairs = [(one, other) for one in traces if one.startswith("the last") for other in traces if other != one]
    for one, other in pairs:
        worse = (merits(problem, traces[other], average) - merits(problem, traces[one], average)) / facts.span
        lost = t_interval(worse, alpha=2 * ERROR / len(pairs), cluster="unit")
        paid = _paid(reward, traces[one], traces[other], len(pairs))
        yield Turned((one, other), lost, paid, _turning(reward, traces[one], traces[other]) if paid else "")


def _paid(reward: Reward, one: Trace, other: Trace, pairs: int) -> bool:
    """Whether the reward surely pays the one more than the other."""
    more = returns(one, reward) - returns(other, reward)
    return bool(more.std() > 0) and t_interval(more, alpha=2 * ERROR / pairs).low > 0


def _turning(reward: Reward, one: Trace, other: Trace) -> str:
    """The signal of the term without which the one is paid less than the other; empty where no one term does it."""
    for term in reward.terms if len(reward.terms) > 1 else ():
        rest = reward.without(term.signal)
        if (returns(one, rest) - returns(other, rest)).mean() < 0:
            return term.signal
    return ""


def _mending(term: str) -> Fix:
    if not term:
        return Fix(
            "State in problem.py what the first KPI measures as a term of the reward; see `tenure reward audit`."
        )
    return Fix(f"Mend the term over {term!r} in problem.py: without it, the reward ranks them as the first KPI does.")


HYPOTHESIS = Hypothesis(Cause.BROKEN_REWARD, suspect, fixes, look)
