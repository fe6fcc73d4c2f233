"""Everything that is read from two runs over the same panel: gain, KPIs, tails and the sentence for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.core.simulator import Panel
from tenure.core.trace import Trace
from tenure.evaluation.checks import refusal
from tenure.evaluation.intervals import Sums, crossed_change, crossed_gain, crossed_level
from tenure.evaluation.tails import worst_share_mean

WORST = 0.05


@dataclass(frozen=True)
class KpiRow:
    """One KPI under both policies; `change` is candidate minus incumbent, in the KPI's unit."""

    name: str
    unit: str
    better: str
    incumbent: float
    candidate: float
    change: Estimate
    worse: bool

    @property
    def relative(self) -> float:
        """The change as a share of the incumbent's size; NaN where that is 0."""
        return self.change.value / abs(self.incumbent) if self.incumbent else math.nan


@dataclass(frozen=True)
class TailRow:
    """Mean of each policy's own worst share of world-periods, in the KPI numerator's unit."""

    name: str
    share: float
    incumbent: float
    candidate: float
    ratio: float


@dataclass(frozen=True)
class Comparison:
    """The gain in the first KPI with all that must be read beside it.

    Args:
        gain: as a share of the incumbent's KPI.
        kpis: each with its paired change; the first is the gain's.
        tails: worst shares.
        sentence: for people.
        as_share: the gain may be told as a share; not where the incumbent's KPI is not clearly apart from 0, where a
            small change is any share of it.
    """

    gain: Estimate
    kpis: tuple[KpiRow, ...]
    tails: tuple[TailRow, ...]
    sentence: str
    as_share: bool = True

    @property
    def words(self) -> str:
        """The gain with its interval and whether it may be chance: "10.0 % lower (95 % interval 8.0 to 12.0 %)"."""
        return gain_words(self.kpis[0], self.gain, self.as_share)


def compare(
    problem: Problem,
    baseline: Trace,
    candidates: Sequence[Trace],
    period: Ints | None,
    rng: np.random.Generator,
    cluster: str = "week",
    alpha: float = 0.05,
) -> Comparison:
    """A candidate against the incumbent, over the same worlds and steps.

    KPIs are ratios of sums over all worlds (and training seeds) of a period; periods are the clusters. Where each world
    was drawn by itself, worlds are, each over its whole time (`cluster_by` says which). Each interval stands by itself:
    with many KPIs one of them will look worse by chance now and then.

    Args:
        problem: whose KPIs are read; the gain is stated in the first.
        baseline: the incumbent's run.
        candidates: the candidate's runs, one per training seed.
        period: cluster of each step (`Trace.periods`), [steps]; None where worlds are the clusters.
        rng: chance of the resampling.
        cluster: what one cluster is.
        alpha: error rate of every interval, in (0, 1).

    Raises:
        EvidenceError: no candidate, other worlds or steps, a missing signal, NaN, fewer than two clusters, or an
            incumbent's first KPI that is not positive.
    """
    _check(problem, baseline, candidates, period)
    first = problem.kpis[0]
    gain = crossed_gain(*_both(first, baseline, candidates, period), rng, sign=first.sign, alpha=alpha, cluster=cluster)
    rows = tuple(
        _row(kpi, *_both(kpi, baseline, candidates, period), rng, alpha=alpha, cluster=cluster) for kpi in problem.kpis
    )
    tail = _tail(first, baseline, candidates, period)
    size = f"{gain.n // len(candidates)} {cluster}s x {len(candidates)} seed{'s' if len(candidates) > 1 else ''}"
    level = crossed_level(_sums(first, baseline, period), rng, alpha=alpha, cluster=cluster)
    as_share = _clear(level) and _clear(gain) == _clear(rows[0].change)
    return Comparison(gain, rows, (tail,), sentence(gain, rows, size, as_share), as_share)


def cluster_by(panel: Panel, length: timedelta, name: str) -> tuple[Ints | None, str]:
    """What an interval over a panel counts, as `compare` takes it: worlds drawn by themselves, else stretches of time.

    Args:
        panel: the worlds.
        length: of one period, where worlds share their time's luck.
        name: what such a period is called, such as "week".
    """
    return (None, "world") if panel.independent else (panel.periods(length), name)


def sentence(gain: Estimate, rows: Sequence[KpiRow], size: str, as_share: bool) -> str:
    """The first sentence for people: the gain, its interval, and every other KPI that is surely worse."""
    first, better = rows[0], gain.value >= 0
    told = f"{first.name} is {gain_words(first, gain, as_share, size)}"
    harms = " and ".join(_harm(row) for row in rows if row.worse and row.name != first.name)
    return f"{told}{f', but {harms}' if harms and better else f'; {harms}' if harms else ''}."


