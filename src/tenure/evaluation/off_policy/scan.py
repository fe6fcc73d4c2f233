"""The first pass over a log: what it holds, the reward model's sums, and a sample of its units."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Hashes, Logged, joined
from tenure.evaluation.grouped import mixed
from tenure.evaluation.off_policy.reward_model import RidgeSums, fold_of

SAMPLE = 50_000
"""Rows kept for what cannot be summed: behaviour models and the search for segments."""

_SALT = 29


@dataclass
class Sample:
    """Rows of the units with the smallest hashes, at most `SAMPLE`; the same whatever the partition."""

    rows: Logged | None = None
    keys: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    def update(self, logged: Logged) -> None:
        """Take a batch."""
        keys = mixed(logged.unit, _SALT)
        if len(self.keys) == SAMPLE:
            near = keys <= self.keys[-1]
            logged, keys = logged.take(near), keys[near]
        self._keep(logged, keys)

    def merge(self, other: Sample) -> None:
        """Take what another has kept."""
        if other.rows is not None:
            self._keep(other.rows, other.keys)

    def _keep(self, logged: Logged, keys: Hashes) -> None:
        both = logged if self.rows is None else joined([self.rows, logged])
        keys = np.concatenate([self.keys, keys])
        first = np.lexsort((both.index, keys))[:SAMPLE]
        self.rows, self.keys = both.take(first), keys[first]


@dataclass
class Scan:
    """Counts, sums and a sample; mergeable.

    Args:
        ridge: the reward model's sums; None when the rewards are predicted from elsewhere.
        taken: how often each action was taken; [actions].
        moments: rows, sum and sum of squares of `Box` actions; [3, dimensions].
        without_propensity: rows without one.
    """

    taken: Ints
    moments: Floats
    ridge: RidgeSums | None = None
    sample: Sample = field(default_factory=Sample)
    n: int = 0
    without_propensity: int = 0

    def update(self, logged: Logged, x: Floats | None, regression: Ints) -> None:
        """Take a batch with the reward model's features, [n, width], and regressions, [n]."""
        if x is not None:
            self.ridge = RidgeSums(x.shape[1], max(1, len(self.taken))) if self.ridge is None else self.ridge
            self.ridge.update(x, regression, logged.reward, fold_of(logged.unit))
        if logged.labels:
            self.taken += np.bincount(logged.action, minlength=len(self.taken))
        else:
            a = logged.action
            self.moments += np.stack([np.full(a.shape[1], len(a)), a.sum(axis=0), (a**2).sum(axis=0)])
        self.sample.update(logged)
        self.n += len(logged)
        self.without_propensity += int(np.isnan(logged.propensity).sum())

    def merge(self, other: Scan) -> None:
        """Take what another has seen."""
        self.taken += other.taken
        self.moments += other.moments
        if self.ridge is None:
            self.ridge = other.ridge
        elif other.ridge is not None:
            self.ridge.merge(other.ridge)
        self.sample.merge(other.sample)
        self.n += other.n
        self.without_propensity += other.without_propensity

    @property
    def seen(self) -> Bools:
        """Actions the log shows at least once; [actions]."""
        return np.asarray(self.taken > 0)

    @property
    def spread(self) -> Floats:
        """Standard deviation of `Box` actions; [dimensions]."""
        n, total, squares = self.moments
        return np.asarray(np.sqrt(np.maximum(squares / n - (total / n) ** 2, 1e-12)))
