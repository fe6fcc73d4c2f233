"""What a betting sequence stakes, from what it has seen so far: pure arithmetic on arrays of any shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats, Ints


@dataclass(frozen=True)
class Moments:
    """Running mean and variance of numbers in [0, 1], from a prior observation with mean 1/2 and variance 1/4.

    Args:
        n: observations so far; a number, or one per row of a batch.
        total: their sum and the prior's; a number, or one per stream.
        squares: sum of squared distances from the running mean, and the prior's.
    """

    n: int | Ints = 0
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

    def through(self, x: Floats) -> tuple[Moments, Moments]:
        """A batch's moments before each of its observations, as [batch, 1] columns, and those after the last.

        Equal to the last bit to `after`, one observation at a time; x in [0, 1], [batch].
        """
        n = self.n + np.arange(len(x) + 1)
        total = np.cumsum(np.concatenate([[self.total], x]))
        apart = (x - total[1:] / (n[1:] + 1)) ** 2
        squares = np.cumsum(np.concatenate([[self.squares], apart]))
        before = Moments(n[:-1, None], total[:-1, None], squares[:-1, None])
        return before, Moments(int(n[-1]), float(total[-1]), float(squares[-1]))


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
