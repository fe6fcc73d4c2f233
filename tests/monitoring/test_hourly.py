"""A figure is told when it has become worse for good: once, since when and by how much; never before it is known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from benchmarks.watched_world import PROBLEM

from tenure.monitoring import Alarm
from tenure.monitoring.figures import Figure, decided_figures, settled_figures, summed
from tenure.monitoring.hourly import Hourly

from .made import rows

DAYS = 7
WEEK = 24 * DAYS


def hourly(*names: str) -> Hourly:
    found = [figure for figure in settled_figures(PROBLEM, timedelta(hours=1)) if figure.segment in names]
    return Hourly(found, True, 0.01, DAYS)


def told(watcher: Hourly, costs: np.ndarray) -> list[Alarm]:
    """One hour each, all rows of it alike."""
    return [alarm for hour, cost in enumerate(costs) for alarm in watcher.update(rows(hour, cost=cost))]


def costs(hours: int, seed: int = 0) -> np.ndarray:
    return np.asarray(8.0 + np.random.default_rng(seed).normal(size=hours))


def test_a_kpi_that_becomes_worse_is_told_with_its_first_hour_and_its_size() -> None:
    values = costs(600)
    values[500:] += 3.0
    (alarm,) = told(hourly("cost"), values)
    assert (alarm.monitor, alarm.segment) == ("kpi", "cost")
    assert abs(alarm.since - 500) <= 2
    assert 500 < alarm.hour <= 512
    assert "has risen" in alarm.what
    assert "runbook" in alarm.todo
    change = float(alarm.what.split("mean change ")[1].split(" ")[0])
    assert change == pytest.approx(3.0, abs=1.0)


def test_a_kpi_that_becomes_better_is_no_alarm() -> None:
    values = costs(600)
    values[500:] -= 3.0
    assert told(hourly("cost"), values) == []


def test_a_feature_is_told_whichever_way_it_moves() -> None:
    watcher = Hourly([f for f in decided_figures(PROBLEM) if f.segment == "age"], False, 0.01, DAYS)
    noise, alarms = np.random.default_rng(1).normal(size=700), []
    for hour, age in enumerate(40 + noise - 3.0 * (np.arange(700) > 600)):
        observation = np.tile([10.0, 0.0, 1.0, 0.0, age, 0.5], (10, 1))
        alarms += watcher.update(rows(hour, settled=False, observation=observation))
    assert [alarm.segment for alarm in alarms] == ["age"]
    assert "has fallen" in alarms[0].what


def test_nothing_is_said_in_the_reference_days() -> None:
    values = costs(WEEK)
    values[WEEK // 2 :] += 8.0
    assert told(hourly("cost"), values) == []


def test_a_new_level_is_learned_and_told_once() -> None:
    values = costs(1500)
    values[500:] += 3.0
    watcher = hourly("cost")
    assert len(told(watcher, values)) == 1
    (state,) = watcher.state()
    assert state["usual"] == pytest.approx(11.0, abs=1.0)
    assert state["state"] == "watching"


def test_an_hour_with_too_few_rows_is_added_to_the_next() -> None:
    watcher = hourly("cost")
    for hour in range(9):
        watcher.update(rows(hour, n=2))
    assert watcher.hours.tolist() == [2]


def test_something_that_never_happened_may_happen_once() -> None:
    watcher = Hourly([Figure("failures", "all", 1, _failures)], True, 0.01, DAYS)
    alarms = []
    for hour in range(600):
        failed = np.zeros(10, dtype=bool)
        failed[0] = hour == 500
        alarms += watcher.update(rows(hour, failed=failed))
    assert alarms == []
    for hour in range(600, 620):
        alarms += watcher.update(rows(hour, failed=np.arange(10) < 2))
    assert [alarm.monitor for alarm in alarms] == ["failures"]


def test_figures_are_what_their_names_say() -> None:
    four = rows(
        0,
        n=4,
        cost=np.array([2.0, 4.0, 6.0, 8.0]),
        failed=np.array([True, False, False, False]),
        fallback=np.array([True, True, False, False]),
        proposed=np.array([True, True, True, False]),
        differs=np.array([True, False, False, False]),
        joined=np.array([True, True, True, False]),
        delay_s=np.array([360.0, 360.0, 720.0, np.nan]),
    )
    decided = dict(
        zip([f.monitor for f in decided_figures(PROBLEM)], summed(decided_figures(PROBLEM), four), strict=False)
    )
    assert decided["failures"].tolist() == [1, 4, 4]
    assert decided["fallbacks"].tolist() == [2, 4, 4]
    assert decided["disagreement"].tolist() == [1, 3, 3]
    assert decided["confidence"].tolist() == [0, 0, 0]  # nothing the candidate did
    figures = settled_figures(PROBLEM, timedelta(hours=1))
    settled = {
        f.segment if f.monitor == "kpi" else f.monitor: s for f, s in zip(figures, summed(figures, four), strict=True)
    }
    assert settled["cost"].tolist() == [20, 4, 4]
    assert settled["service"].tolist() == [30, 40, 4]
    assert settled["missing outcomes"].tolist() == [1, 4, 4]
    assert settled["late outcomes"].tolist() == pytest.approx([0.4, 3, 3])
    assert settled["reward"].tolist() == [-20, 4, 4]


def _failures(each: object) -> tuple[float, float, float]:
    failed = each.failed  # type: ignore[attr-defined]
    return float(failed.sum()), float(len(failed)), float(len(failed))
