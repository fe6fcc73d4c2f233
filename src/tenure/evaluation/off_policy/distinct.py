"""How many different units there are, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tenure.core.logged import Hashes
from tenure.evaluation.grouped import mixed

KEPT = 4096
"""Smallest hashes kept: the count is exact below so many units, and within about 1.6 % (one error) above."""

_SALT = 23


@dataclass
class Distinct:
    """Number of different units; mergeable. Source: k minimum values, Bar-Yossef et al. (2002)."""

    smallest: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    def update(self, unit: Hashes) -> None:
        """Take a batch of unit hashes; [n]."""
        hashes = mixed(unit, _SALT)
        if len(self.smallest) == KEPT:
            hashes = hashes[hashes < self.smallest[-1]]
        self._keep(hashes)

    def merge(self, other: Distinct) -> None:
        """Take what another has seen."""
        self._keep(other.smallest)

    @property
    def count(self) -> int:
        """Different units so far."""
        if len(self.smallest) < KEPT:
            return len(self.smallest)
        return round((KEPT - 1) / (float(self.smallest[-1]) / 2.0**64))

    def _keep(self, hashes: Hashes) -> None:
        if len(hashes):
            self.smallest = np.unique(np.concatenate([self.smallest, hashes]))[:KEPT]
