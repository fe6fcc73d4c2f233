"""New groups: decisions about situations that lie away from everything the reference days held."""

from __future__ import annotations

import math

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Problem
from tenure.monitoring.alarms import Alarm, moment_of
from tenure.monitoring.counted import exceeds
from tenure.monitoring.rows import Rows
from tenure.monitoring.sample import Sample

REFERENCE, CENTRES, GROUPS = 4000, 128, 24
"""Rows of the reference, points that stand for it, and new groups followed at once."""
FAR = 6.0
"""Standard deviations beyond which a feature's distance counts no more: one broken value is not a group."""
BEYOND = 1.1
"""How much farther than the farthest held-out reference row a row must lie to be strange."""
OWN = 0.05
"""Least share of a feature's variance that lies between decisions of one hour for it to tell groups apart."""
WIDE = 2.0
"""Radii a row may lie from the middle of a group and still join it: two rows of one ball are as far apart."""
LEAST = 30
"""Rows of the smallest group that is told."""
TELLING = 3
"""Features that are named."""
_SIZE, _FIRST, _BORN, _HOURS, _LAST, _REWARD, _MEASURED, _FIELDS = range(8)
"""Columns of a group: rows, first hour, hours watched before it, hours it was seen in and the last of them, sum of
reward and rows it is of; then its mean, standardised and as it is."""
DOCS = "docs/runbook.md, section 'A monitor raised an alarm'"


class Cohorts:
    """Names a new group of users or places with its size, first day, telling features and what happens to it.

    What tells groups apart is what differs between decisions of the same hour: a feature all share then, such as the
    weather, is the state of the world, and watched elsewhere. Leader clustering over the others, standardised: the
    reference days become a few points that cover them; a row farther from all of them than any held-out reference row
    begins a group or joins one near it. A group is told once the share of hours that hold it is proven to
    exceed that of the reference's hours with strangers: rows of one hour are alike.

    Args:
        problem: names features.
        alpha: chance of a false alarm over all groups.
        reference_days: days that are the reference.

    Source: leader algorithm, Hartigan (1975), chapter 3; points by farthest-first traversal, Gonzalez (1985).
    """

    keeps = (
        "first",
        "hour",
        "sample",
        "mean",
        "sd",
        "telling",
        "hours",
        "centres",
        "radius",
        "rare",
        "sums",
        "groups",
        "told",
    )
    settled = True

    def __init__(self, problem: Problem, alpha: float, reference_days: int) -> None:
        self._names, self.alpha, self._reference_h = problem.feature_names, alpha / GROUPS, 24 * reference_days
        width = len(self._names)
        self.first = self.hour = -1
        self.sample = Sample(width + 1, REFERENCE)
        self.mean, self.sd = np.zeros(width), np.ones(width)
        self.telling = np.ones(width)
        self.hours = 0
        self.centres: Floats = np.zeros((0, width))
        self.radius = self.rare = math.nan
        self.sums = np.zeros(2)
        self.groups = np.zeros((0, _FIELDS + 2 * width))
        self.told = np.zeros(0, dtype=bool)

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; alarms come when an hour is over."""
        alarms = self._closed() if rows.hour != self.hour else []
        self.first, self.hour = (rows.hour if self.first < 0 else self.first), rows.hour
        if self.hour - self.first < self._reference_h:
            self.sample.update(np.column_stack([rows.observation, np.full(len(rows), rows.hour)]))
            return alarms
        if math.isnan(self.radius) and len(self.sample.rows) > 2 * CENTRES:
            self._learn()
        if not math.isnan(self.radius):
            self._assign(rows)
        return alarms

    def state(self) -> list[dict[str, object]]:
        """The groups that were told: size, first hour, telling features, mean reward beside all others'."""
        return [
            {
                "monitor": "new group",
                "segment": self._label(group),
                "value": float(group[_SIZE]),
                "first": str(moment_of(int(group[_FIRST]))),
                "reward": _mean(group[_REWARD], group[_MEASURED]),
                "reward_others": _mean(*self.sums),
                "state": "watching",
            }
            for group in self.groups[self.told]
        ]

    @property
    def _middles(self) -> Floats:
        """Standardised means of the groups; [groups, features]."""
        return self.groups[:, _FIELDS : _FIELDS + len(self._names)]

    @property
    def ready(self) -> bool:
        """The reference has been learned."""
        return not math.isnan(self.radius)

    def _learn(self) -> None:
        """Points that cover every second row of the reference, and how far the rows between lie from them."""
        rows, hours = self.sample.rows[:, :-1], self.sample.rows[:, -1]
        self.mean, self.sd = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
        self.telling = (spread_within(rows, hours) > OWN * rows.var(axis=0)).astype(np.float64)
        scaled = self._scaled(rows)
        self.centres = farthest_first(scaled[::2], CENTRES)
        self.radius = BEYOND * float(_nearest(scaled[1::2], self.centres)[0].max())
        self.rare = 3.0 / len(np.unique(hours[1::2]))
        self.sample = Sample(len(self._names) + 1, REFERENCE)

    def _scaled(self, rows: Floats) -> Floats:
        return np.asarray(np.clip((rows - self.mean) / self.sd, -FAR, FAR) * self.telling)

    def _assign(self, rows: Rows) -> None:
        scaled = self._scaled(rows.observation)
        strange = _nearest(scaled, self.centres)[0] > self.radius
        known = rows.measured & ~strange
        self.sums += (rows.reward[known].sum(), np.count_nonzero(known))
        for at in np.flatnonzero(strange):
            self._join(
                np.concatenate([scaled[at], rows.observation[at]]),
                rows.hour,
                float(rows.reward[at]),
                bool(rows.measured[at]),
            )

    def _join(self, row: Floats, hour: int, reward: float, measured: bool) -> None:
        distance, nearest = _nearest(row[None, : len(self._names)], self._middles)
        at = int(nearest[0])
        if distance[0] > WIDE * self.radius:
            at = self._opened(row, hour)
        group = self.groups[at]
        group[_HOURS] += group[_LAST] != hour
        group[_LAST] = hour
        group[_SIZE] += 1
        group[_FIELDS:] += (row - group[_FIELDS:]) / group[_SIZE]
        group[_REWARD] += reward if measured else 0.0
        group[_MEASURED] += measured

    def _opened(self, row: Floats, hour: int) -> int:
        """A new group; the smallest one that nobody was told of gives way where there are too many."""
        fresh = np.concatenate([[0.0, hour, self.hours, 0.0, -1.0, 0.0, 0.0], row])
        if len(self.groups) < GROUPS:
            self.groups, self.told = np.vstack([self.groups, fresh]), np.append(self.told, False)
            return len(self.groups) - 1
        at = int(np.argmin(np.where(self.told, np.inf, self.groups[:, _SIZE])))
        self.groups[at], self.told[at] = fresh, False
        return at

    def _closed(self) -> list[Alarm]:
        alarms = []
        self.hours += self.ready
        for at, group in enumerate(self.groups):
            since = self.hours - group[_BORN] - 1  # its first hour made it a group, so it proves nothing
            large = group[_SIZE] >= LEAST and exceeds(group[_HOURS] - 1, since, self.rare, self.alpha)
            if large and not self.told[at]:
                self.told[at] = True
                alarms.append(self._alarm(group))
        return alarms

    def _label(self, group: Floats) -> str:
        scaled, plain = np.split(group[_FIELDS:], 2)
        telling = np.argsort(-np.abs(scaled))[:TELLING]
        return ", ".join(f"{self._names[k]} {plain[k]:.3g}" for k in telling)

    def _alarm(self, group: Floats) -> Alarm:
        label, first = self._label(group), int(group[_FIRST])
        here, there = _mean(group[_REWARD], group[_MEASURED]), _mean(*self.sums)
        compared = "" if here is None or there is None else f"; mean reward {here:.4g}, of all others {there:.4g}"
        what = (
            f"a group no reference day held: {int(group[_SIZE])} decisions since {moment_of(first):%Y-%m-%d}, "
            f"with {label}{compared}"
        )
        todo = f"judge whether the policy may answer for them; retrain with them in; {DOCS}"
        return Alarm("new group", label, what, first, self.hour, self.alpha * GROUPS, todo)


