"""What a betting sequence stakes, from what it has seen so far: pure arithmetic on arrays of any shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats


@dataclass(frozen=True)
class Moments:
    """Running mean and variance of numbers in [0, 1], from a prior observation with mean 1/2 and variance 1/4.

    Args:
        n: observations so far.
        total: their sum and the prior's; a number, or one per stream.
        squares: sum of squared distances from the running mean, and the prior's.
    """

    n: int = 0
    total: Floats | float = 0.5
    squares: Floats | float = 0.25

    @property
    def mean(self) -> Floats | float:
        """Running mean, in (0, 1)."""
        return self.total / (self.n + 1)

    @property
    def variance(self) -> Floats | float:
        """Running variance, > 0."""
        return self.squares / (self.n + 1)

    def after(self, x: Floats | float) -> Moments:
        """The same, one observation in [0, 1] later (or one for each stream)."""
        total = self.total + x
        return Moments(self.n + 1, total, self.squares + (x - total / (self.n + 2)) ** 2)


def bet(seen: Moments, null: Floats | float, cap: float) -> Floats:
    """The stake against "the mean is at most `null`": what was learned so far, never the next observation.

    Args:
        seen: moments of the observations before the next one.
        null: means under test, in (0, 1), any shape that fits the moments'.
        cap: largest share of the capital one observation may cost, in (0, 1).

    Returns:
        Stakes in [0, cap / null]; capital is multiplied by 1 + stake (x - null) >= 1 - cap.

    Source: aGRAPA, Waudby-Smith and Ramdas (2023), JRSS B 86(1), section B.3.
    """
    gap = np.asarray(seen.mean - null)
    return np.asarray(np.clip(gap / (seen.variance + gap * gap), 0.0, cap / np.asarray(null)))
