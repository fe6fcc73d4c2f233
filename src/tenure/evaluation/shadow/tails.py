"""The worst units under both policies: mean of the worst 5 % of them, with its change and interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.evaluation.grouped import DRAWS
from tenure.evaluation.shadow.log import Replay
from tenure.evaluation.shadow.paired import Signals
from tenure.evaluation.tails import worst_share_mean

WORST = 0.05
_AT_ONCE = 4_000_000
"""Weights in memory at a time while resampling."""


@dataclass(frozen=True)
class TailChange:
    """Mean KPI of each policy's own worst units (conditional value at risk).

    Args:
        kpi, unit: as the problem states them.
        share: which share of the units counts as worst.
        incumbent, candidate: the mean over these.
        change: candidate minus incumbent.
        worse: the change is proven to be for the worse.
    """

    kpi: str
    unit: str
    share: float
    incumbent: float
    candidate: float
    change: Estimate
    worse: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**vars(self), "change": self.change.as_dict()}


def tail_changes(problem: Problem, replay: Replay, alpha: float, seed: int) -> tuple[TailChange, ...]:
    """The worst 5 % of units by each KPI, one row per KPI; intervals hold over all KPIs together (Bonferroni).

    Whole clusters are resampled, with both policies in the same clusters; fewer than two clusters give no row.

    Source: conditional value at risk, Rockafellar and Uryasev (2000); percentile bootstrap over clusters, Davison and
    Hinkley (1997), section 3.8.
    """
    _, unit = np.unique(replay.unit, return_inverse=True)
    first = np.unique(unit, return_index=True)[1]
    _, cluster = np.unique(replay.cluster[first], return_inverse=True)
    if not len(unit) or cluster.max() < 1:
        return ()
    each = alpha / len(problem.kpis)
    rows = (_tail(kpi, replay, unit, cluster, each, seed) for kpi in problem.kpis)
    return tuple(row for row in rows if row is not None)


def _tail(kpi: KPI, replay: Replay, unit: Ints, cluster: Ints, alpha: float, seed: int) -> TailChange | None:
    before, after = (_badness(kpi, signals, unit) for signals in (replay.incumbent, replay.candidate))
    known = np.isfinite(before) & np.isfinite(after)
    if len(np.unique(cluster[known])) < 2:
        return None
    before, after, cluster = before[known], after[known], cluster[known]
    low, high = np.quantile(_drawn(before, after, cluster, seed), [alpha / 2, 1 - alpha / 2])
    incumbent, candidate = worst_share_mean(before, WORST), worst_share_mean(after, WORST)
    ends = (float(low), float(high)) if kpi.sign < 0 else (float(-high), float(-low))
    method = f"percentile bootstrap over {cluster.max() + 1} {replay.cluster_name}s"
    clusters = float(cluster.max() + 1)
    change = Estimate(
        -kpi.sign * (candidate - incumbent), *ends, len(before), clusters, method, replay.cluster_name, alpha
    )
    sides = -kpi.sign * incumbent, -kpi.sign * candidate
    return TailChange(kpi.name, kpi.unit, WORST, *sides, change, worse=float(low) > 0)


def _badness(kpi: KPI, signals: Signals, unit: Ints) -> Floats:
    """The KPI of each unit, turned so that more is worse; NaN where there is nothing to divide by; [units]."""
    above = np.bincount(unit, weights=kpi.numerator(signals))
    below = np.bincount(unit, weights=kpi.denominator(signals))
    return np.asarray(-kpi.sign * np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0))


def _drawn(before: Floats, after: Floats, cluster: Ints, seed: int) -> Floats:
    """Resampled changes of the worst units' mean; [DRAWS]."""
    rng, clusters = np.random.default_rng(seed), int(cluster.max()) + 1
    orders = [np.argsort(-x, kind="stable") for x in (before, after)]
    drawn: list[Floats] = []
    at_once = max(1, _AT_ONCE // len(before))
    for start in range(0, DRAWS, at_once):
        draws = min(at_once, DRAWS - start)
        counts = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(np.float64)
        weight = counts[:, cluster]
        old, new = (_weighted(x[o], weight[:, o]) for x, o in zip((before, after), orders, strict=True))
        drawn.append(new - old)
    return np.concatenate(drawn)


def _weighted(x: Floats, weight: Floats) -> Floats:
    """Mean of the worst share of weighted entries, which stand from worst to best; [n], [draws, n] give [draws]."""
    through = np.cumsum(weight, axis=1)
    quota = WORST * through[:, -1:]
    counted = np.clip(quota - (through - weight), 0.0, weight)
    return np.asarray((counted * x).sum(axis=1) / quota[:, 0])
