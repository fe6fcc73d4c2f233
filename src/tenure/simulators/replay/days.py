"""Days drawn again in blocks, each day by one of its own kind and season."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError


def bootstrap_days(kind: Ints, rng: np.random.Generator, block: float = 3.0, within: int | None = None) -> Ints:
    """Which day of the past each day takes: blocks of days that followed each other, of random length.

    A block goes on with probability 1 - 1/`block`, as long as the next day of the past is of the kind needed and lies
    within the season; else a new one begins at a day drawn evenly from those that are. Everything within a day (its
    total, its hours' dependence) stays as it was, and so does the dependence of neighbouring days within a block.

    Args:
        kind: of each day, in order, such as the weekday; a day is only replaced by one of its kind; [days].
        rng: chance of the drawing.
        block: mean length of a block in days, at least 1; it is shorter where kinds do not repeat.
        within: most days between a day and the one it takes, at least 0; None for any.

    Returns:
        Index of the day taken, for each day; int64 [days].

    Raises:
        DataError: no days, or an impossible block or season.

    Source: stationary bootstrap, Politis and Romano (1994); drawn locally, Paparoditis and Politis (2002).
    """
    kind = np.asarray(kind)
    if kind.ndim != 1 or not len(kind) or block < 1 or (within is not None and within < 0):
        raise _wrong("at least one day, block >= 1, within >= 0", f"{kind.shape} days, block={block}, within={within}")
    days = np.arange(len(kind))
    goes_on, place = rng.random(len(kind)) >= 1 / block, rng.random(len(kind))
    source = np.empty(len(kind), dtype=np.int64)
    for day in days:
        following = source[day - 1] + 1 if day else len(kind)
        near = np.abs(days - day) <= (len(kind) if within is None else within)
        fits = near & (kind == kind[day])
        if goes_on[day] and following < len(kind) and fits[following]:
            source[day] = following
        else:
            choices = np.flatnonzero(fits)
            source[day] = choices[int(place[day] * len(choices))]
    return source


def of_days(series: npt.NDArray[Any], source: Ints, per_day: int) -> npt.NDArray[Any]:
    """A series put together anew from whole days.

    Args:
        series: any values, time first; [days * per_day, ...].
        source: day taken for each day, as `bootstrap_days` gives it; [days].
        per_day: steps of a day.

    Raises:
        DataError: the series is not made of whole days, or a day lies outside it.
    """
    if per_day < 1 or len(series) % per_day:
        raise _wrong(f"whole days of {per_day} steps", f"{len(series)} steps")
    by_day = series.reshape(len(series) // per_day, per_day, *series.shape[1:])
    if len(source) and not 0 <= source.min() <= source.max() < len(by_day):
        raise _wrong(f"days within 0 to {len(by_day) - 1}", f"{source.min()} to {source.max()}")
    return by_day[source].reshape(len(source) * per_day, *series.shape[1:])


def check_days(values: Floats | Ints, per_day: int) -> None:
    """Refuse a series that is not made of whole days.

    Raises:
        DataError: it is not.
    """
    if values.ndim != 2 or per_day < 1 or len(values) % per_day:
        raise _wrong(f"[time, units], whole days of {per_day} steps", f"shape {values.shape}")


def _wrong(expected: str, found: str) -> DataError:
    fix = "cut the history to whole days, and name the steps of a day"
    return DataError(expected=expected, found=found, where="a replayed history", fix=fix)
