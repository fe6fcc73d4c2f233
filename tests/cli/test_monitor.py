"""`tenure monitor`: alarms, KPIs and drift of a project's log, with an exit code a pipeline can act on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.monitors import write_hour
from benchmarks.watched_world import CHANGE_H, PROBLEM, Change, World
from typer.testing import CliRunner

from tenure.cli.main import app
from tenure.store import SqliteStore

COSTLY = Change("cost doubles", (), cost=1.0, missing=0.0)
PROJECT = "from benchmarks.watched_world import PROBLEM as problem\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose costs doubled after three weeks, with five weeks of log."""
    made = tmp_path_factory.mktemp("monitored")
    (made / "case").mkdir()
    (made / "case" / "problem.py").write_text(PROJECT)
    (made / "home" / PROBLEM.name).mkdir(parents=True)
    world = World(4, COSTLY, traffic=4.0)
    with SqliteStore(made / "home" / PROBLEM.name / "log.sqlite", synchronous="OFF") as store:
        store.open_problem(PROBLEM.name, "salt")
        for hour in range(CHANGE_H + 24 * 10):
            write_hour(store, world, hour)
    return made


def run(folder: Path, *words: str, code: int) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--home", str(folder / "home"), "--json"])
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def monitor(folder: Path, *words: str, code: int) -> dict[str, Any]:
    return run(folder, "monitor", str(folder / "case"), *words, code=code)


def test_an_alarm_nobody_has_seen_fails_with_what_since_when_and_where(folder: Path) -> None:
    found = monitor(folder, code=4)
    assert (found["verdict"], found["problem"]) == ("fail", "watched")
    (service,) = (each for alert in found["alerts"] for each in alert["alarms"] if each["segment"] == "service")
    assert service["monitor"] == "kpi"
    assert service["since"] > "2010-01-22T"
    assert {"kpis", "drift", "quality", "pending", "budget"} <= set(found)
    kpi = next(row for row in found["kpis"] if row["segment"] == "cost")
    assert {"value", "usual", "near", "state", "expected", "candidate_minus_incumbent"} <= set(kpi)
    assert found["budget"] == {"false_alarms": 1.0, "days": 30, "alpha_each": found["budget"]["alpha_each"]}
    assert {row["monitor"] for row in found["drift"]} >= {"feature", "distribution"}


def test_asked_again_it_goes_on_and_writes_nothing_twice(folder: Path) -> None:
    before = monitor(folder, code=4)
    after = monitor(folder, code=4)
    assert after["alerts"] == before["alerts"]
    assert after["new_alarms"] == 0
    (folder / "home" / PROBLEM.name / "monitor.json").unlink()
    assert monitor(folder, code=4)["alerts"] == before["alerts"]


def test_what_was_acknowledged_or_lies_before_the_moment_asked_for_fails_no_more(folder: Path) -> None:
    assert monitor(folder, "--since", "2030-01-01", code=0)["alerts"] == []
    for alert in monitor(folder, code=4)["alerts"]:
        run(folder, "alerts", "ack", str(folder / "case"), str(alert["sequence"]), code=0)
    found = monitor(folder, code=0)
    assert found["verdict"] == "pass"
    assert all(alert["acknowledged_by"] for alert in found["alerts"])


def test_before_anything_is_known_it_is_inconclusive(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "problem.py").write_text(PROJECT)
    found = monitor(tmp_path, code=3)
    assert (found["verdict"], found["alerts"]) == ("inconclusive", [])


def test_a_moment_that_is_none_is_refused(folder: Path) -> None:
    assert "ISO 8601" in str(monitor(folder, "--since", "yesterday", code=2))


def test_people_read_the_same(folder: Path) -> None:
    done = CliRunner().invoke(app, ["monitor", str(folder / "case"), "--home", str(folder / "home")])
    assert "service has fallen" in done.stdout
    assert "KPIs against the same hour and weekday" in done.stdout
