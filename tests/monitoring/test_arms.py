"""The candidate's KPIs beside the incumbent's: told when proven worse, and only of the present candidate."""

from __future__ import annotations

import numpy as np
from benchmarks.watched_world import PROBLEM

from tenure.monitoring import Alarm
from tenure.monitoring.arms import Arms

from .made import learned, rows


def told(gap: float, days: int = 20, version: str = "v1", watcher: Arms | None = None) -> list[Alarm]:
    """A day's 300 rows of each arm, a unit each; the candidate's cost more by the gap."""
    watcher, rng, alarms = watcher or Arms(PROBLEM, 0.01), np.random.default_rng(4), []
    for day in range(days):
        alarms += watcher.update(rows(24 * day, 300, cost=8 + rng.normal(size=300)))
        mine = learned(300, version)
        alarms += watcher.update(rows(24 * day + 1, 300, cost=8 + gap + rng.normal(size=300), **mine))
    return alarms


def test_a_worse_candidate_is_told_once_for_each_kpi_with_the_gap_and_its_interval() -> None:
    alarms = told(0.5)
    assert [(alarm.monitor, alarm.segment) for alarm in alarms] == [("candidate", "cost"), ("candidate", "service")]
    assert "v1" in alarms[0].what
    low, high = (float(word.strip(" $,")) for word in alarms[0].what.split("between")[1].split("and"))
    assert low < 0.5 < high


def test_an_equal_and_a_better_candidate_are_not() -> None:
    assert told(0.0) == []
    assert told(-0.5) == []


def test_another_candidate_begins_anew() -> None:
    watcher = Arms(PROBLEM, 0.01)
    told(0.5, watcher=watcher)
    told(0.0, days=1, version="v2", watcher=watcher)
    assert watcher.version == "v2"
    assert all(row["difference"] is None for row in watcher.state())


def test_decisions_in_shadow_compare_nothing() -> None:
    watcher = Arms(PROBLEM, 0.01)
    watcher.update(rows(0, 300, live=np.zeros(300, dtype=bool)))
    assert not watcher.today.any()
