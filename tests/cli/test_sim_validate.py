"""`tenure sim validate` from outside: the story of the late field, exit codes, JSON, and bad logs with the fix."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulators.fidelity.depot import drawn, problem
from tests.simulators.fidelity.truth import logged
from typer.testing import CliRunner, Result

from tenure.cli.sim import sim_app
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories

PROBLEM = """
from tests.simulators.fidelity.depot import OrderUpTo, incumbent, learned, problem, rules as others

rules = {"learned": learned, **others}
"""
SIMULATOR = """
from dataclasses import replace

from tests.simulators.fidelity.depot import DepotSimulator, drawn

simulator = DepotSimulator(replace(drawn(3), warmth=0.6), 1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the depot's simulator, in which the weather is known on time."""
    path = tmp_path_factory.mktemp("depot")
    (path / "problem.py").write_text(PROBLEM, encoding="utf-8")
    (path / "simulator.py").write_text(SIMULATOR, encoding="utf-8")
    return path


def written(log: Trajectories, path: Path, without: str = "") -> str:
    """The log as a company would hand it over."""
    assert isinstance(problem.action, Discrete)
    columns: dict[str, Any] = {
        "episode_id": [log.world[k] for k in log.episode],
        "step": log.step.tolist(),
        "decided_at": [f"{moment}Z" for moment in log.at.astype("datetime64[s]")],
        "action": [problem.action.labels[k] for k in log.action],
        **{name: log.feature(name).tolist() for name in log.names},
        **{name: values.tolist() for name, values in log.signals.items()},
    }
    columns.pop(without, None)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return str(path)


def depot_log(late: int) -> Trajectories:
    """Real decisions of the depot the simulator is of, whose weather comes so many hours late."""
    return logged(replace(drawn(3), warmth=0.6, late=late), 7, with_promotions=False)


def run(*words: str) -> Result:
    """One command."""
    return CliRunner().invoke(sim_app, ["validate", *words])


def test_a_field_that_arrives_one_step_later_in_production_is_caught_named_and_priced(
    folder: Path, tmp_path: Path
) -> None:
    place = written(depot_log(1), tmp_path / "log.csv")
    done = run(str(folder), "--log", place, "--policy", "learned", "--home", str(tmp_path), "--json")
    assert done.exit_code == 4, done.output
    told = json.loads(done.stdout)
    failed = [finding["gate"] for finding in told["findings"] if finding["verdict"] == "fail"]
    assert "leak: weather" in failed
    worst = told["leaks"][0]
    assert (worst["feature"], worst["steps"], worst["ahead"], worst["kpi"]) == ("weather", 1, 1, "cost")
    assert worst["cost"]["low"] > 0
    assert told["simulator_version"] == "depot"
    assert len(told["log"]) == 12
    assert {"policy", "kpi", "simulated", "real", "relative", "low", "high"} <= told["gaps"][0].keys()
    assert told["rank_agreement"]["pairs"] >= 4
    # The text for people goes to standard error beside --json.
    assert "weather comes 1 step(s) earlier in the simulator than in the log" in done.stderr
    assert "1 step(s) later than in the simulator" in done.stderr
    assert "Simulator depot; log log.csv, SHA-256" in done.stderr


def test_a_few_episodes_are_inconclusive_and_say_how_many_more(folder: Path, tmp_path: Path) -> None:
    place = written(depot_log(0).take(np.arange(6)), tmp_path / "log.csv")
    done = run(str(folder), "--log", place, "--home", str(tmp_path))
    assert done.exit_code == 3
    assert "log 4 more" in done.output


def test_a_log_without_a_signal_is_refused_with_its_name_and_the_file(folder: Path, tmp_path: Path) -> None:
    place = written(depot_log(0).take(np.arange(2)), tmp_path / "log.csv", without="held")
    done = run(str(folder), "--log", place, "--home", str(tmp_path), "--json")
    assert done.exit_code == 2
    told = json.loads(done.stdout)
    assert "['held']" in told["expected"]
    assert told["where"] == place


def test_a_log_of_another_season_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    log = logged(replace(drawn(3), warmth=0.6, level=12.0), 7, with_promotions=False)
    done = run(str(folder), "--log", written(log, tmp_path / "log.csv"), "--home", str(tmp_path))
    assert done.exit_code == 4
    told = " ".join(done.output.split())
    assert "In short: The log is of other days than the simulator's worlds:" in told
    assert "demand is " in told
    assert "on average in the log and " in told
