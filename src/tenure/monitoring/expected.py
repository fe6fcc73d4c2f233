"""What KPIs will be once outcomes arrive: a regression on older outcomes, shown with how far it was off so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.rows import Rows

RIDGE = 1e-3
"""Weight of the penalty, as a share of each regressor's own mean square."""
DAYS = 7
"""Days whose prediction could be checked before an interval is stated."""


@dataclass
class Pending:
    """Regressors of decisions whose outcome is not there yet, summed; adding is all that is needed."""

    n: int
    total: Floats

    @classmethod
    def none(cls, problem: Problem) -> Pending:
        """None yet."""
        return cls(0, np.zeros(_width(problem)))

    def update(self, rows: Rows) -> None:
        """Take decisions in."""
        self.n += len(rows)
        self.total = self.total + _regressors(rows).sum(axis=0)


class Expected:
    """Estimates KPIs of decisions without outcomes from features, confidence and arm.

    Every day it first predicts, and then learns, so that its errors are those of real forecasts: the interval is a
    prediction interval for one more day, not a fit's flattery.

    Args:
        problem: states features and KPIs.
    """

    keeps = ("day", "square", "product", "total", "today_square", "today_product", "today", "errors")
    settled = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        x, y = _width(problem), 2 * len(problem.kpis)
        self.day = -1
        self.square, self.product, self.total = np.zeros((x, x)), np.zeros((x, y)), 0
        self.today_square, self.today_product, self.today = np.zeros((x, x)), np.zeros((x, y)), np.zeros(x + y + 1)
        self.errors = np.zeros((len(problem.kpis), 4))

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; says nothing by itself."""
        day = rows.hour // 24
        if day != self.day:
            self._closed()
        self.day, kept = day, rows.measured
        x, y = _regressors(rows)[kept], np.hstack([rows.above, rows.below])[kept]
        self.today_square += x.T @ x
        self.today_product += x.T @ y
        self.today += np.concatenate([x.sum(axis=0), y.sum(axis=0), [len(x)]])
        return []

    def state(self) -> list[dict[str, object]]:
        """Nothing of its own: `estimates` says it."""
        return []

    def estimates(self, pending: Pending) -> Mapping[str, Estimate]:
        """Each KPI over the decisions that wait, with a prediction interval; none before a week of checked days."""
        if not pending.n or not self.total:
            return {}
        value = self._ratios(pending.total @ self._fit())
        return {
            kpi.name: estimate
            for k, kpi in enumerate(self.problem.kpis)
            if (estimate := self._estimate(k, float(value[k]), pending.n)) is not None
        }

    def _estimate(self, k: int, value: float, n: int) -> Estimate | None:
        days, mean, square, rows = self.errors[k].tolist()
        if days < DAYS or not math.isfinite(value):
            return None
        smaller = max(rows / n, 1.0)  # what waits is often less than a day, and so it varies more
        sd = math.sqrt(square / (days - 1) * smaller)
        reach = float(stats.t.isf(0.025, days - 1)) * sd * math.sqrt(1 + 1 / days)
        middle = value + mean
        method = "ridge regression on older outcomes, interval from its errors on later days"
        return Estimate(middle, middle - reach, middle + reach, n, days, method, "day")

    def _closed(self) -> None:
        x, (y, n) = _width(self.problem), (self.today[_width(self.problem) : -1], self.today[-1])
        if not n:
            return
        if self.total:
            error = self._ratios(y) - self._ratios(self.today[:x] @ self._fit())
            for k in np.flatnonzero(np.isfinite(error)):
                self.errors[k] = _with(self.errors[k], float(error[k]), float(n))
        self.square, self.product = self.square + self.today_square, self.product + self.today_product
        self.total += int(n)
        for sums in (self.today_square, self.today_product, self.today):
            sums[:] = 0

    def _fit(self) -> Floats:
        """Coefficients; [regressors, 2 kpis]."""
        penalty = RIDGE * np.diag(self.square) + 1e-9
        return np.asarray(np.linalg.solve(self.square + np.diag(penalty), self.product))

    def _ratios(self, sums: Floats) -> Floats:
        above, below = np.split(sums, 2)
        return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def _with(moments: Floats, x: float, rows: float) -> Floats:
    """Days, mean error, squares of distances from it, and mean rows a day, with one day more (Welford 1962)."""
    n, mean, square, size = moments.tolist()
    off = x - mean
    return np.array([n + 1, mean + off / (n + 1), square + off * off * n / (n + 1), size + (rows - size) / (n + 1)])


def _width(problem: Problem) -> int:
    return len(problem.observation) + 3


def _regressors(rows: Rows) -> Floats:
    """One, features, confidence and whether the candidate answered; [n, features + 3]."""
    return np.column_stack([np.ones(len(rows)), rows.observation, rows.confidence, rows.candidate]).astype(np.float64)
