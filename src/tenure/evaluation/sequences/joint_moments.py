"""Means, covariances and third moments of several figures of one unit, folded in batches and merged without loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.evaluation.checks import finite, refusal

ROUNDING = 1e-12
"""A spread this small beside the mean is rounding."""


@dataclass(frozen=True, eq=False)
class JointMoments:
    """What n units' d figures add up to.

    Args:
        n: units so far.
        mean: of each figure; [d].
        second: sums of products of two distances from the mean; [d, d].
        third: sums of products of three; [d, d, d].
    """

    n: int
    mean: Floats
    second: Floats
    third: Floats

    @classmethod
    def of(cls, rows: Floats) -> JointMoments:
        """The moments of a batch of units; [n, d], n >= 1.

        Raises:
            EvidenceError: no unit, NaN or infinity.
        """
        rows = finite(rows, "JointMoments.of(rows)", axes=2, at_least=1)
        mean = rows.mean(axis=0)
        apart = rows - mean
        third = np.einsum("ni,nj,nk->ijk", apart, apart, apart, optimize=True)
        return cls(len(rows), mean, apart.T @ apart, third)

    @classmethod
    def none(cls, d: int) -> JointMoments:
        """No unit yet, of d figures each."""
        return cls(0, np.zeros(d), np.zeros((d, d)), np.zeros((d, d, d)))

    def merge(self, other: JointMoments) -> JointMoments:
        """Both batches as one; exact up to rounding, in any order.

        Source: Chan, Golub and LeVeque (1979); third moments after Pebay (2008), SAND2008-6212, equation 3.1.
        """
        if not self.n or not other.n:
            return self if self.n else other
        n, gap = self.n + other.n, other.mean - self.mean
        between = np.multiply.outer(gap, gap) * (self.n * other.n / n)
        cubed = np.multiply.outer(between, gap) * ((self.n - other.n) / n)
        crossed = np.multiply.outer((self.n * other.second - other.n * self.second) / n, gap)
        return JointMoments(
            n,
            self.mean + gap * (other.n / n),
            self.second + other.second + between,
            self.third + other.third + cubed + crossed + crossed.transpose(0, 2, 1) + crossed.transpose(2, 1, 0),
        )

    def sd(self, weights: Floats) -> float:
        """Standard deviation of the weighted sum of a unit's figures; NaN before the second unit; weights [d]."""
        if self.n < 2:
            return math.nan
        return math.sqrt(max(float(weights @ self.second @ weights), 0.0) / (self.n - 1))

    def skewness(self, weights: Floats) -> float:
        """Skewness of that weighted sum; NaN where it has not varied yet: a rare event may only not have come."""
        if self.n < 2:
            return math.nan
        square = float(weights @ self.second @ weights) / self.n
        cube = float(np.einsum("ijk,i,j,k->", self.third, weights, weights, weights)) / self.n
        rounding = (ROUNDING * float(np.abs(weights) @ np.abs(self.mean))) ** 2
        return cube / square**1.5 if square > rounding else math.nan

    def covariance(self) -> Floats:
        """Of the figures; [d, d].

        Raises:
            EvidenceError: fewer than two units.
        """
        if self.n < 2:
            raise refusal("two units or more", str(self.n), "JointMoments.covariance", "collect more units")
        return np.asarray(self.second / (self.n - 1))
