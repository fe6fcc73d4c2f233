"""Figures against their own past at the same hour and weekday: what was usual, and when it has changed for good."""

from __future__ import annotations

import math

import numpy as np

from tenure.core.arrays import Bools, Floats

HOURS_OF_WEEK, DAY_H, MONTH_H = 168, 24, 720
SLACK = 0.5
"""Standard deviations an hour may lie off before it counts against a figure: tuned to a change of one (Page 1954)."""
BIGGEST = 4.0
"""Most one hour may count, in standard deviations: one freak hour is no change."""
SHRINK = 2.0
"""Hours a wider cell (this hour of any weekday, any hour) weighs beside the narrower one's own."""
MEMORY = (13.0, 60.0, 500.0)
"""Hours after which an hour of the week, an hour of the day and the whole forget, so that what is usual may move."""
TINY = 1e-18
"""Variance below which a figure has never moved; whatever it does then counts as much as one hour may."""
SETTLING = 24
"""Hours after an alarm in which the new level is learned and nothing is said."""
TOUCHY = 3.0
"""Added to the limit, since what is usual is only estimated and hours are not normal (docs/monitoring.md)."""


def limit_of(alpha: float) -> float:
    """How far a sum of hourly excesses may grow before it is an alarm, with chance alpha in 720 hours of no change.

    Args:
        alpha: chance of a false alarm on one side in 30 days, in (0, 1).

    Source: run length of a one-sided cumulative sum, Siegmund (1985), Sequential Analysis:
    (e^b - b - 1) / (2 k^2) with b = 2 k (limit + 1.166), solved for the limit; then `TOUCHY` on top.

    >>> round(limit_of(0.01), 1)
    12.3
    """
    run = MONTH_H / -math.log1p(-alpha)
    b = math.log(2 * SLACK**2 * run)
    for _ in range(20):
        b = math.log(2 * SLACK**2 * run + b + 1)
    return b / (2 * SLACK) - 1.166 + TOUCHY