def gain_words(row: KpiRow, gain: Estimate, as_share: bool, size: str = "") -> str:
    """How much lower or higher a KPI is, as a share or in its unit; whether by chance, the paired change says."""
    told = gain if as_share else row.change
    value, low, high = told.value, told.low, told.high
    if as_share and row.better == "lower":  # a gain there is a KPI that falls
        value, low, high = -value, -high, -low
    word = "higher" if value > 0 else "lower"
    if value <= 0:
        value, low, high = -value, -high, -low
    factor, unit, digits = (100.0, "%", ".1f") if as_share else (1.0, row.unit, ".3g")
    ends = f"{factor * low:{digits}} to {factor * high:{digits}} {unit}"
    size = f", {size}" if size else ""
    words = f"{factor * value:{digits}} {unit} {word} ({100 * (1 - gain.alpha):g} % interval {ends}{size})"
    return words if _clear(row.change) else f"{words}, which may be chance"


def _clear(estimate: Estimate) -> bool:
    """Its interval leaves out 0."""
    return not estimate.low <= 0 <= estimate.high


def _harm(row: KpiRow) -> str:
    verb = "rose" if row.change.value > 0 else "fell"
    if row.incumbent:
        return f"{row.name} {verb} {100 * abs(row.relative):.0f} %"
    return f"{row.name} {verb} by {abs(row.change.value):.3g} {row.unit}"


def _row(kpi: KPI, before: Sums, after: Sums, rng: np.random.Generator, alpha: float, cluster: str) -> KpiRow:
    try:
        change = crossed_change(before, after, rng, alpha=alpha, cluster=cluster)
    except EvidenceError as error:
        raise refusal(error.expected, error.found, f"KPI {kpi.name!r}, {error.where}", error.fix) from error
    worse = change.high < 0 if kpi.better == "higher" else change.low > 0
    return KpiRow(kpi.name, kpi.unit, kpi.better, before.ratio, after.ratio, change, worse)


def _tail(first: KPI, baseline: Trace, candidates: Sequence[Trace], period: Ints | None) -> TailRow:
    # The worst end of a value is its low one, which is the high end with the sign turned.
    def worst(trace: Trace) -> float:
        alive = _by_period(trace.alive.astype(np.float64), period) > 0
        cells = _by_period(first.numerator(trace.signals), period)[alive]
        return -first.sign * worst_share_mean(-first.sign * cells, WORST)

    incumbent, candidate = worst(baseline), float(np.mean([worst(trace) for trace in candidates]))
    return TailRow(first.name, WORST, incumbent, candidate, candidate / incumbent if incumbent else math.nan)


def _both(kpi: KPI, baseline: Trace, candidates: Sequence[Trace], period: Ints | None) -> tuple[Sums, Sums]:
    runs = [_sums(kpi, trace, period) for trace in candidates]
    return _sums(kpi, baseline, period), Sums(np.stack([r.above for r in runs]), np.stack([r.below for r in runs]))


def _sums(kpi: KPI, trace: Trace, period: Ints | None) -> Sums:
    above, below = (_by_period(part, period) for part in trace.kpi_parts(kpi))
    others = 0 if period is None else 1  # what is summed away: the one period, or the worlds
    return Sums(above.sum(axis=others), below.sum(axis=others))


def _by_period(values: Floats, period: Ints | None) -> Floats:
    """Sums per period and world, from [steps, worlds] to [periods, worlds]; one period without any."""
    if period is None:
        return np.asarray(values.sum(axis=0, keepdims=True))
    names = np.unique(period)
    return np.asarray((period == names[:, None]).astype(np.float64) @ values)


def _check(problem: Problem, baseline: Trace, candidates: Sequence[Trace], period: Ints | None) -> None:
    if not candidates:
        raise refusal("at least one candidate run", "none", "compare(candidates)", "pass one trace per seed")
    shape = (baseline.steps if period is None else len(period), len(baseline.worlds))
    for trace in (baseline, *candidates):
        if trace.worlds != baseline.worlds:
            raise refusal(
                f"the worlds {list(baseline.worlds)[:5]}",
                str(list(trace.worlds)[:5]),
                "compare(candidates)",
                "run every policy over the same panel",
            )
        if trace.alive.shape != shape:
            raise refusal(
                f"actions of shape {shape}: one per entry of `period` and world",
                f"shape {trace.action.shape}",
                "compare(period)",
                "make the periods from the trace itself: trace.periods(timedelta(weeks=1))",
            )
        _check_signals(problem, trace, shape)


def _check_signals(problem: Problem, trace: Trace, shape: tuple[int, int]) -> None:
    for name in sorted({name for kpi in problem.kpis for name in (*kpi.of, *(kpi.per or {}))}):
        values = trace.signals.get(name)
        if values is None or values.shape != shape or not np.isfinite(values).all():
            found = (
                "none" if values is None else f"shape {values.shape}, {int((~np.isfinite(values)).sum())} not finite"
            )
            raise refusal(
                f"finite values of shape {shape}", found, f"compare, signal {name!r}", "measure it at every step"
            )
