"""The year as it was recorded: every gap listed, every bike accounted for."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tenure.cases.bikes import data
from tenure.cases.bikes.data import CSV, HOURS, START, TRAIN_DAYS, History, history
from tenure.core.errors import DataError


def recorded() -> dict[int, dict[str, str]]:
    """The file's rows by hour of the year, read without the code under test."""
    with CSV.open(newline="") as file:
        return {(int(row["day"]) - 1) * 24 + int(row["hr"]): row for row in csv.DictReader(file)}


def reread(path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    monkeypatch.setattr(data, "CSV", path)
    return history.__wrapped__()


def test_the_115_hours_without_a_row_are_listed() -> None:
    gaps = history().gaps
    assert len(gaps) == 115
    assert set(gaps.tolist()) == set(range(8760)) - set(recorded())


def test_a_gap_has_no_demand_and_the_weather_last_seen() -> None:
    past, rows = history(), recorded()
    for gap in past.gaps.tolist():
        before = rows[max(hour for hour in rows if hour < gap)]
        assert past.demand[gap].sum() == 0
        seen = [float(before["temp"]), float(before["hum"]), float(before["windspeed"])]
        assert past.weather[gap, :3].tolist() == seen


def test_the_districts_of_every_hour_sum_to_the_citys_real_demand() -> None:
    rows = recorded()
    city = [int(rows[hour]["bikers"]) if hour in rows else 0 for hour in range(HOURS)]
    assert history().demand.sum(axis=1).tolist() == city
    assert (history().demand >= 0).all()


def test_the_shares_are_fixed_by_their_seed() -> None:
    size = history().size
    assert size.sum() == pytest.approx(20)
    assert size[:3] == pytest.approx([0.8275, 1.1569, 0.9213], abs=1e-4)
    assert np.array_equal(history.__wrapped__().demand, history().demand)


def test_the_usual_demand_is_the_mean_of_that_hour_of_the_week_from_january_to_august() -> None:
    # Monday 08:00; 1 January 2011 was a Saturday, so the first Monday is the 3rd.
    rows = recorded()
    mondays = [int(rows[day * 24 + 8]["bikers"]) for day in range(2, TRAIN_DAYS, 7) if day * 24 + 8 in rows]
    mondays += [0] * (len(range(2, TRAIN_DAYS, 7)) - len(mondays))
    assert history().usual[2 * 24 + 8].sum() == pytest.approx(np.mean(mondays))


def test_the_usual_demand_goes_on_after_the_last_hour_of_the_year() -> None:
    # 31 December was a Saturday, so Sunday 00:00 to 02:00 follow, as on 2 January.
    past = history()
    assert past.usual.shape == (8763, 20)
    assert np.array_equal(past.usual[-3:], past.usual[24:27])


def test_the_calendar_is_that_of_2011() -> None:
    past = history()
    for hour in (0, 25, 4000, 8759):
        moment = START + timedelta(hours=hour)
        assert past.hour_of_week[hour] == (moment.isoweekday() % 7) * 24 + moment.hour
    assert past.working_day[2 * 24] == 1
    assert past.working_day[184 * 24] == 0, "4 July 2011 was a Monday and a holiday: day 185"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: lines[:-1], "8645 rows"),
        (lambda lines: [*lines[:-1], lines[-2]], "8644 different hours"),
        (lambda lines: [*lines[:9], lines[9].replace(",0,6,0,", ",0,six,0,"), *lines[10:]], "line 10"),
        (lambda lines: [lines[0].replace("bikers", "riders"), *lines[1:]], "KeyError('bikers')"),
        (lambda lines: [*lines[:9], lines[9].replace("clear", "sunny"), *lines[10:]], "KeyError('sunny')"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "in order"),
    ],
    ids=["cut off", "an hour twice", "not a number", "a column renamed", "unknown weather", "disordered"],
)
def test_another_file_is_refused_with_what_is_wrong_in_it(
    change: object, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(change)
    path = tmp_path / "year.csv"
    path.write_text("\n".join(change(CSV.read_text().splitlines())) + "\n")
    with pytest.raises(DataError) as refused:
        reread(path, monkeypatch)
    assert expected in str(refused.value)
    assert str(path) in refused.value.where
