"""Figures hour by hour against their own past; `past.py` has the arithmetic, `figures.py` the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.figures import Figure, summed
from tenure.monitoring.past import SETTLING, Changes, Usual, limit_of
from tenure.monitoring.rows import Rows

LEAST = 5
"""Rows a figure needs to be one; with fewer an hour is added to the next."""
WARM_HOURS = 72
"""Hours with a figure that must have been seen, beside the reference days, before anything is said."""


class Hourly:
    """One figure or many, each against its own past; says when one has become worse, or has changed, for good.

    Args:
        figures: what is watched.
        settled: they rest on outcomes.
        alpha: chance of a false alarm of each figure within 30 days, in (0, 1).
        reference_days: days from the first row on that only teach what is usual.
    """

    keeps = ("hour", "first", "sums", "hours", "quiet", "level", "levelled", "latest", "usual", "changes")

    def __init__(self, figures: Sequence[Figure], settled: bool, alpha: float, reference_days: int) -> None:
        self.figures, self.settled, self.alpha = tuple(figures), settled, alpha
        k = len(self.figures)
        self._worse = np.array([figure.worse for figure in figures])
        self._limit = np.where(self._worse == 0, limit_of(alpha / 2), limit_of(alpha))
        self._reference_h = 24 * reference_days
        self.hour = self.first = -1
        self.sums = np.zeros((k, 3))
        self.hours, self.quiet, self.levelled = np.zeros(k), np.zeros(k), np.zeros(k)
        self.level, self.latest = np.zeros(k), np.full(k, np.nan)
        self.usual, self.changes = Usual(k), Changes(k)

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; alarms come when an hour is over."""
        alarms = self._closed() if rows.hour != self.hour and self.hour >= 0 else []
        self.first = rows.hour if self.first < 0 else self.first
        self.hour = rows.hour
        self.sums += summed(self.figures, rows)
        return alarms

    @property
    def warm(self) -> Bools:
        """Which figures are watched by now; [k]."""
        return (self.hours >= WARM_HOURS) & (self.hour - self.first >= self._reference_h)

    def state(self) -> list[dict[str, Any]]:
        """Where each figure stands: its last value, what was usual then, and how near an alarm it is (1 is one)."""
        expected = self.usual.expected(max(self.hour, 0)) + self.level
        near = self._sides().max(axis=0) / self._limit
        return [
            {
                "monitor": figure.monitor,
                "segment": figure.segment,
                "value": self.latest[k].item(),
                "usual": expected[k].item() if self.hours[k] else None,
                "near": near[k].item(),
                "state": "watching" if self.warm[k] else "learning",
            }
            for k, figure in enumerate(self.figures)
        ]

    def _closed(self) -> list[Alarm]:
        """An hour is over: score it, and learn from it."""
        enough = (self.sums[:, 2] >= LEAST) & (self.sums[:, 1] > 0)
        value = np.divide(self.sums[:, 0], self.sums[:, 1], out=np.zeros(len(self.figures)), where=enough)
        off = np.where(enough, value - self.usual.expected(self.hour) - self.level, 0.0)
        score, plain = self.usual.score(self.hour, off)
        watched = enough & self.warm & (self.quiet == 0)
        self.changes.update(self.hour, score, off, watched)
        self._settle(off, enough)
        off = np.where(enough, value - self.usual.expected(self.hour) - self.level, 0.0)
        self.usual.learn(self.hour, value - self.level, off, plain, enough)
        self.hours = self.hours + enough
        self.latest = np.where(enough, value, self.latest)
        self.sums = np.where(enough[:, None], 0.0, self.sums)
        return self._raised()

    def _settle(self, off: Floats, enough: Bools) -> None:
        """After an alarm the new level is learned from the hours that follow."""
        learning = enough & (self.quiet > 0)
        self.levelled = np.where(learning, self.levelled + 1, self.levelled)
        self.level = np.where(learning, self.level + off / np.maximum(self.levelled, 1.0), self.level)
        self.quiet = np.where(learning, self.quiet - 1, self.quiet)

    def _sides(self) -> Floats:
        """Both sums of each figure, without the side that is no harm; [2, k]."""
        return np.asarray(np.where(np.stack([self._worse >= 0, self._worse <= 0]), self.changes.sums, 0.0))

    def _raised(self) -> list[Alarm]:
        sides = self._sides()
        beyond = np.asarray((sides > self._limit).any(axis=0))
        alarms = [self._alarm(int(k), int(sides[:, k].argmax())) for k in np.flatnonzero(beyond)]
        self.quiet[beyond], self.levelled[beyond] = SETTLING, 0
        self.changes.forget(beyond)
        return alarms

    def _alarm(self, k: int, side: int) -> Alarm:
        figure, run = self.figures[k], self.changes
        shift = run.total[side, k] / max(run.n[side, k], 1.0)
        usual = float(self.latest[k] - shift)
        moved, unit = "risen" if side == 0 else "fallen", f" {figure.unit}" if figure.unit else ""
        what = (
            f"{figure.monitor} {figure.segment} has {moved}: {self.latest[k]:.4g}{unit} where {usual:.4g} is usual at "
            f"this hour and weekday (mean change {shift:+.3g} over {int(run.n[side, k])} hours)"
        )
        return Alarm(
            monitor=figure.monitor,
            segment=figure.segment,
            what=what,
            since=int(run.since[side, k]),
            hour=self.hour,
            sure=self.alpha,
            todo=TODO.get(figure.monitor, TODO["feature"]),
        )


_DOCS = "docs/runbook.md, section 'A monitor raised an alarm'"
TODO = {
    "feature": f"ask what changed upstream at that hour; {_DOCS}",
    "confidence": f"compare `tenure shadow report` before and after; {_DOCS}",
    "calibration": f"do not act on the confidence as it is; compare `tenure shadow report`; {_DOCS}",
    "latency": f"see /metrics and the machine; {_DOCS}",
    "failures": f"look at the decisions with `tenure why`; roll back if it lasts; {_DOCS}",
    "fallbacks": f"see why the policy does not answer with `tenure why`; {_DOCS}",
    "disagreement": f"read `tenure shadow report`; {_DOCS}",
    "reward": f"compare with the hold-back in `tenure rollout status`; roll back if it is the policy; {_DOCS}",
    "kpi": f"compare with the hold-back in `tenure rollout status`; roll back if it is the policy; {_DOCS}",
    "missing outcomes": f"ask the sender of outcomes; until they come every estimate is of fewer rows; {_DOCS}",
    "late outcomes": f"ask the sender of outcomes before they become too late to count; {_DOCS}",
}
"""What to do next, by monitor."""
