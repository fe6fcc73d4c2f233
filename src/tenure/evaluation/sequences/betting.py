"""Betting confidence sequences: bounds on a mean that may be looked at after every observation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import finite, share
from tenure.evaluation.sequences.stakes import Moments, bet

BATCH = 256
"""Observations judged at once: enough to be quick, few enough for the memory of a grid of means."""


class BettingLower:
    """Lower confidence bound on the mean of bounded observations, valid at every look together.

    For each mean m on a grid a bettor stakes on "more than m"; where that mean were true the capital would reach
    1 / alpha with probability at most alpha, ever. The bound is the largest m up to which every m has been refuted;
    it never falls. It asks that each observation's mean, given the earlier ones, is the same (or never above the m it
    refutes); where observations share a day's luck, feed one number per day.

    Args:
        low: smallest possible observation, in its unit.
        high: largest possible one.
        alpha: error rate over all looks together, in (0, 1).
        null: a mean to be tested exactly rather than to the grid's width, strictly between low and high.
        cap: largest share of the capital one observation may cost, in (0, 1).
        points: means on the grid.

    Raises:
        EvidenceError: low >= high, or an argument out of its range.

    Source: Waudby-Smith and Ramdas (2023), theorem 3 and section B.

    >>> lower = BettingLower(0, 1, null=0.5)
    >>> for _ in range(12):
    ...     lower.update(1.0)
    >>> lower.rejects(0.5), round(lower.low, 2)
    (True, 0.61)
    """

    def __init__(
        self,
        low: float,
        high: float,
        alpha: float = 0.05,
        null: float | None = None,
        cap: float = 0.5,
        points: int = 1000,
    ) -> None:
        _check_bounds(low, high, null, points)
        self.bounds = (float(low), float(high))
        self.alpha = share(alpha, "alpha", "BettingLower")
        self.null = null
        self.broken: str | None = None
        self._cap = share(cap, "cap", "BettingLower")
        self._moments = Moments()
        grid = np.linspace(0.0, 1.0, points + 2)[1:-1]
        exact = [] if null is None else [self._scaled(null)]
        self._grid = np.union1d(grid, exact)
        self._null_at = int(np.searchsorted(self._grid, exact[0])) if exact else -1
        self._log_capital = np.zeros_like(self._grid)
        self._most = np.zeros_like(self._grid)

    def update(self, x: float | Floats) -> None:
        """Take one observation, in its own unit, or several in the order they came; [batch].

        Raises:
            EvidenceError: one lies outside the stated bounds or is NaN; the sequence stays broken from then on.
        """
        column = np.atleast_1d(np.asarray(x, dtype=np.float64))
        inside = (self.bounds[0] <= column) & (column <= self.bounds[1])
        good = len(column) if inside.all() else int(np.argmin(inside))
        for start in range(0, 0 if self.broken else good, BATCH):
            self._take(self._scaled(column[start : min(start + BATCH, good)]))
        self._refuse_if_broken(column[good:])

    def _take(self, scaled: Floats) -> None:
        before, self._moments = self._moments.through(scaled)
        stake = bet(before, self._grid, self._cap)
        gained = np.log1p(stake * (scaled[:, None] - self._grid))
        capital = np.cumsum(np.concatenate([self._log_capital[None], gained]), axis=0)
        np.maximum(self._most, capital.max(axis=0), out=self._most)
        self._log_capital = capital[-1]

    @property
    def n(self) -> int:
        """Observations so far."""
        return int(self._moments.n)

    @property
    def mean(self) -> float:
        """Their mean; NaN before the first."""
        if not self.n:
            return math.nan
        return self._unscaled(float(self._moments.total - 0.5) / self.n)

    @property
    def sd(self) -> float:
        """Their running standard deviation, prior included, so never 0."""
        return math.sqrt(float(self._moments.variance)) * (self.bounds[1] - self.bounds[0])

    @property
    def low(self) -> float:
        """The bound, in the observations' unit; their smallest possible value while nothing is refuted."""
        refuted = self._most >= -math.log(self.alpha)
        count = len(refuted) if refuted.all() else int(np.argmin(refuted))
        return self._unscaled(float(self._grid[count - 1])) if count else self.bounds[0]

    @property
    def e_value(self) -> float:
        """Capital now of the bet against `null`: evidence against "the mean is at most `null`".

        Raises:
            EvidenceError: no `null` was given.
        """
        if self.null is None:
            raise EvidenceError(
                expected="a null to bet against", found="none", where="e_value", fix="give `null=` when building it"
            )
        return math.exp(min(float(self._log_capital[self._null_at]), 700.0))

    def rejects(self, m: float) -> bool:
        """Whether "the mean is at most m" has been refuted at any look so far."""
        if m == self.null:
            return bool(self._most[self._null_at] >= -math.log(self.alpha))
        return self.low > self.bounds[0] and m <= self.low

    def _scaled(self, x: Any) -> Any:
        return (x - self.bounds[0]) / (self.bounds[1] - self.bounds[0])

    def _unscaled(self, x: float) -> float:
        return self.bounds[0] + x * (self.bounds[1] - self.bounds[0])

    def _refuse_if_broken(self, rest: Floats) -> None:
        if self.broken is None and len(rest):
            self.broken = f"observation {self.n + 1} is {rest[0]:g}"
        if self.broken is not None:
            raise EvidenceError(
                expected=f"observations in [{self.bounds[0]:g}, {self.bounds[1]:g}]",
                found=self.broken,
                where="betting sequence",
                fix="correct the signal or its stated bounds and start the sequence again",
            )


