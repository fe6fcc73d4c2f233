"""Off-policy estimators of one-step decisions: one accumulator, and a table of formulas that reads like a textbook."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.logged import Hashes, Logged
from tenure.evaluation.checks import LARGEST
from tenure.evaluation.grouped import (
    Ends,
    GroupedSums,
    filled,
    group_of,
    linearised_error,
    ratio_interval,
    ratio_slopes,
)
from tenure.evaluation.off_policy.slope import Point, slope
from tenure.evaluation.off_policy.terms import Weighed

Columns = tuple[Floats | float, ...]
"""Pairs of columns above and below a line; an estimate is the sum of their ratios."""

TUNED_ON = 4
"""One group of units in so many chooses clip and switch points, and is left out of the estimate."""

POINTS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, math.inf)
"""Clip and switch points that are tried, from the most biased to no clipping."""


@dataclass(frozen=True, eq=False)
class Weighted:
    """A batch as estimators take it.

    Args:
        reward: of each decision, in the problem's currency; [n].
        weight: probability the target gives to the logged action over the one it was logged with, >= 0; [n].
        unit: hash of the sticky key; uint64 [n].
        predicted: the reward model's value of the logged action; [n]; None without a model.
        expected: the model's value of the target, sum_a pi(a | x) q(x, a); [n]; None without a model.
    """

    reward: Floats
    weight: Floats
    unit: Hashes
    predicted: Floats | None = None
    expected: Floats | None = None

    @classmethod
    def of(cls, logged: Logged, seen: Weighed) -> Weighted:
        """A batch seen from a target, with 0 in place of what cannot be summed: the support refuses such a log."""
        reward, weight = (np.where(np.abs(x) < LARGEST, x, 0.0) for x in (logged.reward, seen.weight))
        return cls(reward, weight, logged.unit, seen.predicted, seen.expected)

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def model(self) -> tuple[Floats, Floats]:
        """The model's values of the logged action and of the target; zeros without a model."""
        zero = np.zeros(len(self.reward))
        return (zero if self.predicted is None else self.predicted), (zero if self.expected is None else self.expected)


def logged(batch: Weighted, _: float) -> Columns:
    """On-policy mean: r."""
    return batch.reward, 1.0


def dm(batch: Weighted, _: float) -> Columns:
    """Direct method: v, as right as the model."""
    return batch.model[1], 1.0


def ips(batch: Weighted, _: float) -> Columns:
    """Inverse propensity score, w r; Horvitz and Thompson (1952)."""
    return batch.weight * batch.reward, 1.0


def clipped_ips(batch: Weighted, point: float) -> Columns:
    """min(w, c) r; Ionides (2008)."""
    return np.minimum(batch.weight, point) * batch.reward, 1.0


def snips(batch: Weighted, _: float) -> Columns:
    """Self-normalised, sum w r / sum w; Swaminathan and Joachims (2015)."""
    return batch.weight * batch.reward, batch.weight


def dr(batch: Weighted, _: float) -> Columns:
    """Doubly robust, v + w (r - q); Dudik, Langford and Li (2011)."""
    q, v = batch.model
    return v + batch.weight * (batch.reward - q), 1.0


def sndr(batch: Weighted, _: float) -> Columns:
    """Self-normalised doubly robust, mean v + sum w (r - q) / sum w; Robins, Sued et al. (2007)."""
    q, v = batch.model
    return v, 1.0, batch.weight * (batch.reward - q), batch.weight


def switch_dr(batch: Weighted, point: float) -> Columns:
    """v + w 1{w <= l} (r - q); Wang, Agarwal and Dudik (2017)."""
    q, v = batch.model
    return v + batch.weight * (batch.weight <= point) * (batch.reward - q), 1.0


def dr_os(batch: Weighted, point: float) -> Columns:
    """Optimistic shrinkage, v + l w / (w^2 + l) (r - q); Su, Dimakopoulou, Krishnamurthy and Dudik (2020)."""
    q, v = batch.model
    return v + shrunk(batch.weight, point) * (batch.reward - q), 1.0


def shrunk(weight: Floats, point: float) -> Floats:
    """l w / (w^2 + l), and w itself where l is infinite."""
    return weight if math.isinf(point) else point * weight / (weight**2 + point)