def farthest_first(rows: Floats, most: int) -> Floats:
    """Rows such that every other one is near one of them: each next is the farthest from those before; [<= most, d].

    Source: Gonzalez (1985), Theoretical Computer Science 38.
    """
    chosen = [0]
    distance = np.linalg.norm(rows - rows[0], axis=1)
    while len(chosen) < min(most, len(rows)) and distance.max() > 0:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(rows - rows[chosen[-1]], axis=1))
    return np.asarray(rows[chosen])


def spread_within(rows: Floats, hours: Floats) -> Floats:
    """Variance of each feature around the mean of its hour; [d] of [n, d]. Where hours hold one row, around all."""
    _, group, count = np.unique(hours, return_inverse=True, return_counts=True)
    if len(count) * 2 > len(rows):
        return np.asarray(rows.var(axis=0))
    sums = np.zeros((len(count), rows.shape[1]))
    np.add.at(sums, group, rows)
    return np.asarray(((rows - (sums / count[:, None])[group]) ** 2).sum(axis=0) / (len(rows) - len(count)))


def _nearest(rows: Floats, centres: Floats) -> tuple[Floats, Ints]:
    """Distance to the nearest centre, infinite without any, and which one it is; [n] each."""
    if not len(centres):
        return np.full(len(rows), np.inf), np.zeros(len(rows), dtype=np.int64)
    square = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(axis=1)
    nearest = square.argmin(axis=1)
    return np.sqrt(np.maximum(square[np.arange(len(rows)), nearest], 0.0)), nearest


def _mean(total: float, n: float) -> float | None:
    return float(total / n) if n else None
