"""Intervals for a mean, and for a candidate's change of a KPI over clusters and training seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import finite, share

DRAWS = 4000
_FIXED = ("baseline", "bound")
"""What messages call the sums without seeds."""


@dataclass(frozen=True)
class Sums:
    """A KPI's two sums in every cluster; their ratio is the KPI.

    Args:
        above: sum over the line, [clusters] or [seeds, clusters], in the KPI's unit times `below`'s.
        below: sum under the line, same shape.
    """

    above: Floats
    below: Floats

    @property
    def ratio(self) -> float:
        """The KPI over all seeds and clusters."""
        return float(self.above.sum() / self.below.sum())


def t_interval(x: Floats, alpha: float = 0.05, cluster: str = "row", one_sided: bool = False) -> Estimate:
    """Mean of independent units with Student's t interval; for one look only, not for looking again and again.

    Args:
        x: one number per independent unit, any unit; [n].
        alpha: error rate, in (0, 1).
        cluster: what one entry of `x` is.
        one_sided: all of alpha below the mean; the upper end is then infinite.

    Raises:
        EvidenceError: fewer than two entries, NaN or infinity, or an impossible alpha.

    Source: Student (1908).
    """
    where = "t_interval(x)"
    x = finite(x, where)
    tail = share(alpha, "alpha", where) if one_sided else share(alpha, "alpha", where) / 2
    n, mean = len(x), float(x.mean())
    radius = float(stats.t.ppf(1 - tail, n - 1)) * float(x.std(ddof=1)) / math.sqrt(n)
    high = math.inf if one_sided else mean + radius
    method = "Student t, one-sided" if one_sided else "Student t"
    return Estimate(mean, mean - radius, high, n, float(n), method, cluster, alpha)


def crossed_bootstrap(
    baseline: Floats,
    candidate: Floats,
    rng: np.random.Generator,
    alpha: float = 0.05,
    cluster: str = "cluster",
    draws: int = DRAWS,
) -> Estimate:
    """Share of the incumbent's cost that the candidate saves: 1 - mean(candidate) / mean(baseline).

    Args:
        baseline: the incumbent's cost in each cluster; [clusters].
        candidate: the candidate's cost for each training seed, in the same clusters; [seeds, clusters].
        rng: chance of the resampling.
        alpha: error rate of the interval, in (0, 1).
        cluster: what one cluster is, such as "week".
        draws: resamples.

    Raises:
        EvidenceError: fewer than two clusters, shapes that do not match, NaN, or a baseline that is not positive.

    Source: as `crossed_gain`.
    """
    return crossed_gain(_plain(baseline, 1), _plain(candidate, 2), rng, alpha=alpha, cluster=cluster, draws=draws)


def relative_gain(
    baseline: Floats,
    candidate: Floats,
    rng: np.random.Generator,
    alpha: float = 0.05,
    cluster: str = "cluster",
    draws: int = DRAWS,
) -> Estimate:
    """The same share for one fixed policy version, [clusters] each: doubt over clusters only, none over training."""
    row = np.asarray(candidate, dtype=np.float64)[None]
    return crossed_bootstrap(baseline, row, rng, alpha=alpha, cluster=cluster, draws=draws)


def crossed_gain(
    baseline: Sums,
    candidate: Sums,
    rng: np.random.Generator,
    *,
    sign: int = -1,
    alpha: float = 0.05,
    cluster: str = "cluster",
    draws: int = DRAWS,
) -> Estimate:
    """Improvement of a KPI as a share of the incumbent's, positive where the candidate is better.

    Seeds and clusters are drawn with replacement, independently of each other (one seed is never resampled). A
    percentile interval over so few units is too narrow, so the wider of it and of a t interval on the linearised
    ratio is used; `method` says which. With one seed the t interval has clusters - 1 degrees of freedom; with more,
    the variance over seeds is added and the degrees are Satterthwaite's, because five seeds that differ much are as
    few as five clusters.

    Args:
        baseline: the incumbent's sums; [clusters].
        candidate: the candidate's sums in the same clusters; [seeds, clusters].
        rng: chance of the resampling.
        sign: +1 where a higher KPI is better, -1 where a lower one is (`KPI.sign`).
        alpha: error rate of the interval, in (0, 1).
        cluster: what one cluster is.
        draws: resamples.

    Raises:
        EvidenceError: fewer than two clusters, shapes that do not match, NaN, or an incumbent's KPI <= 0.

    Source: pigeonhole bootstrap, Owen (2007), Annals of Applied Statistics 1(2); linearisation, Cochran (1977), 6.4;
    degrees of freedom, Satterthwaite (1946).
    """
    check_crossed((baseline,), candidate, "crossed_gain", alpha)
    if not baseline.ratio > 0:
        raise EvidenceError(
            expected="an incumbent's KPI above 0, to state a share of it",
            found=f"{baseline.ratio:g}",
            where="crossed_gain(baseline)",
            fix="state the change in the KPI's own unit (crossed_change)",
        )

    def gain(before: Floats, after: Floats) -> Floats:
        return sign * (after / before - 1)

    slopes = (-sign * candidate.ratio / baseline.ratio**2, sign / baseline.ratio)
    return crossed((baseline,), candidate, gain, slopes, rng, alpha, cluster, draws)


def crossed_change(
    baseline: Sums,
    candidate: Sums,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    cluster: str = "cluster",
    draws: int = DRAWS,
) -> Estimate:
    """Change of a KPI in its own unit, candidate minus incumbent, whichever direction is better.

    Args, errors and source as `crossed_gain`; the incumbent's KPI may have any sign.
    """
    check_crossed((baseline,), candidate, "crossed_change", alpha)

    def change(before: Floats, after: Floats) -> Floats:
        return after - before

    return crossed((baseline,), candidate, change, (-1.0, 1.0), rng, alpha, cluster, draws)


def crossed_level(
    sums: Sums, rng: np.random.Generator, *, alpha: float = 0.05, cluster: str = "cluster", draws: int = DRAWS
) -> Estimate:
    """A KPI itself with its doubt over clusters; [clusters]. Args, errors and source as `crossed_gain`."""
    own = Sums(sums.above[None], sums.below[None])
    check_crossed((sums,), own, "crossed_level", alpha)
    return crossed((), own, lambda level: level, (1.0,), rng, alpha, cluster, draws)


def _plain(cost: Floats, axes: int) -> Sums:
    above = finite(cost, "crossed_bootstrap(baseline, candidate)", axes=axes)
    return Sums(above, np.ones_like(above))


def check_crossed(fixed: Sequence[Sums], candidate: Sums, function: str, alpha: float) -> None:
    """What `crossed` asks of its sums.

    Raises:
        EvidenceError: as `crossed_gain`, but for the sign of a KPI.
    """
    share(alpha, "alpha", function)
    baseline = fixed[0]
    for name, sums, axes in (
        *((word, sums, 1) for word, sums in zip(_FIXED, fixed, strict=False)),
        ("candidate", candidate, 2),
    ):
        above = finite(sums.above, f"{function}({name})", axes=axes)
        below = finite(sums.below, f"{function}({name})", axes=axes)
        if above.shape != below.shape or above.shape[-1] != baseline.above.shape[-1]:
            raise EvidenceError(
                expected=f"the same {baseline.above.shape[-1]} clusters in every array",
                found=f"above {above.shape}, below {below.shape}",
                where=f"{function}({name})",
                fix="run both policies over the same panel",
            )
        if below.min() < 0 or not below.sum() > 0:
            raise EvidenceError(
                expected="sums under the line >= 0, and above 0 somewhere",
                found=f"smallest {below.min():g}, in total {below.sum():g}",
                where=f"{function}({name}.below)",
                fix="a KPI is undefined where there is nothing to divide by; measure where there is",
            )


def crossed(
    fixed: Sequence[Sums],
    candidate: Sums,
    statistic: Callable[..., Floats],
    slopes: Sequence[float],
    rng: np.random.Generator,
    alpha: float,
    cluster: str,
    draws: int,
) -> Estimate:
    """Interval of a statistic of several KPIs over the same clusters; only the candidate's differ by seed.

    Args:
        fixed: sums of what has no seeds, such as the incumbent; [clusters] each.
        candidate: [seeds, clusters].
        statistic: from the KPIs, those of `fixed` first, to the figure; row by row.
        slopes: its derivative by each KPI, at the KPIs as they are.
        rng, alpha, cluster, draws: as `crossed_gain`, which also says how the interval is made.
    """
    value = float(statistic(*(np.asarray(sums.ratio) for sums in (*fixed, candidate))))
    by_draw = np.quantile(_draws(fixed, candidate, statistic, rng, draws), [alpha / 2, 1 - alpha / 2])
    seeds, clusters = candidate.above.shape
    error, degrees = _linearised(fixed, candidate, slopes)
    radius = float(stats.t.ppf(1 - alpha / 2, degrees)) * error
    if 2 * radius > by_draw[1] - by_draw[0]:
        low, high = value - radius, value + radius
        method = f"t over clusters{' and seeds' if seeds > 1 else ''}, df {degrees:.3g}"
    else:
        kind = "crossed bootstrap" if seeds > 1 else "bootstrap over clusters"
        low, high, method = float(by_draw[0]), float(by_draw[1]), f"{kind}, percentile, {draws} draws"
    return Estimate(value, low, high, seeds * clusters, float(clusters), method, cluster, alpha)


def _draws(
    fixed: Sequence[Sums],
    candidate: Sums,
    statistic: Callable[..., Floats],
    rng: np.random.Generator,
    draws: int,
) -> Floats:
    seeds, clusters = candidate.above.shape
    by_cluster = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(np.float64)
    by_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws).astype(np.float64)
    below_candidate = np.einsum("ds,sc,dc->d", by_seed, candidate.below, by_cluster, optimize=True)
    above_candidate = np.einsum("ds,sc,dc->d", by_seed, candidate.above, by_cluster, optimize=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [by_cluster @ sums.above / (by_cluster @ sums.below) for sums in fixed]
        drawn = np.asarray(statistic(*ratios, above_candidate / below_candidate))
    if not np.isfinite(drawn).all():
        raise EvidenceError(
            expected="something to divide by in every resample",
            found=f"{int((~np.isfinite(drawn)).sum())} of {draws} resamples in which it is 0",
            where="the KPI's sums",
            fix="use longer periods as clusters, or more of them",
        )
    return drawn


def _linearised(fixed: Sequence[Sums], candidate: Sums, slopes: Sequence[float]) -> tuple[float, float]:
    """Standard error of the statistic and its degrees of freedom, from what each cluster and each seed adds."""
    seeds, clusters = candidate.above.shape
    by_cluster = slopes[-1] * _influence(candidate.above.sum(axis=0), candidate.below.sum(axis=0))
    for slope, sums in zip(slopes, fixed, strict=False):
        by_cluster = by_cluster + slope * _influence(sums.above, sums.below)
    over_clusters = clusters / (clusters - 1) * float((by_cluster**2).sum())
    if seeds == 1:
        return math.sqrt(over_clusters), float(clusters - 1)
    by_seed = slopes[-1] * _influence(candidate.above.sum(axis=1), candidate.below.sum(axis=1))
    over_seeds = seeds / (seeds - 1) * float((by_seed**2).sum())
    total = over_clusters + over_seeds
    spread = over_clusters**2 / (clusters - 1) + over_seeds**2 / (seeds - 1)
    return math.sqrt(total), total**2 / spread if spread else float(clusters - 1)


def _influence(above: Floats, below: Floats) -> Floats:
    """What each cluster (or seed) adds to the ratio's error; same shape."""
    return np.asarray((above - above.sum() / below.sum() * below) / below.sum())