@dataclass(frozen=True)
class Formula:
    """One estimator: its columns, whether it needs a reward model, and whether it has a point to choose."""

    columns: Callable[[Weighted, float], Columns]
    modelled: bool = False
    tuned: bool = False
    pairs: int = 1

    @property
    def name(self) -> str:
        """Its short name."""
        return self.columns.__name__


FORMULAS = {
    formula.name: formula
    for formula in (
        Formula(dm, modelled=True),
        Formula(ips),
        Formula(clipped_ips, tuned=True),
        Formula(snips),
        Formula(dr, modelled=True),
        Formula(sndr, modelled=True, pairs=2),
        Formula(switch_dr, modelled=True, tuned=True),
        Formula(dr_os, modelled=True, tuned=True),
    )
}
LOGGED = Formula(logged)


class OneStep:
    """One estimator over any number of batches, in any order and partition.

    Args:
        formula: which estimator; one of `FORMULAS` or `LOGGED`.
        points: clip or switch points among which a tuned one chooses.
        against: take the value of the logging policy from it: the estimate is then the gain over it, paired.
    """

    def __init__(self, formula: Formula, points: tuple[float, ...] = POINTS, *, against: bool = False) -> None:
        self.formula = formula
        self.points = points if formula.tuned else (math.inf,)
        self._against = against
        width = 2 * (formula.pairs + against)
        self._sums = [GroupedSums(width) for _ in self.points]
        self._products = np.zeros((width, width))

    @property
    def n(self) -> int:
        """Rows so far."""
        return self._sums[0].n

    def update(self, batch: Weighted, group: Ints | None = None) -> None:
        """Add a batch; `group` is `group_of(batch.unit)` where the caller has it already."""
        group = group_of(batch.unit) if group is None else group
        extra: Columns = (-batch.reward, 1.0) if self._against else ()
        for point, sums in zip(self.points, self._sums, strict=True):
            sums.update(group, self.formula.columns(batch, point) + extra)
        if not self.formula.tuned:
            rows = np.stack([np.broadcast_to(x, len(batch)) for x in self.formula.columns(batch, math.inf) + extra])
            self._products += rows @ rows.T

    def merge(self, other: OneStep) -> None:
        """Add what another accumulator of the same estimator has seen."""
        for mine, theirs in zip(self._sums, other._sums, strict=True):
            mine.merge(theirs)
        self._products += other._products

    @property
    def design_effect(self) -> float:
        """How many times the variance by unit is that of the same rows on their own, at least 1; Kish (1965).

        Of an estimator without a point to choose.
        """
        if not self.n:
            return 1.0
        slopes = ratio_slopes(self._sums[0].sums.sum(axis=0))
        by_row = float(slopes @ self._products @ slopes)
        by_unit = linearised_error(filled(self._sums[0].sums)) ** 2
        # Where all rows agree both are rounding, and their ratio says nothing.
        scale = float(np.abs(slopes) @ np.abs(self._products) @ np.abs(slopes))
        return max(1.0, by_unit / by_row) if by_row > 1e-12 * scale else 1.0

    def result(self, alpha: float = 0.05, seed: int = 0) -> Ends:
        """Value and interval by unit; a tuned estimator chooses its point on a quarter of the units by SLOPE.

        Raises:
            EvidenceError: fewer than two units, or no weight at all.
        """
        sums = self.sums
        if not self.formula.tuned:
            return ratio_interval(sums, alpha, seed)
        ends = ratio_interval(sums, alpha, seed)
        return Ends(
            ends.value,
            ends.low,
            ends.high,
            f"{ends.method}; point {self.point:g} by SLOPE",
        )

    @property
    def point(self) -> float:
        """The chosen clip or switch point; infinite where there is nothing to choose."""
        return self.points[self._chosen]

    @property
    def sums(self) -> Floats:
        """The sums of the estimate, [groups, 2 k]: of the units that did not choose the point."""
        if not self.formula.tuned:
            return self._sums[0].sums
        kept = np.arange(len(self._sums[0].sums)) % TUNED_ON != 0
        return np.asarray(self._sums[self._chosen].sums[kept])

    @property
    def tuning_sums(self) -> Floats:
        """The sums of the units that choose, of the first point; [groups, 2 k]."""
        return np.asarray(self._sums[0].sums[::TUNED_ON])

    @property
    def _chosen(self) -> int:
        if len(self.points) == 1:
            return 0
        tuning = [Point.of(sums.sums[::TUNED_ON]) for sums in self._sums]
        return slope(tuning)
