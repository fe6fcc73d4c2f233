"""Which of the known behaviours a reward likes best, and what a change of the reward does to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.core.reward import Reward
from tenure.design.reward.conduct import Conduct

ALPHA = 0.05
"""Error rate on each side of a difference between two simulated behaviours."""
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""What a weight is multiplied by to see which behaviour wins then."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Ablation:
    """What one term does to the ranking of the known behaviours.

    Args:
        signal: of the term that is left out.
        flips: pairs, the better first, that no longer come out that way without it.
        best: the behaviour on top without it.
    """

    signal: str
    flips: tuple[Pair, ...]
    best: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {"signal": self.signal, "flips": [list(pair) for pair in self.flips], "best": self.best}


@dataclass(frozen=True)
class Weighing:
    """Which behaviour wins when one term weighs more or less.

    Args:
        signal: of the term.
        winners: the best behaviour for each of `FACTORS`.
    """

    signal: str
    winners: Mapping[float, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {"signal": self.signal, "winners": {f"{factor:g}": name for factor, name in self.winners.items()}}


def groups(conducts: Sequence[Conduct]) -> list[list[Conduct]]:
    """Behaviours that can be compared: simulated ones among themselves, hand-written ones among themselves."""
    simulated = [each for each in conducts if not each.written]
    written = [each for each in conducts if each.written]
    return [group for group in (simulated, written) if group]


def ranked(reward: Reward, conducts: Sequence[Conduct]) -> tuple[str, ...]:
    """Names by mean return, the best first."""
    means = {each.name: float(each.returns(reward).mean()) for each in conducts}
    return tuple(sorted(means, key=lambda name: -means[name]))


def flips(before: Reward, after: Reward, conducts: Sequence[Conduct]) -> tuple[Pair, ...]:
    """Pairs, the better first under `before`, that come out otherwise under `after`; differences one can trust only."""
    found = []
    for group in groups(conducts):
        for one, two in combinations(group, 2):
            then, now = sign_of(before, one, two), sign_of(after, one, two)
            if then != now:
                found.append((one.name, two.name) if then >= 0 else (two.name, one.name))
    return tuple(found)


def sign_of(reward: Reward, one: Conduct, two: Conduct) -> int:
    """+1 where the first returns more than the second, -1 where less, 0 where it cannot be told at 95 %."""
    found = paired_difference(one.returns(reward) - two.returns(reward))
    return int(found.low > 0) - int(found.high < 0)


def paired_difference(difference: Floats) -> Estimate:
    """Mean of a difference per world, each end of its interval at 95 %; a single world has no doubt.

    Args:
        difference: better minus worse in each world, in the reward's unit; [worlds].

    Source: Student (1908), for pairs.
    """
    n, mean = len(difference), float(difference.mean())
    spread = float(difference.std(ddof=1)) if n > 1 else 0.0
    radius = student_quantile(1 - ALPHA, n - 1) * spread / n**0.5 if spread else 0.0
    method = "paired t" if spread > 0 else "exact"
    return Estimate(mean, mean - radius, mean + radius, n, float(n), method, "world", 2 * ALPHA)


def student_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t, without SciPy, which takes longer to load than a whole check may last.

    Args:
        share: in (0, 1).
        freedom: degrees of freedom; from 2 on within 0.3 %, from 7 on within 0.001 % of the tables at 95 %.

    Source: Abramowitz and Stegun (1964), 26.7.5.
    """
    z, v = NormalDist().inv_cdf(share), freedom
    parts = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4),
    )
    return sum(parts)


def ablations(reward: Reward, conducts: Sequence[Conduct]) -> tuple[Ablation, ...]:
    """What each term does: which pairs flip without it."""
    found = []
    for signal in dict.fromkeys(term.signal for term in reward.terms):
        without = reward.without(signal)
        best = ranked(without, groups(conducts)[0])[0] if conducts else ""
        found.append(Ablation(signal, flips(reward, without, conducts), best))
    return tuple(found)


def weighings(reward: Reward, conducts: Sequence[Conduct]) -> tuple[Weighing, ...]:
    """Which behaviour wins as each term in turn weighs more or less: the corners of the Pareto front one can reach."""
    if not conducts:
        return ()
    group, found = groups(conducts)[0], []
    for signal in dict.fromkeys(term.signal for term in reward.terms):
        winners = {factor: ranked(reweighted(reward, signal, factor), group)[0] for factor in FACTORS}
        found.append(Weighing(signal, winners))
    return tuple(found)


def reweighted(reward: Reward, signal: str, factor: float) -> Reward:
    """The same reward with the terms over one signal times a factor."""
    weights = [term.weight * (factor if term.signal == signal else 1.0) for term in reward.terms]
    terms = (replace(term, weight=weight) for term, weight in zip(reward.terms, weights, strict=True))
    return replace(reward, terms=tuple(terms))


def kendall_tau(one: Sequence[str], other: Sequence[str]) -> float:
    """Agreement of two rankings of the same names, from -1 (reversed) to 1 (equal); NaN for fewer than two.

    >>> kendall_tau(["a", "b", "c"], ["a", "c", "b"])
    0.3333333333333333

    Source: Kendall (1938), tau without ties.
    """
    place = {name: position for position, name in enumerate(other)}
    pairs = [1 if place[first] < place[second] else -1 for first, second in combinations(one, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")
