"""`tenure sim validate` from outside: the story of the late field, exit codes, JSON, and bad logs with the fix."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.simulators.fidelity import short
from tests.simulators.fidelity.depot import drawn, problem
from tests.simulators.fidelity.truth import logged
from typer.testing import CliRunner, Result

from tenure.cli.sim import sim_app
from tenure.core.policy import Policy
from tenure.core.spaces import Discrete
from tenure.core.trace import Trace
from tenure.core.trajectories import Trajectories
from tenure.simulators.rollout import run as simulate

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


KIOSK = "from tests.simulators.fidelity.short import better, incumbent, problem\n\nrules = {'better': better}\n"


@pytest.mark.parametrize(("real", "verdict"), [(3.0, "pass"), (1.5, "fail")])
def test_without_replay_the_policys_real_value_comes_from_the_logs_propensities(
    tmp_path: Path, real: float, verdict: str
) -> None:
    (tmp_path / "problem.py").write_text(KIOSK)
    (tmp_path / "simulator.py").write_text(
        "from tests.simulators.fidelity.short import Kiosk\n\nsimulator = Kiosk(3.0)\n"
    )
    place = kiosk_log(tmp_path / "log.csv", real)
    done = run(str(tmp_path), "--log", place, "--policy", "better", "--home", str(tmp_path), "--json")
    assert done.exit_code in (0, 3, 4), done.output
    told = json.loads(done.stdout)
    gap = next(each for each in told["gaps"] if each["policy"] == "better")
    assert gap["method"] == "off-policy, per-decision weighted"
    truth = profit(real, short.better)
    assert gap["real"] == pytest.approx(truth, abs=0.16)  # three of its standard errors over 3,000 days
    assert gap["simulated"] == pytest.approx(profit(3.0, short.better), rel=0.03)
    assert gap["low"] <= gap["simulated"] / truth - 1 <= gap["high"]
    verdicts = {each["gate"]: each["verdict"] for each in told["findings"]}
    assert verdicts["gap: better"] == verdict


def test_without_replay_and_without_propensities_the_value_is_left_open_and_says_what_would_help(
    tmp_path: Path,
) -> None:
    (tmp_path / "problem.py").write_text(KIOSK)
    (tmp_path / "simulator.py").write_text(
        "from tests.simulators.fidelity.short import Kiosk\n\nsimulator = Kiosk(3.0)\n"
    )
    place = kiosk_log(tmp_path / "log.csv", 3.0, without="propensity")
    done = run(str(tmp_path), "--log", place, "--policy", "better", "--home", str(tmp_path), "--json")
    findings = {each["gate"]: each for each in json.loads(done.stdout)["findings"]}
    assert done.exit_code == 3
    assert findings["gap: better"]["verdict"] == "inconclusive"
    assert "log propensities with a share of random decisions" in findings["gap: better"]["reason"]


def kiosk_trace(demand: float, policy: Policy, seed: int) -> Trace:
    """A policy in a kiosk of that demand."""
    world = short.Kiosk(demand)
    return simulate(short.problem, world, policy, world.panel("held_out"), seed=seed).trace


def profit(demand: float, policy: Policy) -> float:
    """What it is really worth, by running it six times over the 3,000 days."""
    return float(np.mean([kiosk_trace(demand, policy, seed).kpi(short.problem.kpis[0]) for seed in range(90, 96)]))


def kiosk_log(path: Path, demand: float, without: str = "") -> str:
    """A log of the exploring incumbent, one line a decision."""
    trace = kiosk_trace(demand, short.logging, seed=5)
    assert trace.observation is not None
    fields = [
        name for name in ("episode_id", "step", "action", "propensity", "stock", "sold", "filled") if name != without
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields, extrasaction="ignore")
        writer.writeheader()
        for world, step in np.ndindex(len(trace.worlds), trace.steps):
            seen, action = trace.observation[step, world], int(trace.action[step, world])
            share = short.logging.propose(seen[None], None, np.zeros(1)).distribution
            assert share is not None
            writer.writerow({
                "episode_id": trace.worlds[world], "step": step, "action": ("wait", "fill")[action],
                "propensity": float(share[0, action]), "stock": seen[0],
                **{name: values[step, world] for name, values in trace.signals.items()},
            })  # fmt: skip
    return str(path)


def test_a_long_log_is_thinned_to_whole_episodes_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "problem.py").write_text(KIOSK)
    (tmp_path / "simulator.py").write_text(
        "from tests.simulators.fidelity.short import Kiosk\n\nsimulator = Kiosk(3.0)\n"
    )
    monkeypatch.setattr("tenure.cli.sim_validate.MOST", 5_000)
    done = run(str(tmp_path), "--log", kiosk_log(tmp_path / "log.csv", 3.0), "--home", str(tmp_path), "--json")
    told = json.loads(done.stdout)
    assert (told["log_rows"], told["log_share"]) == (9_000, 0.5)
    assert told["rows"] < 5_000
    assert "The log has 9,000 decisions: 1 episode in 2 is compared, by its name." in done.stderr


def test_rows_that_are_no_decision_of_the_problem_are_told_with_their_lines(folder: Path, tmp_path: Path) -> None:
    place = Path(written(depot_log(0).take(np.arange(12)), tmp_path / "log.csv"))
    lines = place.read_text().splitlines()
    cells = lines[5].split(",")
    cells[lines[0].split(",").index("action")] = "thousands"
    place.write_text("\n".join([*lines[:5], ",".join(cells), *lines[6:]]) + "\n")
    done = run(str(folder), "--log", str(place), "--home", str(tmp_path), "--json")
    told = json.loads(done.stdout)
    assert [row["line"] for row in told["rejected"]] == [6]
    assert "thousands" in told["rejected"][0]["reason"]
    assert told["log_rows"] == len(lines) - 2
    assert "1 row(s) rejected, not in the figures" in done.stderr


def test_a_feature_that_no_row_has_is_named_even_where_nobody_known_decided(folder: Path, tmp_path: Path) -> None:
    log = depot_log(0).take(np.arange(12))
    seen = log.observation.copy()
    seen[:, log.names.index("stock")] = np.nan
    place = written(replace(log, observation=seen), tmp_path / "log.csv")
    done = run(str(folder), "--log", place, "--home", str(tmp_path), "--json")
    failed = [each["reason"] for each in json.loads(done.stdout)["findings"] if each["verdict"] == "fail"]
    assert done.exit_code == 4
    assert any(reason.startswith("stock is in no row of the log: log it") for reason in failed)
