"""Does the simulator rank policies as the log does?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Finding, Verdict
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.values import Worth

DRAWS = 500
FEWEST_PAIRS = 4
"""Pairs of policies that the log must tell apart."""


@dataclass(frozen=True)
class Ranking:
    """Agreement of two rankings.

    Args:
        policies: each with its simulated and its real value of the first KPI.
        tau: Kendall's, over the pairs that the log tells apart; NaN where there is none.
        low, high: its ends, 95 %.
        pairs: that the log tells apart.
        verdict, reason: what it means.
    """

    policies: Mapping[str, tuple[float, float]]
    tau: float
    low: float
    high: float
    pairs: int
    verdict: Verdict
    reason: str

    @property
    def finding(self) -> Finding:
        """For the list of findings."""
        return Finding("ranking", self.verdict, self.reason)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        values = [{"policy": name, "simulated": one, "real": other} for name, (one, other) in self.policies.items()]
        return {**asdict(self), "policies": values, "verdict": self.verdict.word}


def ranking(made: Mapping[str, Worth], found: Mapping[str, Worth], seed: int = 0) -> Ranking:
    """Kendall's tau between simulated and real values of the first KPI, with a bootstrap over units of both sides.

    Pairs that the log itself cannot tell apart (95 %) say nothing about the simulator and are left out.

    Args:
        made, found: simulated and real worth of each policy; those in both count.
        seed: of the bootstrap.

    Source: Kendall (1938); percentile bootstrap, Efron and Tibshirani (1993), chapter 13.
    """
    names = [name for name in found if name in made]
    values = {name: (made[name].value(), found[name].value()) for name in names}
    if len(names) < limits.FEWEST_POLICIES:
        told = f"{len(names)} policies have a value on real data, {limits.FEWEST_POLICIES} are needed"
        return Ranking(values, np.nan, np.nan, np.nan, 0, Verdict.INCONCLUSIVE, told)
    rng = np.random.default_rng([seed, 4])
    simulated, real = (_drawn([side[name] for name in names], rng) for side in (made, found))
    pairs = [pair for pair in combinations(range(len(names)), 2) if _apart(real, pair)]
    if len(pairs) < FEWEST_PAIRS:
        told = f"the log tells {len(pairs)} pairs of {len(names)} policies apart, {FEWEST_PAIRS} are needed: log more"
        return Ranking(values, np.nan, np.nan, np.nan, len(pairs), Verdict.INCONCLUSIVE, told)
    points = [np.array([[side[name].value() for name in names]]) for side in (made, found)]
    tau = _tau(points[0], points[1], pairs)[0]
    low, high = np.quantile(_tau(simulated, real, pairs), [0.025, 0.975])
    verdict = Verdict.PASS if tau >= limits.RANKED_ALIKE else Verdict.INCONCLUSIVE
    verdict = Verdict.FAIL if high < limits.RANKED_ALIKE else verdict
    told = f"Kendall's tau {tau:.2f} ({low:.2f} to {high:.2f}) over {len(pairs)} pairs of {len(names)} policies"
    return Ranking(values, float(tau), float(low), float(high), len(pairs), verdict, told)


def _drawn(worths: list[Worth], rng: np.random.Generator) -> Floats:
    """The first KPI of every policy in every resample; policies of one side share their units; [draws, policies]."""
    units = worths[0].units
    times = rng.multinomial(units, np.full(units, 1 / units), size=DRAWS).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.column_stack([(times @ each.above[0]) / (times @ each.below[0]) for each in worths])


def _apart(real: Floats, pair: tuple[int, int]) -> bool:
    low, high = np.nanquantile(real[:, pair[0]] - real[:, pair[1]], [0.025, 0.975])
    return bool(low > 0 or high < 0)


def _tau(simulated: Floats, real: Floats, pairs: list[tuple[int, int]]) -> Floats:
    one, other = (np.stack([np.sign(side[:, a] - side[:, b]) for a, b in pairs], axis=1) for side in (simulated, real))
    return np.asarray((one * other).mean(axis=1))
