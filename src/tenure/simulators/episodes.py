"""Running totals of every world's episode, kept as arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tenure.core.arrays import Floats, Ints


class Episodes:
    """Length and signal totals of the current episode of each of n worlds."""

    def __init__(self, names: tuple[str, ...], n: int) -> None:
        self._names = names
        self._totals = np.zeros((len(names), n))
        self._length = np.zeros(n, dtype=np.int64)

    def update(self, signals: Mapping[str, Floats]) -> None:
        """Count one step of every world; each signal [n]."""
        self._length += 1
        for row, name in enumerate(self._names):
            self._totals[row] += signals[name]

    def close(self, ended: Ints) -> tuple[Ints, dict[str, Floats]]:
        """Lengths and signal totals of the worlds at `ended`, each [ended]; they start again from nothing."""
        length, totals = self._length[ended], self._totals[:, ended]
        self._length[ended] = 0
        self._totals[:, ended] = 0.0
        return length, dict(zip(self._names, totals, strict=True))
