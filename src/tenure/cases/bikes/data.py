"""The real year, hour by hour, split into districts; every gap accounted for."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError

CSV = Path(__file__).parent / "data" / "bikeshare_hourly_2011.csv"
START = datetime(2011, 1, 1, tzinfo=UTC)
DAYS = 365
HOURS = DAYS * 24
AHEAD = 3
"""Hours after the year's end for which the usual demand is still known: the calendar goes on."""
WEEK = 7 * 24
RECORDED = 8645
"""Hours with a row; the others are gaps."""
TRAIN_DAYS = 243
"""January to August: what training draws from, and what the hour-of-week profile is the mean of."""
DISTRICTS = 20
THINNING_SEED = 2011
SHARE_CONCENTRATION = 50.0
"""Dirichlet concentration of the districts' shares: they differ by a factor of about two."""
SKY = {"clear": 0.0, "cloudy/misty": 1.0, "light rain/snow": 2.0, "heavy rain/snow": 3.0}


@dataclass(frozen=True)
class History:
    """The year as arrays; hour 0 is 1 January, 00:00.

    Args:
        demand: bikes asked for in each hour and district; [hours, districts].
        usual: mean demand of that hour of the week, January to August; [hours + 3, districts], three
            hours into the next year, so that the last hours can look ahead too.
        size: the district's share of the city, 1 is the average district; [districts].
        hour_of_week: 0 (Sunday 00:00) to 167; [hours].
        working_day: 1 on working days; [hours].
        weather: temperature, humidity, wind (scaled to [0, 1]) and sky (0 clear to 3 heavy rain); [hours, 4].
        gaps: hours without a row: no demand was recorded, the weather is the last one seen.
    """

    demand: Ints
    usual: Floats
    size: Floats
    hour_of_week: Ints
    working_day: Ints
    weather: Floats
    gaps: Ints


@cache
def history() -> History:
    """The shipped year, thinned into districts by fixed, seeded shares.

    Raises:
        DataError: the file is not the one described in data/README.md.
    """
    rows = _rows(CSV)
    hours = np.array([row.hour for row in rows])
    city = np.zeros(HOURS, dtype=np.int64)
    city[hours] = [row.bikers for row in rows]
    rng = np.random.default_rng(THINNING_SEED)
    share = rng.dirichlet(np.full(DISTRICTS, SHARE_CONCENTRATION))
    weekday = _per_day(hours, [row.weekday for row in rows])
    hour_of_week = weekday * 24 + np.arange(HOURS) % 24
    calendar = np.concatenate([hour_of_week, (hour_of_week[-1] + 1 + np.arange(AHEAD)) % WEEK])
    return History(
        demand=rng.multinomial(city, share),
        usual=_profile(city, hour_of_week)[calendar][:, None] * share,
        size=share * DISTRICTS,
        hour_of_week=hour_of_week,
        working_day=_per_day(hours, [row.working_day for row in rows]),
        weather=_carried_forward(hours, np.array([row.weather for row in rows])),
        gaps=np.setdiff1d(np.arange(HOURS), hours),
    )


@dataclass(frozen=True)
class _Row:
    """One recorded hour of the whole city."""

    hour: int
    weekday: int
    working_day: int
    weather: tuple[float, float, float, float]
    bikers: int


def _rows(path: Path) -> list[_Row]:
    """The recorded hours, in order."""
    try:
        with path.open(newline="") as file:
            rows = [_row(fields, f"{path}, line {line}") for line, fields in enumerate(csv.DictReader(file), start=2)]
    except OSError as error:
        raise DataError(
            expected="the file described in the README beside it",
            found=error.strerror or str(error),
            where=str(path),
            fix="restore the file",
        ) from error
    hours = [row.hour for row in rows]
    if len(rows) != RECORDED or hours != sorted(set(hours)) or {hour // 24 for hour in hours} != set(range(DAYS)):
        found = f"{len(rows)} rows, {len(set(hours))} different hours on {len({hour // 24 for hour in hours})} days"
        raise _unlike(f"{RECORDED} rows, one per recorded hour, in order, on each of {DAYS} days", found, str(path))
    return rows


def _row(fields: dict[str, str], where: str) -> _Row:
    try:
        return _Row(
            hour=(int(fields["day"]) - 1) * 24 + int(fields["hr"]),
            weekday=int(fields["weekday"]),
            working_day=int(fields["workingday"]),
            weather=(
                float(fields["temp"]),
                float(fields["hum"]),
                float(fields["windspeed"]),
                SKY[fields["weathersit"]],
            ),
            bikers=int(fields["bikers"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unlike(
            "day, hr, weekday, workingday, temp, hum, windspeed, weathersit, bikers", repr(error), where
        ) from error


def _unlike(expected: str, found: str, where: str) -> DataError:
    return DataError(
        expected=expected, found=found, where=where, fix="restore the file described in the README beside it"
    )


def _per_day(hours: Ints, values: list[int]) -> Ints:
    """What is constant within a day, for every hour of the year."""
    day = np.zeros(DAYS, dtype=np.int64)
    day[hours // 24] = values
    return np.repeat(day, 24)


def _profile(city: Ints, hour_of_week: Ints) -> Floats:
    """Mean demand of each hour of the week over the training days; [168]."""
    train = slice(0, TRAIN_DAYS * 24)
    total = np.bincount(hour_of_week[train], weights=city[train], minlength=WEEK)
    return np.asarray(total / np.bincount(hour_of_week[train], minlength=WEEK))


def _carried_forward(hours: Ints, values: Floats) -> Floats:
    """Values of all hours, gaps filled with the last seen; [hours, columns]."""
    last_seen = np.maximum.accumulate(np.isin(np.arange(HOURS), hours) * np.arange(HOURS))
    return np.asarray(values[np.searchsorted(hours, last_seen)])
