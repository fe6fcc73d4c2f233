"""Counts against a share they may not exceed: exploration against its budget, values never seen before."""

from __future__ import annotations

import math

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.evaluation.sequences.bernoulli import log_evidence
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.rows import Rows
from tenure.monitoring.sample import Sample

STRENGTH = 20.0
"""Size of the mixture: as if 20 decisions had been seen before; any number keeps the promise."""
DOCS = "docs/runbook.md, section 'A monitor raised an alarm'"


def exceeds(count: float, rows: float, share: float, alpha: float) -> bool:
    """Whether so many of so many rows is proven to be more than a share, looked at after every row.

    Source: beta-binomial mixture, as `tenure.evaluation.sequences.bernoulli`.
    """
    return rows > 0 and count / rows > share and float(log_evidence(count, rows, share, STRENGTH)) > -math.log(alpha)


class Exploring:
    """Says when more of the candidate's decisions are drawn at random than the budget allows.

    Args:
        budget: share that may be, in [0, 1].
        alpha: chance that it ever says so while the budget is kept.
    """

    keeps = ("explored", "rows", "first", "hour", "budgeted")
    settled = False

    def __init__(self, budget: float, alpha: float) -> None:
        self.budget, self.alpha = min(max(budget, 1e-6), 1 - 1e-6), alpha
        self.explored = self.rows = 0
        self.first = self.hour = -1
        self.budgeted = self.budget

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; alarms come when an hour is over."""
        alarms = self._closed() if rows.hour != self.hour else []
        if self.budgeted != self.budget:
            self.explored, self.rows, self.first, self.budgeted = 0, 0, -1, self.budget
        self.explored += int((rows.explored & rows.candidate).sum())
        self.rows += int(rows.candidate.sum())
        self.first, self.hour = (rows.hour if self.first < 0 else self.first), rows.hour
        return alarms

    def _closed(self) -> list[Alarm]:
        if not exceeds(self.explored, self.rows, self.budget, self.alpha):
            return []
        what = (
            f"{self.explored} of {self.rows} learned decisions were drawn at random, {self.explored / self.rows:.3g} "
            f"where the budget is {self.budget:.3g}"
        )
        todo = f"see `tenure rollout status`, and lower the rate; {DOCS}"
        alarm = Alarm("exploration", "all", what, self.first, self.hour, self.alpha, todo)
        self.explored, self.rows, self.first = 0, 0, -1
        return [alarm]

    def state(self) -> list[dict[str, object]]:
        """The share, and its budget."""
        return [
            {
                "monitor": "exploration",
                "segment": "all",
                "value": self.explored / self.rows if self.rows else math.nan,
                "usual": self.budget,
                "near": _near(self.explored, self.rows, self.budget, self.alpha),
                "state": "watching" if self.rows else "learning",
            }
        ]


MOST_VALUES, REFERENCE = 32, 4000
"""A feature is a category while the reference holds whole numbers of at most so many kinds; rows of the reference."""
NAMED = 100
"""New values of a category that are remembered."""


class Unseen:
    """Says when a category takes values that the reference days never had.

    Categories are features whose values are whole numbers of few kinds. Rare values may have been missed: their share
    is taken to be at most that of the values seen once, and one row more (Good 1953).

    Args:
        problem: names the features.
        alpha: chance of a false alarm, all features together.
        reference_days: days that are the reference.
    """

    keeps = ("first", "hour", "sample", "known", "rare", "new", "fresh", "rows")
    settled = False

    def __init__(self, problem: Problem, alpha: float, reference_days: int) -> None:
        self._names = problem.feature_names
        self.alpha, self._reference_h = alpha / max(len(self._names), 1), 24 * reference_days
        self.first = self.hour = -1
        self.sample = Sample(len(self._names), REFERENCE)
        self.known: dict[int, Floats] = {}
        self.rare: dict[int, float] = {}
        self.new: dict[int, float] = {}
        self.fresh: dict[int, Floats] = {}
        self.rows = 0

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; alarms come when an hour is over."""
        alarms = self._closed() if rows.hour != self.hour else []
        self.first, self.hour = (rows.hour if self.first < 0 else self.first), rows.hour
        if self.hour - self.first < self._reference_h:
            self.sample.update(rows.observation)
            return alarms
        if not self.known and len(self.sample.rows):
            self._learn()
        self.rows += len(rows)
        for column, known in self.known.items():
            values = rows.observation[:, column]
            strange = values[~np.isin(values, known)]
            self.new[column] += len(strange)
            self.fresh[column] = np.union1d(self.fresh[column], strange)[:NAMED]
        return alarms

    def state(self) -> list[dict[str, object]]:
        """How often each category had a value of no reference day."""
        return [
            {
                "monitor": "unseen value",
                "segment": self._names[column],
                "value": self.new[column] / self.rows if self.rows else math.nan,
                "usual": self.rare[column],
                "near": _near(self.new[column], self.rows, self.rare[column], self.alpha),
                "state": "watching",
            }
            for column in self.known
        ]

    def _learn(self) -> None:
        for column in range(len(self._names)):
            values, counts = np.unique(self.sample.rows[:, column], return_counts=True)
            if len(values) <= MOST_VALUES and (values == np.round(values)).all():
                self.known[column] = values
                self.rare[column] = (1 + int((counts == 1).sum())) / len(self.sample.rows)
                self.new[column], self.fresh[column] = 0.0, np.zeros(0)
        self.sample = Sample(len(self._names), REFERENCE)

    def _closed(self) -> list[Alarm]:
        beyond = [c for c in self.known if exceeds(self.new[c], self.rows, self.rare[c], self.alpha)]
        return [self._alarm(column) for column in beyond]

    def _alarm(self, column: int) -> Alarm:
        name, fresh = self._names[column], self.fresh[column]
        told = ", ".join(f"{value:g}" for value in fresh[:5])
        what = f"{name} takes values that no reference day had ({told}) in {int(self.new[column])} of {self.rows} rows"
        todo = f"ask what changed upstream; the policy has learned nothing about them; {DOCS}"
        self.known[column] = np.union1d(self.known[column], fresh)
        self.new[column], self.fresh[column] = 0.0, np.zeros(0)
        return Alarm("unseen value", name, what, self.hour, self.hour, self.alpha, todo)


def _near(count: float, rows: float, share: float, alpha: float) -> float:
    """How near an alarm it is; 1 is one."""
    if not rows or count / rows <= share:
        return 0.0
    return max(float(log_evidence(count, rows, share, STRENGTH)) / -math.log(alpha), 0.0)