class BettingUpper:
    """Upper confidence bound on the same terms: `BettingLower` seen in a mirror; args and errors as there."""

    def __init__(
        self,
        low: float,
        high: float,
        alpha: float = 0.05,
        null: float | None = None,
        cap: float = 0.5,
        points: int = 1000,
    ) -> None:
        mirrored = None if null is None else -null
        self._mirror = BettingLower(-high, -low, alpha, mirrored, cap, points)
        self.bounds = (float(low), float(high))
        self.alpha = alpha
        self.null = null

    def update(self, x: float | Floats) -> None:
        """Take one observation or several; errors as `BettingLower.update`."""
        self._mirror.update(-np.asarray(x, dtype=np.float64))

    @property
    def broken(self) -> str | None:
        """Why nothing can be said any more; None while all is well."""
        return None if self._mirror.broken is None else f"{self._mirror.broken} (sign turned)"

    @property
    def n(self) -> int:
        """Observations so far."""
        return self._mirror.n

    @property
    def mean(self) -> float:
        """Their mean; NaN before the first."""
        return -self._mirror.mean

    @property
    def sd(self) -> float:
        """Their running standard deviation, prior included."""
        return self._mirror.sd

    @property
    def high(self) -> float:
        """The bound, in the observations' unit."""
        return -self._mirror.low

    @property
    def e_value(self) -> float:
        """Capital now of the bet against `null`: evidence against "the mean is at least `null`"."""
        return self._mirror.e_value

    def rejects(self, m: float) -> bool:
        """Whether "the mean is at least m" has been refuted at any look so far."""
        return self._mirror.rejects(-m)


class BettingMean:
    """Both bounds at once, each with half of alpha; `lower` and `upper` are the two sequences."""

    def __init__(
        self,
        low: float,
        high: float,
        alpha: float = 0.05,
        null: float | None = None,
        cap: float = 0.5,
        points: int = 1000,
    ) -> None:
        self.alpha = share(alpha, "alpha", "BettingMean")
        self.lower = BettingLower(low, high, alpha / 2, null, cap, points)
        self.upper = BettingUpper(low, high, alpha / 2, null, cap, points)

    def update(self, x: float | Floats) -> None:
        """Take one observation or several; errors as `BettingLower.update`."""
        # Both halves must learn of an observation that breaks them, or one would go on as if all were well.
        try:
            self.upper.update(x)
        finally:
            self.lower.update(x)

    @property
    def n(self) -> int:
        """Observations so far."""
        return self.lower.n

    @property
    def low(self) -> float:
        """Lower bound."""
        return self.lower.low

    @property
    def high(self) -> float:
        """Upper bound."""
        return self.upper.high

    def estimate(self, cluster: str = "row") -> Estimate:
        """The mean so far with its interval, valid at this and every other look.

        Raises:
            EvidenceError: no observation yet, or bounds that contradict each other because the mean moved.
        """
        if not self.n or self.low > self.high:
            raise EvidenceError(
                expected="observations around one mean",
                found=f"{self.n} observations, at least {self.low:g} and at most {self.high:g}",
                where="BettingMean.estimate",
                fix="wait for the first observation, or start again where the mean changed",
            )
        mean, low, high = self.lower.mean, self.low, self.high
        return Estimate(mean, low, high, self.n, float(self.n), "betting sequence, aGRAPA", cluster, self.alpha)


def betting_interval(
    x: Floats | Iterable[float], low: float, high: float, alpha: float = 0.05, cluster: str = "row"
) -> Estimate:
    """Mean of bounded observations in the order they came, [n], with the interval of `BettingMean`; errors as there."""
    sequence = BettingMean(low, high, alpha)
    sequence.update(finite(np.asarray(list(x), dtype=np.float64), "betting_interval(x)", at_least=1))
    return sequence.estimate(cluster)


def _check_bounds(low: float, high: float, null: float | None, points: int) -> None:
    inside = null is None or low < null < high
    if not (math.isfinite(low) and math.isfinite(high) and low < high and inside and points >= 1):
        raise EvidenceError(
            expected="finite bounds with low < null < high, and at least one grid point",
            found=f"low={low}, high={high}, null={null}, points={points}",
            where="betting sequence",
            fix="state the smallest and largest possible observation; a null beyond them needs no test",
        )
