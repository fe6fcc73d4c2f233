"""Which reward term to mend: the signal that does the harm, and what the reward says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.design.reward.conduct import Conduct


@dataclass(frozen=True)
class Mending:
    """What to change in the reward.

    Args:
        signal: of the term to mend, or of the term that is missing.
        advice: how, in a sentence.
        by_term: what each term pays per world, the incumbent's and the exploit's, in the reward's unit.
    """

    signal: str
    advice: str
    by_term: Mapping[str, tuple[float, float]]


def mend(problem: Problem, conduct: Conduct, reference: Conduct, figure: KPI) -> Mending:
    """Name the term that lets an exploit pay.

    The culprit is the signal which worsens the harmed figure most when it alone goes from the incumbent's rate to the
    exploit's. Where no term reads it, a term is missing; where the exploit earns by it, it is paid for; else it is
    priced too low.

    Args:
        problem: its reward.
        conduct: the exploit.
        reference: the incumbent, in the same worlds.
        figure: the harmed KPI or limit.
    """
    before, after = reference.by_term(problem.reward), conduct.by_term(problem.reward)
    by_term = {name: (before[name], after[name]) for name in after}
    surplus = {name: after[name] - before[name] for name in after}
    signal, rose = culprit(figure, conduct, reference)
    earner = max(surplus, key=lambda name: surplus[name])
    return Mending(signal, _advice(signal, rose, surplus, earner), by_term)


def culprit(figure: KPI, conduct: Conduct, reference: Conduct) -> tuple[str, bool]:
    """The signal that worsens a figure most, and whether there is more of it than with the incumbent."""
    usual = {name: reference.mean(name) for name in figure.reads}
    now = {name: conduct.mean(name) for name in figure.reads}
    damage = {name: _damage(figure, usual, {**usual, name: now[name]}) for name in sorted(figure.reads)}
    worst = max(damage, key=lambda name: damage[name])
    return worst, now[worst] > usual[worst]


def _damage(figure: KPI, usual: Mapping[str, float], changed: Mapping[str, float]) -> float:
    return figure.sign * (_ratio(figure, usual) - _ratio(figure, changed))


def _ratio(figure: KPI, rates: Mapping[str, float]) -> float:
    above = sum(weight * rates[name] for name, weight in figure.of.items())
    below = 1.0 if figure.per is None else sum(weight * rates[name] for name, weight in figure.per.items())
    return above / below if below else 0.0


def _advice(signal: str, rose: bool, surplus: Mapping[str, float], earner: str) -> str:
    if signal not in surplus:
        verb = "prices" if rose else "pays for"
        return f"no term {verb} {signal}: add one, since the term over {earner} alone earns the surplus"
    if surplus[signal] > 0:
        return f"the term over {signal} pays for the harm itself: pay for what it is meant to bring about instead"
    if surplus[signal] < 0:
        return f"the term over {signal} is too weak against the one over {earner}: weigh it higher"
    return f"the term over {signal} does not see the harm: measure and price what the behaviour really does"
