"""A day's distribution against the reference days': of each feature, and of what is done."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.cohorts import OWN, spread_within
from tenure.monitoring.distance import ks_distance, psi
from tenure.monitoring.rows import Rows
from tenure.monitoring.sample import Sample

PER_DAY, LEAST = 200, 50
"""Rows a day is thinned to, and rows it must have; days with fewer are joined to the next."""
LOOKS = 30
"""Days within which alpha is spent, one look each."""
FLOORS = {"ks": 0.1, "psi": 0.1}
"""Least distance that matters, whatever the test says."""


def bound(null: Floats, alpha: float) -> float:
    """What a new day's distance exceeds with chance alpha, from those of the reference days among themselves.

    Distances of days hold more than the chance of drawing rows: weather and weekends make days differ. So the limit is
    learned from days. Their logarithms are taken as normal.

    Args:
        null: distance of each reference day to the others, on a scale of (0, inf); [days], days >= 3.
        alpha: in (0, 1), of one look.

    Source: prediction interval for one more observation of a normal law, Student's t (Hahn and Meeker 1991, 4.7).
    """
    logs = np.log(np.maximum(null, 1e-9))
    reach = float(stats.t.isf(alpha, len(logs) - 1)) * math.sqrt(1 + 1 / len(logs))
    return math.exp(min(float(logs.mean()) + reach * max(float(logs.std(ddof=1)), 0.05), 50.0))


class Shape:
    """Says when a day's features or actions are distributed as no reference day's were.

    A feature that all decisions of an hour share, such as the weather, has hardly more than one value a day to show; it
    is watched as an hourly figure only.

    Args:
        problem: names features and actions.
        alpha: chance of a false alarm of each column within 30 days.
        reference_days: days that are the reference; after an alarm a column learns anew.
    """

    keeps = ("day", "hour", "today", "hours", "days", "limits", "latest")
    settled = False

    def __init__(self, problem: Problem, alpha: float, reference_days: int) -> None:
        action, self.alpha, self.reference_days = problem.action, alpha, reference_days
        self._labels = action.labels if isinstance(action, Discrete) else ()
        done = [("actions", "psi")] if self._labels else [(f"action {name}", "ks") for name in _names(problem)]
        self.columns = [*((feature.name, "ks") for feature in problem.observation), *done]
        self._features = len(problem.observation)
        self.day = self.hour = -1
        self.today = self._empty()
        self.hours: list[Floats] = []
        self.days: list[list[Floats]] = [[] for _ in self.columns]
        self.limits = np.full(len(self.columns), np.nan)
        self.latest = np.full(len(self.columns), np.nan)

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; alarms come when a day is over."""
        day, alarms = rows.hour // 24, []
        if day != self.day and len(self.today.rows) >= LEAST:
            alarms = self._closed()
            self.today = self._empty()
        self.day, self.hour = day, rows.hour
        done = rows.action[:, None] if rows.action.ndim == 1 else rows.action
        hours = np.full(len(rows), rows.hour)
        self.today.update(np.column_stack([rows.observation, done, hours]).astype(np.float64))
        return alarms

    def state(self) -> list[dict[str, object]]:
        """Where each column stands."""
        return [
            {
                "monitor": "distribution",
                "segment": name,
                "value": self.latest[k].item(),
                "usual": self.limits[k].item(),
                "near": self.latest[k].item() / self.limits[k].item(),
                "state": "learning" if math.isnan(self.limits[k]) else "watching",
            }
            for k, (name, _) in enumerate(self.columns)
        ]

    def _empty(self) -> Sample:
        return Sample(len(self.columns) + 1, PER_DAY)

    def _closed(self) -> list[Alarm]:
        if len(self.hours) < self.reference_days:
            self.hours = [*self.hours, self.today.rows[:, -1]]
        found = [self._look(k, self.today.rows[:, k]) for k in range(len(self.columns))]
        return [alarm for alarm in found if alarm is not None]

    def _look(self, k: int, values: Floats) -> Alarm | None:
        if math.isnan(self.limits[k]):
            self._teach(k, values)
            return None
        apart = self._apart(k, values, self.days[k])
        self.latest[k], limit = apart, self.limits[k]
        if apart <= limit:
            return None
        alarm = self._alarm(k, apart, float(limit))
        self.days[k], self.limits[k] = [], np.nan
        return alarm

    def _teach(self, k: int, values: Floats) -> None:
        days = self.days[k] = [*self.days[k], values]
        if len(days) == self.reference_days and self._shared(k):
            self.limits[k] = np.inf
        elif len(days) == self.reference_days:
            null = np.array([self._apart(k, day, days[:at] + days[at + 1 :]) for at, day in enumerate(days)])
            self.limits[k] = _limit(null, self.alpha / LOOKS, self.columns[k][1])

    def _shared(self, k: int) -> bool:
        """All decisions of an hour have about the same value; what is done is never taken for shared."""
        rows, measure = np.concatenate(self.days[k]), self.columns[k][1]
        if measure == "psi" or k >= self._features or sum(map(len, self.hours)) != len(rows):
            return False
        return bool(spread_within(rows[:, None], np.concatenate(self.hours))[0] <= OWN * rows.var())

    def _apart(self, k: int, day: Floats, others: list[Floats]) -> float:
        rest = np.concatenate(others)
        if self.columns[k][1] == "ks":
            return ks_distance(day, rest)
        size = len(self._labels)
        return psi(*(np.bincount(part.astype(np.int64), minlength=size).astype(np.float64) for part in (day, rest)))

    def _alarm(self, k: int, apart: float, limit: float) -> Alarm:
        name, measure = self.columns[k]
        what = (
            f"{name} of a whole day {'is' if measure == 'ks' else 'are'} distributed otherwise than in the "
            f"{self.reference_days} reference days: {measure.upper()} {apart:.3g}, limit {limit:.3g}"
        )
        monitor, begin = "distribution", self.day * 24
        todo = f"see `tenure monitor`; {DOCS}"
        return Alarm(monitor, name, what, begin, self.hour, self.alpha, todo)


def _limit(null: Floats, alpha: float, measure: str) -> float:
    """The bound of a distance, and at least its floor; one that ends at 1 is judged by its odds."""
    if measure == "psi":
        return max(bound(null, alpha), FLOORS[measure])
    odds = bound(null / np.maximum(1.0 - null, 1e-9), alpha)
    return max(odds / (1.0 + odds), FLOORS[measure])


def _names(problem: Problem) -> tuple[str, ...]:
    return () if isinstance(problem.action, Discrete) else problem.action.names


DOCS = "docs/runbook.md, section 'A monitor raised an alarm'"
