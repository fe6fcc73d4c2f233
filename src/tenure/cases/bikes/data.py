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
TRAIN_DAYS = 243
"""January to August: what training draws from, and what the hour-of-week profile is the mean of."""
DISTRICTS = 20
THINNING_SEED = 2011
SHARE_CONCENTRATION = 50.0
"""Dirichlet concentration of the districts' shares: they differ by a factor of about two."""
SKY = {"clear": 0, "cloudy/misty": 1, "light rain/snow": 2, "heavy rain/snow": 3}


@dataclass(frozen=True)
class History:
    """The year as arrays; hour 0 is 1 January, 00:00.

    Args:
        demand: bikes asked for in each hour and district; [hours, districts].
        usual: mean demand of that hour of the week, January to August; [hours, districts].
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
    hours = np.array([(int(row["day"]) - 1) * 24 + int(row["hr"]) for row in rows])
    city = np.zeros(HOURS, dtype=np.int64)
    city[hours] = [int(row["bikers"]) for row in rows]
    rng = np.random.default_rng(THINNING_SEED)
    share = rng.dirichlet(np.full(DISTRICTS, SHARE_CONCENTRATION))
    weekday, working_day = _per_day(rows, hours, "weekday"), _per_day(rows, hours, "workingday")
    hour_of_week = weekday * 24 + np.arange(HOURS) % 24
    return History(
        demand=rng.multinomial(city, share),
        usual=_profile(city, hour_of_week)[hour_of_week][:, None] * share,
        size=share * DISTRICTS,
        hour_of_week=hour_of_week,
        working_day=working_day,
        weather=_carried_forward(hours, np.array([_weather(row) for row in rows])),
        gaps=np.setdiff1d(np.arange(HOURS), hours),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    days = {row.get("day") for row in rows}
    if len(days) != DAYS:
        raise DataError(
            expected=f"a row for at least one hour of each of {DAYS} days",
            found=f"{len(days)} days",
            where=str(path),
            fix="restore the file described in the README beside it",
        )
    return rows


def _weather(row: dict[str, str]) -> list[float]:
    return [float(row["temp"]), float(row["hum"]), float(row["windspeed"]), float(SKY[row["weathersit"]])]


def _per_day(rows: list[dict[str, str]], hours: Ints, column: str) -> Ints:
    """A column that is constant within a day, for every hour of the year."""
    day = np.zeros(DAYS, dtype=np.int64)
    day[hours // 24] = [int(row[column]) for row in rows]
    return np.repeat(day, 24)


def _profile(city: Ints, hour_of_week: Ints) -> Floats:
    """Mean demand of each hour of the week over the training days; [168]."""
    train = slice(0, TRAIN_DAYS * 24)
    total = np.bincount(hour_of_week[train], weights=city[train], minlength=168)
    return np.asarray(total / np.bincount(hour_of_week[train], minlength=168))


def _carried_forward(hours: Ints, values: Floats) -> Floats:
    """Values of all hours, gaps filled with the last seen; [hours, columns]."""
    last_seen = np.maximum.accumulate(np.isin(np.arange(HOURS), hours) * np.arange(HOURS))
    return np.asarray(values[np.searchsorted(hours, last_seen)])
