"""Trajectories made ready to be compared: one column per field, independent units, hours, and what came next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.trajectories import Trajectories

Unit = Literal["episode", "day"]
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
FEWEST_DAYS = 2
FEWEST_WEEKS = 3
WEEK = 7


@dataclass(frozen=True, eq=False)
class Sample:
    """n decisions as columns.

    Args:
        columns: each feature and signal by name; float64 [n], NaN where missing.
        features: names of those that were seen before the decision.
        inputs: what a one-step law may depend on: features, gaps filled, and the action; [n, inputs].
        cluster: independent unit of each row, counted from 0; [n].
        unit: what that is.
        episode, step: as in the trajectories; [n].
        following: row one step later, -1 where none; [n].
        hour: hour of the day, [n]; None where unknown or less than two days are covered.
        weekday: 0 to 6, [n]; None where less than three weeks are covered.
    """

    columns: Mapping[str, Floats]
    features: tuple[str, ...]
    inputs: Floats
    cluster: Ints
    unit: Unit
    episode: Ints
    step: Ints
    following: Ints
    hour: Ints | None
    weekday: Ints | None

    def __len__(self) -> int:
        return len(self.cluster)

    @property
    def clusters(self) -> int:
        """Independent units."""
        return int(self.cluster.max()) + 1 if len(self) else 0

    def shifted(self, by: int) -> Ints:
        """Row `by` steps later (earlier, where negative) in the same episode, -1 where there is none; [n]."""
        n = len(self)
        other = np.arange(n) + by
        there = (other >= 0) & (other < n)
        at = np.clip(other, 0, n - 1)
        there &= (self.episode[at] == self.episode) & (self.step[at] - self.step == by)
        return np.where(there, at, -1)

    def halves(self, rng: np.random.Generator) -> tuple[Bools, Bools]:
        """The rows in two random halves of whole units; [n] each."""
        chosen = np.zeros(self.clusters, dtype=bool)
        chosen[rng.permutation(self.clusters)[: self.clusters // 2]] = True
        return chosen[self.cluster], ~chosen[self.cluster]


def thinned(sample: Sample, most: int) -> Sample:
    """About so many rows, in whole weeks (seven units in a row, so that steps go on) spread evenly over the sample."""
    if len(sample) <= most:
        return sample
    weeks = sample.clusters // WEEK
    chosen = np.unique(np.linspace(0, weeks - 1, max(2, weeks * most // len(sample))).astype(np.int64))
    units = (chosen[:, None] * WEEK + np.arange(WEEK)).ravel()
    rows = np.flatnonzero(np.isin(sample.cluster, units))
    place = np.full(len(sample) + 1, -1)  # the last entry stands for "no row": index -1 reads it
    place[rows] = np.arange(len(rows))
    return replace(
        sample,
        columns={name: values[rows] for name, values in sample.columns.items()},
        inputs=sample.inputs[rows],
        cluster=np.searchsorted(units, sample.cluster[rows]),
        episode=sample.episode[rows],
        step=sample.step[rows],
        following=place[sample.following[rows]],
        hour=None if sample.hour is None else sample.hour[rows],
        weekday=None if sample.weekday is None else sample.weekday[rows],
    )


def sample_of(trajectories: Trajectories, features: Sequence[str], signals: Sequence[str], unit: Unit) -> Sample:
    """The named columns of trajectories.

    Args:
        trajectories: a log or a run.
        features, signals: what is compared; the trajectories have all of them.
        unit: what an interval counts; `day` falls back to `episode` where no time is known.
    """
    columns = {name: trajectories.feature(name) for name in features}
    columns |= {name: trajectories.signals[name] for name in signals}
    cluster, unit = _clusters(trajectories, unit)
    return Sample(
        columns=columns,
        features=tuple(features),
        inputs=inputs_of(trajectories, features),
        cluster=cluster,
        unit=unit,
        episode=trajectories.episode,
        step=trajectories.step,
        following=trajectories.following,
        hour=_hours(trajectories),
        weekday=_weekdays(trajectories),
    )


def inputs_of(trajectories: Trajectories, features: Sequence[str]) -> Floats:
    """Features with their gaps filled by the median, then the action as numbers; [n, inputs]."""
    columns = [_filled(trajectories.feature(name)) for name in features]
    action = np.asarray(trajectories.action, dtype=np.float64).reshape(len(trajectories), -1)
    return np.column_stack([*columns, action])


def _filled(column: Floats) -> Floats:
    known = column[np.isfinite(column)]
    return np.where(np.isfinite(column), column, np.median(known) if len(known) else 0.0)


def _clusters(trajectories: Trajectories, unit: Unit) -> tuple[Ints, Unit]:
    if unit == "episode" or trajectories.at is None:
        return trajectories.episode, "episode"
    return np.unique(trajectories.at.astype("datetime64[D]"), return_inverse=True)[1], "day"


def _hours(trajectories: Trajectories) -> Ints | None:
    at = trajectories.at
    if at is None or len(at) < 2 or at.max() - at.min() < FEWEST_DAYS * DAY - HOUR:
        return None
    return np.asarray((at - at.astype("datetime64[D]")) // HOUR, dtype=np.int64)


def _weekdays(trajectories: Trajectories) -> Ints | None:
    at: Any = trajectories.at
    if at is None or len(at) < 2 or at.max() - at.min() < FEWEST_WEEKS * 7 * DAY - HOUR:
        return None
    # Day 0 of NumPy's calendar was a Thursday; 0 is Sunday here.
    return np.asarray((at.astype("datetime64[D]").astype(np.int64) + 4) % 7)
