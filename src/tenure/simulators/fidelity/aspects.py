"""In what a simulated field may be unlike the logged one: a summary of rows each, and a distance of two summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.simulators.fidelity.one_step import Law, bias, spread
from tenure.simulators.fidelity.sample import Sample

GRID = (np.arange(100) + 0.5) / 100
"""Quantiles that stand for a distribution."""
TOP = 0.01
FAR = 8
"""Steps between the two ends of a change over the horizon."""
FEWEST = 20
"""Rows under which a summary says nothing."""


@dataclass(frozen=True, eq=False)
class Side:
    """A sample with what its fields are compared by.

    Args:
        sample: the rows.
        law: one-step law of each field that moves.
        far: upper 1 % quantile of each field in the log; fields of few values have none.
    """

    sample: Sample
    law: Mapping[str, Law] = field(default_factory=dict)
    far: Mapping[str, float] = field(default_factory=dict)


Summary = Callable[[Side, str, Ints], Floats]
Distance = Callable[[Floats, Floats], float]


@dataclass(frozen=True)
class Aspect:
    """One way to look at a field.

    Args:
        name: key of its limit.
        about: what is compared, in words.
        summary: of some rows (numbers) of a side; empty where nothing can be said.
        distance: of two summaries, >= 0.
        scaled: the distance is in the field's unit, and is divided by the log's standard deviation (of what is
            compared).
    """

    name: str
    about: str
    summary: Summary
    distance: Distance
    scaled: bool = True


def _known(side: Side, field: str, rows: Ints) -> Floats:
    values = side.sample.columns[field][rows]
    return np.asarray(values[np.isfinite(values)])


def level(side: Side, field: str, rows: Ints) -> Floats:
    """The distribution, as quantiles."""
    values = _known(side, field, rows)
    return _quantiles(values)


def _quantiles(values: Floats) -> Floats:
    """Values at the middle of 100 equal parts; empty for too few."""
    if len(values) < FEWEST:
        return np.zeros(0)
    return np.asarray(np.sort(values)[(GRID * len(values)).astype(np.int64)])


def tail(side: Side, field: str, rows: Ints) -> Floats:
    """Share of rows above the log's upper 1 % quantile, as a logarithm; a quarter of 1 % more keeps it finite."""
    values, far = _known(side, field, rows), side.far.get(field)
    if far is None or len(values) < FEWEST / TOP:
        return np.zeros(0)
    return np.array([np.log((values > far).mean() + TOP / 4)])


def far_out(sample: Sample) -> dict[str, float]:
    """Upper 1 % quantile of each field; none where about 1 % do not lie above it, as in fields of few values."""
    found = {}
    for name, column in sample.columns.items():
        known = column[np.isfinite(column)]
        at = float(np.quantile(known, 1 - TOP)) if len(known) >= FEWEST / TOP else np.nan
        if len(known) and TOP / 2 <= (known > at).mean() <= 2 * TOP:
            found[name] = at
    return found


def season(side: Side, field: str, rows: Ints) -> Floats:
    """Mean by hour of the day, less the mean of all."""
    return _profile(side.sample.hour, side, field, rows, 24)


def weekday(side: Side, field: str, rows: Ints) -> Floats:
    """Mean by day of the week, less the mean of all."""
    return _profile(side.sample.weekday, side, field, rows, 7)


def _profile(slot: Ints | None, side: Side, field: str, rows: Ints, slots: int) -> Floats:
    if slot is None:
        return np.zeros(0)
    values, of = side.sample.columns[field][rows], slot[rows]
    known = np.isfinite(values)
    count = np.bincount(of[known], minlength=slots)
    if (count > 0).sum() < 2:
        return np.zeros(0)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(of[known], weights=values[known], minlength=slots) / count
    return np.asarray(mean - np.nanmean(mean))


def memory(side: Side, field: str, rows: Ints) -> Floats:
    """Correlation with the value one step later."""
    now, later = _pairs(side, field, rows, side.sample.following)
    if len(now) < FEWEST or not now.std() > 0 or not later.std() > 0:
        return np.zeros(0)
    return np.array([np.corrcoef(now, later)[0, 1]])


def frozen(side: Side, field: str, rows: Ints) -> Floats:
    """Share of steps after which the value is the same to the last digit."""
    now, later = _pairs(side, field, rows, side.sample.following)
    return np.array([(now == later).mean()]) if len(now) >= FEWEST else np.zeros(0)


def missing(side: Side, field: str, rows: Ints) -> Floats:
    """Share of rows without a value."""
    return np.array([1 - np.isfinite(side.sample.columns[field][rows]).mean()])


def horizon(side: Side, field: str, rows: Ints) -> Floats:
    """The distribution of the change over eight steps, as quantiles."""
    return change(side, field, rows, FAR)


def change(side: Side, field: str, rows: Ints, steps: int) -> Floats:
    """The distribution of the change over so many steps, as quantiles."""
    now, later = _pairs(side, field, rows, side.sample.shifted(steps))
    return _quantiles(later - now)


def _pairs(side: Side, field: str, rows: Ints, other: Ints) -> tuple[Floats, Floats]:
    values, rows = side.sample.columns[field], rows[other[rows] >= 0]
    now, later = values[rows], values[other[rows]]
    known = np.isfinite(now) & np.isfinite(later)
    return now[known], later[known]


def one_step(side: Side, field: str, rows: Ints) -> Floats:
    """What the simulator's one-step law leaves, by situation: sum, sum of squares and rows of each."""
    law = side.law.get(field)
    return np.zeros(0) if law is None else law.summary(rows)


def mean_gap(a: Floats, b: Floats) -> float:
    """Mean absolute difference; of quantiles the Wasserstein distance."""
    return float(np.nanmean(np.abs(a - b)))


def root_gap(a: Floats, b: Floats) -> float:
    """Root of the mean squared difference."""
    return float(np.sqrt(np.nanmean((a - b) ** 2)))


ASPECTS: tuple[Aspect, ...] = (
    Aspect("level", "distribution (Wasserstein distance, in standard deviations of the log)", level, mean_gap),
    Aspect("tail", "share above the log's upper 1 % quantile (logarithm of the ratio)", tail, mean_gap, scaled=False),
    Aspect("season", "pattern over the day (in standard deviations of the log)", season, root_gap),
    Aspect("weekday", "pattern over the week (in standard deviations of the log)", weekday, root_gap),
    Aspect("memory", "correlation with the step before", memory, mean_gap, scaled=False),
    Aspect("frozen", "share of steps without any change", frozen, mean_gap, scaled=False),
    Aspect("missing", "share of rows without a value", missing, mean_gap, scaled=False),
    Aspect("one_step", "mean one step later in the same situation (in standard deviations)", one_step, bias, False),
    Aspect("noise", "spread around that mean (logarithm of the ratio)", one_step, spread, False),
    Aspect("horizon", f"change over {FAR} steps (in standard deviations of the log)", horizon, mean_gap),
)
