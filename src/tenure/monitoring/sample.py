"""A day's rows, thinned evenly to a bounded number, whatever batches they come in."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats


class Sample:
    """Every row while they are few, then every second, every fourth...: never more than twice `most`.

    Args:
        width: numbers in a row.
        most: rows that are aimed at.

    >>> sample = Sample(1, most=2)
    >>> sample.update(np.arange(9.0)[:, None])
    >>> sample.rows[:, 0]
    array([0., 4., 8.])
    """

    keeps = ("rows", "seen", "stride")

    def __init__(self, width: int, most: int) -> None:
        self.most, self.width = most, width
        self.rows = np.zeros((0, width))
        self.seen, self.stride = 0, 1

    def update(self, rows: Floats) -> None:
        """Take rows in; [n, width]."""
        place = np.arange(self.seen, self.seen + len(rows))
        self.rows = np.concatenate([self.rows, rows[place % self.stride == 0]])
        self.seen += len(rows)
        while len(self.rows) > 2 * self.most:
            self.rows, self.stride = self.rows[::2], 2 * self.stride
