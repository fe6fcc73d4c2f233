"""Mean and deviation of numbers that come in parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tenure.core.arrays import Floats


@dataclass
class Moments:
    """Count, mean and sum of squared distances to it.

    Source: Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance".

    >>> import numpy as np
    >>> seen = Moments()
    >>> seen.update(np.array([1.0, 2.0]))
    >>> seen.update(np.array([3.0, 6.0]))
    >>> seen.mean, round(seen.std, 3), round(float(np.std([1, 2, 3, 6])), 3)
    (3.0, 1.871, 1.871)
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def update(self, numbers: Floats) -> None:
        """Add a part of any shape; an empty one changes nothing."""
        if not numbers.size:
            return
        mean = float(numbers.mean())
        count, apart = self.count + numbers.size, mean - self.mean
        self.squares += float(((numbers - mean) ** 2).sum()) + apart**2 * self.count * numbers.size / count
        self.mean += apart * numbers.size / count
        self.count = count

    @property
    def std(self) -> float:
        """Standard deviation of all numbers so far; 0 without any."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0
