"""How the terms of a reward act on one another under the known behaviours: idle, drowned or fighting ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Finding, Verdict
from tenure.core.reward import Reward
from tenure.design.reward.conduct import Conduct
from tenure.design.reward.ranking import ablations, groups, weighings

DOMINANT = 0.75
"""Share of the reward's variance above which one term speaks for all."""
FIGHTING = -0.3
"""Correlation below which two terms pull against each other."""
FEWEST = 8
"""Worlds below which no correlation is told."""


def ablation_finding(reward: Reward, conducts: Sequence[Conduct]) -> Finding:
    """Gate `ablation`: a term without which every known behaviour ranks as before is named."""
    if max((len(group) for group in groups(conducts)), default=0) < 2:
        return Finding("ablation", Verdict.INCONCLUSIVE, "fewer than two behaviours are known; add scenarios")
    found = ablations(reward, conducts)
    idle = [each.signal for each in found if not each.flips]
    if idle:
        told = f"without {' or '.join(idle)} the known behaviours rank as before"
        return Finding("ablation", Verdict.INCONCLUSIVE, f"{told}: add a scenario that it is there for, or drop it")
    told = ", ".join(f"{each.signal} ({' before '.join(each.flips[0])})" for each in found)
    return Finding("ablation", Verdict.PASS, f"every term decides some order: {told}")


def dominance_finding(reward: Reward, conducts: Sequence[Conduct]) -> Finding:
    """Gate `dominance`: a term with nearly all of the variance is a fault where it drowns another."""
    shares = variance_shares(reward, conducts)
    if len(shares) < 2:
        return Finding("dominance", Verdict.PASS, "there is only one term")
    if not math.isfinite(sum(shares.values())):
        return Finding("dominance", Verdict.INCONCLUSIVE, "the reward is the same in every known decision")
    name, share = max(shares.items(), key=lambda item: item[1])
    told = f"{name} holds {100 * share:.0f} % of the variance under known behaviours"
    drowned = [each.signal for each in ablations(reward, conducts) if not each.flips and each.signal != name]
    if share > DOMINANT and drowned:
        told = f"{told} and drowns {', '.join(drowned)}, which changes no order: weigh it up, or show what it is for"
        return Finding("dominance", Verdict.INCONCLUSIVE, told)
    return Finding("dominance", Verdict.PASS, f"{told}; no other term is drowned")


def variance_shares(reward: Reward, conducts: Sequence[Conduct]) -> dict[str, float]:
    """Each term's share of the terms' summed variance over all decisions of the known behaviours; NaN without any."""
    group = groups(conducts)[0] if conducts else []
    parts = [{name: part[each.trace.alive] for name, part in _parts(reward, each).items()} for each in group]
    names = dict.fromkeys(term.signal for term in reward.terms)
    variances = {name: float(np.concatenate([part[name] for part in parts]).var()) if parts else 0.0 for name in names}
    total = sum(variances.values())
    return {name: variance / total if total else math.nan for name, variance in variances.items()}


def tradeoff_finding(reward: Reward, conducts: Sequence[Conduct]) -> Finding:
    """Gate `trade_offs`: terms that fight under good behaviour, and no `Tradeoff` says that they are meant to."""
    good = [each for each in conducts if each.good and not each.written]
    good = good or [each for each in conducts if each.kind == "incumbent"]
    stated = {frozenset((pair.one, pair.other)) for pair in reward.tradeoffs}
    fights = {pair: r for each in good for pair, r in fighting(_sums(reward, each)).items() if pair not in stated}
    if not good:
        return Finding("trade_offs", Verdict.INCONCLUSIVE, "no good behaviour was simulated; mark one with good=True")
    if not fights:
        told = f"{len(stated)} stated; " if stated else ""
        return Finding("trade_offs", Verdict.PASS, f"{told}no terms fight unstated under {good[0].name!r}")
    pair, r = min(fights.items(), key=lambda item: item[1])
    one, other = sorted(pair)
    told = (
        f"{one} and {other} pull against each other (correlation {r:.2f} under good behaviour) and no Tradeoff says why"
    )
    sweep = "; ".join(_swept(each.signal, each.winners) for each in weighings(reward, conducts) if each.signal in pair)
    return Finding("trade_offs", Verdict.INCONCLUSIVE, f"{told}; {sweep}")


def fighting(sums: Mapping[str, Floats]) -> dict[frozenset[str], float]:
    """Pairs of terms whose sums per world correlate below -0.3, and surely below 0; with that correlation.

    Args:
        sums: each term's sum in every world, [worlds].

    Source: Fisher (1915), the transform of a correlation.
    """
    found = {}
    for one, other in combinations(sums, 2):
        n = len(sums[one])
        if n < FEWEST or not sums[one].std() or not sums[other].std():
            continue
        r = float(np.corrcoef(sums[one], sums[other])[0, 1])
        if r < FIGHTING and math.atanh(max(r, -1 + 1e-12)) + 1.645 / math.sqrt(n - 3) < 0:
            found[frozenset((one, other))] = r
    return found


def _parts(reward: Reward, each: Conduct) -> dict[str, Floats]:
    return reward.by_term(each.trace.signals)


def _sums(reward: Reward, each: Conduct) -> dict[str, Floats]:
    return {name: np.asarray(part.sum(axis=0)) for name, part in _parts(reward, each).items()}


def _swept(signal: str, winners: Mapping[float, str]) -> str:
    return f"{signal}: " + ", ".join(f"x{factor:g} {name!r} wins" for factor, name in winners.items())
