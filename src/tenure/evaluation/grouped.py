"""Sums by groups of units: all that an interval over units needs, however many rows there are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats, Ints
from tenure.core.logged import Hashes
from tenure.evaluation.checks import refusal, same_length, share

GROUPS = 4096
"""Groups into which units are hashed. Two units in one group are counted as one, which costs a little precision and
never validity; memory does not grow with the log."""

DRAWS = 1000
"""Bootstrap resamples."""

_ROWS_AT_ONCE = 256


def mixed(unit: Hashes, salt: int = 0) -> Hashes:
    """Hashes spread over all 64 bits, differently for each salt; source: splitmix64, Steele, Lea and Flood (2014)."""
    with np.errstate(over="ignore"):
        z = unit.astype(np.uint64) + np.uint64((salt * 2 + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def group_of(unit: Hashes) -> Ints:
    """Group of each unit, in [0, GROUPS); the same on every machine and in every order."""
    return (mixed(unit) % np.uint64(GROUPS)).astype(np.int64)


@dataclass
class GroupedSums:
    """Sums of `width` columns in each group of units; order and partition of the rows do not matter.

    Args:
        width: columns.
        sums: float64 [GROUPS, width].
        n: rows so far.
    """

    width: int
    sums: Floats = field(init=False)
    n: int = 0

    def __post_init__(self) -> None:
        self.sums = np.zeros((GROUPS, self.width))

    def update(self, group: Ints, columns: tuple[Floats | float, ...]) -> None:
        """Add rows: their groups, [n], and `width` columns, [n] each; a plain number stands for a constant column.

        Raises:
            EvidenceError: another number of columns, or columns of another length.
        """
        if len(columns) != self.width:
            raise refusal(f"{self.width} columns", str(len(columns)), "GroupedSums.update", "pass one per sum")
        count: Floats | None = None
        for index, column in enumerate(columns):
            if isinstance(column, (int, float)):
                count = np.bincount(group, minlength=GROUPS).astype(np.float64) if count is None else count
                self.sums[:, index] += column * count
            else:
                same_length("GroupedSums.update", group=len(group), column=len(column))
                self.sums[:, index] += np.bincount(group, weights=column, minlength=GROUPS)
        self.n += len(group)

    def merge(self, other: GroupedSums) -> None:
        """Add what another has summed.

        Raises:
            EvidenceError: it sums something else.
        """
        if other.width != self.width:
            raise refusal(f"{self.width} columns", str(other.width), "GroupedSums.merge", "merge sums of one kind")
        self.sums += other.sums
        self.n += other.n


@dataclass(frozen=True)
class Ends:
    """A value and its interval; `method` names how."""

    value: float
    low: float
    high: float
    method: str


def filled(sums: Floats) -> Floats:
    """The groups with something under a line; [groups, 2 k]."""
    return np.asarray(sums[(sums[:, 1::2] != 0).any(axis=1)])


def sum_of_ratios(sums: Floats) -> Floats:
    """sum_i a_i / b_i of columns a_1, b_1, a_2, b_2, ...; [..., 2 k] gives [...]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((sums[..., 0::2] / sums[..., 1::2]).sum(axis=-1))


def ratio_slopes(total: Floats) -> Floats:
    """Slopes of `sum_of_ratios` in its columns; [..., 2 k] gives [..., 2 k].

    Slopes are orthogonal to the totals: what a group or row adds to the error is its sums times the slopes, and that
    adds up to 0.

    Source: linearisation of a ratio, Cochran (1977), section 6.4.
    """
    slopes = np.empty_like(total, dtype=np.float64)
    slopes[..., 0::2] = 1 / total[..., 1::2]
    slopes[..., 1::2] = -total[..., 0::2] / total[..., 1::2] ** 2
    return slopes


def ratio_influence(sums: Floats) -> Floats:
    """What each group adds to the error of `sum_of_ratios`; [groups, 2 k] gives [groups], summing to 0."""
    return np.asarray(sums @ ratio_slopes(sums.sum(axis=0)))


def ratio_interval(sums: Floats, alpha: float = 0.05, seed: int = 0) -> Ends:
    """`sum_of_ratios` with an interval over groups of units.

    A bootstrap-t: groups are drawn with replacement and every resample is studentised by its own linearised error,
    because rewards weighted by propensities are skewed and a plain percentile interval is then too short on one side.
    Where resamples without any error make that impossible, Student's t on the linearised error is used.

    Args:
        sums: columns a_1, b_1, ...; [groups, 2 k], of which empty groups are left out.
        alpha: error rate, in (0, 1).
        seed: chance of the resampling.

    Raises:
        EvidenceError: fewer than two groups with rows, or nothing under a line.

    Source: Efron and Tibshirani (1993), section 12.5; random groups, Wolter (2007), chapter 2.
    """
    share(alpha, "alpha", "ratio_interval")
    sums = filled(sums)
    total = sums.sum(axis=0)
    if len(sums) < 2 or not (total[1::2] > 0).all():
        raise refusal("two units or more, with weight", f"{len(sums)}", "ratio_interval", "collect more decisions")
    value, error = float(sum_of_ratios(total)), linearised_error(sums)
    if error == 0:
        return Ends(value, value, value, "no spread between units")
    quantiles = _studentised(sums, value, alpha, seed)
    if quantiles is None:
        radius = float(stats.t.ppf(1 - alpha / 2, len(sums) - 1)) * error
        return Ends(value, value - radius, value + radius, f"t over {len(sums)} groups of units, linearised")
    return Ends(
        value, value - quantiles[1] * error, value - quantiles[0] * error, f"bootstrap-t over {len(sums)} groups"
    )


def linearised_error(sums: Floats) -> float:
    """Standard error of `sum_of_ratios` over groups with rows; [groups, 2 k]."""
    groups = len(sums)
    return math.sqrt(groups / (groups - 1) * float((ratio_influence(sums) ** 2).sum()))


def _studentised(sums: Floats, value: float, alpha: float, seed: int) -> tuple[float, float] | None:
    """The two quantiles of (resampled value - value) / resampled error; None where errors vanish."""
    groups, width = sums.shape
    products = (sums[:, :, None] * sums[:, None, :]).reshape(groups, width * width)
    rng = np.random.default_rng(seed)
    drawn: list[Floats] = []
    for start in range(0, DRAWS, _ROWS_AT_ONCE):
        weights = _resampled(rng, groups, min(_ROWS_AT_ONCE, DRAWS - start))
        drawn.append(_student(weights @ sums, (weights @ products).reshape(-1, width, width), value))
    t = np.concatenate(drawn)
    if not np.isfinite(t).mean() >= 1 - alpha / 20:
        return None
    low, high = np.quantile(t[np.isfinite(t)], [alpha / 2, 1 - alpha / 2])
    return float(low), float(high)


def _resampled(rng: np.random.Generator, groups: int, draws: int) -> Floats:
    """How often each group is drawn in each resample; [draws, groups], rows sum to `groups`."""
    drawn = rng.integers(groups, size=(draws, groups)) + np.arange(draws)[:, None] * groups
    return np.bincount(drawn.ravel(), minlength=draws * groups).reshape(draws, groups).astype(np.float64)


def _student(total: Floats, products: Floats, value: float) -> Floats:
    """Studentised resamples; [draws, 2 k] and [draws, 2 k, 2 k] give [draws]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = ratio_slopes(total)
        variance = np.einsum("di,dij,dj->d", slopes, products, slopes)
        return np.asarray((sum_of_ratios(total) - value) / np.sqrt(np.where(variance > 0, variance, np.nan)))