class Usual:
    """What k figures usually are in each hour of the week, and how far an hour usually lies off.

    An hour of the week borrows from this hour of all days, and that from all hours, as long as it has been seen
    seldom. Hours that follow each other are alike (weather, a busy morning): `score` takes out what the hour before
    and the day before already said, as far as they used to.

    Args:
        k: figures.

    Source: regression on the last hour and the last day's mean, after Corsi (2009), Journal of Financial Econometrics
    7(2): a plain first-order regression leaves weather in, which would then look like a change.
    """

    keeps = ("mean", "count", "spread", "spread_n", "carried", "products", "crossed", "fresh")

    def __init__(self, k: int) -> None:
        self.mean = np.zeros((k, HOURS_OF_WEEK + 24 + 1))
        self.count = np.zeros((k, HOURS_OF_WEEK + 24 + 1))
        self.spread = np.zeros((k, 24 + 1))
        self.spread_n = np.zeros((k, 24 + 1))
        self.carried, self.crossed = np.zeros((k, 2)), np.zeros((k, 2))
        self.products = np.tile(10.0 * np.eye(2), (k, 1, 1))
        self.fresh = np.tile([1.0, 10.0], (k, 1))

    def expected(self, hour: int) -> Floats:
        """What is usual in an hour; [k]."""
        found = self.mean[:, -1]
        for cell in reversed(_cells(hour)[:-1]):
            n = self.count[:, cell]
            found = (n * self.mean[:, cell] + SHRINK * found) / (n + SHRINK)
        return found

    def score(self, hour: int, off: Floats) -> tuple[Floats, Floats]:
        """How unusual an hour is beyond what the one before said, in standard deviations; and before that; [k] each.

        Args:
            hour: hours since 1970-01-01.
            off: distance from what was expected; [k].
        """
        n, whole = self.spread_n[:, hour % 24], self.spread[:, -1]
        variance = (n * self.spread[:, hour % 24] + 5 * whole) / (n + 5)
        plain = off / np.sqrt(np.maximum(variance, TINY))
        plain = np.clip(plain, -2 * BIGGEST, 2 * BIGGEST)
        fresh = plain - self._carried()
        return np.clip(fresh / np.sqrt(self.fresh[:, 0]), -BIGGEST, BIGGEST), plain

    def learn(self, hour: int, value: Floats, off: Floats, plain: Floats, seen: Bools) -> None:
        """Take an hour in: its figures, their distances and scores; only of figures that were `seen`; [k] each."""
        for cell, memory in zip(_cells(hour), MEMORY, strict=True):
            _fold(self.mean, self.count, cell, value, memory, seen)
        for cell, memory in ((hour % 24, MEMORY[1]), (24, MEMORY[2])):
            _fold(self.spread, self.spread_n, cell, off**2, memory, seen)
        left = (plain - self._carried()) ** 2
        grown = np.minimum(self.fresh[:, 1] + 1, MEMORY[2])
        variance = self.fresh[:, 0] + (left - self.fresh[:, 0]) / grown
        self.fresh = np.where(seen[:, None], np.column_stack([variance, grown]), self.fresh)
        fade, x = 1 - 1 / MEMORY[2], self.carried
        products, crossed = fade * self.products + x[:, :, None] * x[:, None], fade * self.crossed + x * plain[:, None]
        self.products = np.where(seen[:, None, None], products, self.products)
        self.crossed = np.where(seen[:, None], crossed, self.crossed)
        day = x[:, 1] + (plain - x[:, 1]) / DAY_H
        self.carried = np.where(seen[:, None], np.column_stack([plain, day]), x)

    def _carried(self) -> Floats:
        """What the last hour and the last day say of this one; [k]."""
        weights = np.linalg.solve(self.products + np.eye(2), self.crossed[:, :, None])[:, :, 0]
        return np.asarray((np.clip(weights, -0.2, 0.99) * self.carried).sum(axis=1))


class Changes:
    """Sums of hourly excesses up and down, which stay near 0 as long as nothing has changed.

    Source: Page (1954), Biometrika 41; in the machine-learning field the Page-Hinkley test.
    """

    keeps = ("sums", "since", "total", "n")

    def __init__(self, k: int) -> None:
        self.sums, self.total = np.zeros((2, k)), np.zeros((2, k))
        self.since, self.n = np.zeros((2, k), dtype=np.int64), np.zeros((2, k))

    def update(self, hour: int, score: Floats, off: Floats, seen: Bools) -> None:
        """Take an hour in; [k] each."""
        for side, sign in enumerate((1.0, -1.0)):
            grown = np.maximum(0.0, self.sums[side] + sign * score - SLACK)
            starts = seen & (self.sums[side] <= 0) & (grown > 0)
            going = seen & (grown > 0)
            self.since[side] = np.where(starts, hour, self.since[side])
            self.total[side] = np.where(starts, 0.0, self.total[side]) + np.where(going, off, 0.0)
            self.n[side] = np.where(starts, 0.0, self.n[side]) + going
            self.sums[side] = np.where(seen, grown, self.sums[side])

    def forget(self, which: Bools) -> None:
        """Begin anew for some figures; [k]."""
        self.sums[:, which] = self.total[:, which] = self.n[:, which] = 0


def _cells(hour: int) -> tuple[int, int, int]:
    """Columns of an hour of the week, of the day, and of all hours."""
    return hour % HOURS_OF_WEEK, HOURS_OF_WEEK + hour % 24, HOURS_OF_WEEK + 24


def _fold(mean: Floats, count: Floats, cell: int, value: Floats, memory: float, seen: Bools) -> None:
    grown = np.minimum(count[:, cell] + 1, memory)
    count[:, cell] = np.where(seen, grown, count[:, cell])
    step = np.where(seen, (value - mean[:, cell]) / grown, 0.0)
    mean[:, cell] += step
