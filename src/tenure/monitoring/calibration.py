"""Whether the policy's confidence still means what it meant: reward beside what was usual at the same confidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.figures import Figure, Sums
from tenure.monitoring.hourly import Hourly
from tenure.monitoring.rows import Rows

BINS = 10
"""Equal parts of [0, 1]."""


class Calibration:
    """Says when the candidate earns less than decisions of the same confidence earned in the reference days.

    Confidence has no unit of its own, so it is held against what came of it: the mean reward of each tenth of the
    scale in the reference days. What it earns below that is then a figure like any other, watched hour by hour.

    Args:
        alpha: chance of a false alarm within 30 days.
        reference_days: days that say what a confidence is worth.
    """

    keeps = ("first", "sums", "hourly")
    settled = True

    def __init__(self, alpha: float, reference_days: int) -> None:
        self._reference_h = 24 * reference_days
        self.first, self.sums = -1, np.zeros((BINS, 2))
        figure = Figure("calibration", "all", -1, self._beyond, unit="reward beside what its confidence promised")
        self.hourly = Hourly([figure], True, alpha, 0)

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in."""
        self.first = rows.hour if self.first < 0 else self.first
        if rows.hour - self.first >= self._reference_h:
            return self.hourly.update(rows)
        mine = rows.candidate & rows.measured
        np.add.at(self.sums, _bin(rows.confidence[mine]), np.column_stack([rows.reward[mine], np.ones(mine.sum())]))
        return []

    def state(self) -> list[dict[str, Any]]:
        """Where it stands."""
        return self.hourly.state()

    def _beyond(self, rows: Rows) -> Sums:
        """Reward beyond what the confidence promised, over the candidate's rows in tenths that were seen."""
        bins = _bin(rows.confidence)
        kept = rows.candidate & rows.measured & (self.sums[bins, 1] > 0)
        promised = self.sums[bins[kept], 0] / self.sums[bins[kept], 1]
        n = float(np.count_nonzero(kept))
        return float((rows.reward[kept] - promised).sum()), n, n


def _bin(confidence: Floats) -> Any:
    return np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
