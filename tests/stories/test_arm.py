"""The story of the arm: torques from training to a bundle, to a server that shadows, splits, explores and is stopped.

The short form serves the bundle beside this file: `tenure train arm --seeds 1 --steps 800000` made it, and it is to be
made again when problem.py of the case changes. `TENURE_STORIES=long` trains one. Operations' minima are made small.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tests.stories.commands import long, tenure

from tenure.cases.arm.body import STEPS
from tenure.cases.arm.problem import incumbent, problem
from tenure.cases.arm.simulator import MOVES_A_DAY, simulator
from tenure.cli.live import server, tick_all
from tenure.cli.services import services
from tenure.cli.workspace import Workspace, open_workspace
from tenure.client import Answer, DecisionClient, drive
from tenure.core.clock import ManualClock, to_text
from tenure.core.decision import Decision
from tenure.rollout import Controller, Move, Tick
from tenure.store import Store

BUNDLES = Path(__file__).parent / "arm_bundle"
(VERSION,) = [folder.name for folder in BUNDLES.iterdir()]
CASE = Path(__file__).parents[2] / "src/tenure/cases/arm"
DAY = timedelta(days=1)
SMALL = {
    "shadow = { min_decisions = 10000, min_days = 7 }": "shadow = { min_decisions = 3000, min_days = 1 }\n"
    "bake = { min_decisions = 500, min_units = 10, min_days = 1 }",
    "stages = [0.01, 0.10, 1.0]": "stages = [0.5, 1.0]",
    "approval = [0.01, 1.0]": "approval = [0.5]",
    "exploration = 0.0 ": "exploration = 0.05 ",
    "[reward_window]": "[ready]\nalert = false\ndrill_days = 0\n\n[reward_window]",
}
"""What operations may change: a week of shadow and two of canary would take too long to tell."""


def project(place: Path) -> Path:
    """The case as a folder of one's own, with small minima."""
    folder = shutil.copytree(CASE, place / "arm", ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "tenure.toml").read_text()
    for old, new in SMALL.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "tenure.toml").write_text(text)
    return folder


def brought(workspace: Workspace) -> str:
    """The bundle beside this file, put where a training run would have put it."""
    shutil.copytree(BUNDLES / VERSION, workspace.bundles / VERSION)
    manifest = workspace.bundle(VERSION).bundle.manifest
    record = {name: manifest[name] for name in ("problem_version", "reward_version", "lineage", "evaluation")}
    with workspace.store() as store:
        store.open_problem("arm", workspace.settings.rollout.salt)
        store.register_version(VERSION, "arm", simulator.panel("selection").started_at, record)
    return VERSION


def a_day(workspace: Workspace, day: int) -> None:
    """All moves of one day through a server of its own; when it has stopped, its shadow is in the log."""
    panel = simulator.panel("selection", day, 1)
    with server(workspace) as url, DecisionClient(url, "arm") as client:
        for _ in drive(client, problem, simulator, panel):
            pass


def steps_taken(controller: Controller, clock: ManualClock) -> list[Tick]:
    """What the gates say and do on the next midnight; a request is approved."""
    clock.advance(DAY)
    return list(tick_all(controller))


def rows(store: Store) -> list[Decision]:
    """Every decision, in order."""
    return [row.decision for row in store.read_rows("arm", limit=10**6)]


def whole_road(folder: Path, home: Path, version: str) -> None:
    """Shadow, half the traffic, all of it, and the stop; days follow each other on a simulated clock."""
    workspace = open_workspace(str(folder), home)
    clock = ManualClock(simulator.panel("selection").started_at - timedelta(hours=1))
    with workspace.store() as store:
        controller = Controller(problem, workspace.settings, store, services(workspace), clock)
        (entry,) = controller.start(version, "story")
        assert "cost gain on the selection data" in entry.reason
        clock.advance(timedelta(hours=1))

        a_day(workspace, 0)
        assert_shadowed(store, folder, home)
        moves = [tick.step.move for tick in steps_taken(controller, clock) if tick.step is not None]
        assert moves == [Move.REQUEST, Move.PROMOTE]

        a_day(workspace, 1)
        assert_split(store, folder, home)
        (held,) = steps_taken(controller, clock)
        gates = {finding.gate: finding.verdict.word for finding in held.gate}
        assert gates["live equals replay"] == "pass"
        assert [gate for gate, word in gates.items() if word != "pass"] == ["live distance"], "32 arm-days are too few"

        assert_stopped_at_once(workspace, store, home)
    code, found = tenure(home, "log", "verify", str(folder))
    assert (code, found["intact"]) == (0, True)


def assert_shadowed(store: Store, folder: Path, home: Path) -> None:
    """The incumbent's torques were done, the candidate's stand beside each, and the report weighs nothing by them."""
    log = store.read_log("arm")
    assert log.action.shape == log.shadow_action.shape == (MOVES_A_DAY * STEPS, 2)
    assert set(log.version) == {incumbent.version}
    again = incumbent.propose(log.observation, None, np.zeros(len(log))).action
    np.testing.assert_allclose(log.action, again, rtol=0, atol=1e-9)
    code, found = tenure(home, "shadow", "report", str(folder))
    assert (code, found["verdict"], found["decisions"]) == (3, "inconclusive", MOVES_A_DAY * STEPS)
    assert 0 < found["disagreement"]["decisions"] < found["decisions"]
    assert {way: each["gain"] for way, each in found["value"].items()} == {"replay": None, "off_policy": None}


def assert_split(store: Store, folder: Path, home: Path) -> None:
    """Half the arms are the candidate's; a proposed vector has its arm's probability, a drawn one a density."""
    live = [row for row in rows(store) if row.stage == "canary"]
    drawn = [row for row in live if row.explored]
    assert {(row.arm.value, row.propensity) for row in live if not row.explored} <= {
        ("candidate", 0.5 * 0.95),
        ("incumbent", 0.5),
        ("candidate", 0.5 * 0.95 + 0.5),  # both at the motors' limits
        ("incumbent", 0.5 * 0.95 + 0.5),
    }
    assert len(drawn) > 10
    assert all(row.propensity is None and row.density is not None and row.density > 0 for row in drawn)
    for row in (drawn[0], next(row for row in live if row.arm == "candidate" and not row.explored)):
        code, why = tenure(home, "why", row.decision_id, "--project", str(folder))
        assert (code, why["replay"]["same"], why["propensity"]["density"]) == (0, True, row.density)
        assert why["action"].startswith("shoulder ")
        assert sorted(why["influence"]) == sorted(problem.feature_names)
        assert max(why["influence"].values()) > 0


def assert_stopped_at_once(workspace: Workspace, store: Store, home: Path) -> None:
    """After the kill command has returned, no answer is the candidate's: not a new one, not a repeated one."""
    learned = next(row for row in reversed(rows(store)) if row.arm == "candidate" and not row.explored)
    own = incumbent.propose(np.frombuffer(learned.observation, dtype="<f4")[None], None, np.zeros(1)).action[0]
    asked = {"episode_id": learned.episode_id, "step": learned.step, "at": to_text(learned.decided_at)}
    with server(workspace) as url, DecisionClient(url, "arm") as client:

        def ask(name: str) -> Answer:
            return client.decide_one(learned.unit_id, learned.context, decision_id=name, **asked)

        before = ask("before")
        assert before.arm == "candidate"
        assert before.action == pytest.approx(learned.action, abs=1e-5)
        code, killed = tenure(home, "kill", str(workspace.project.folder), "--reason", "the story ends")
        assert code == 0, killed
        after, repeated = ask("after"), ask("before")
        assert (after.arm, after.reason) == ("incumbent", "killed")
        assert (repeated.arm, repeated.reason) == ("fallback", "killed")
        assert after.action == repeated.action == pytest.approx(own)
    with DecisionClient(url, "arm", fallback=lambda _: [0.0, 0.0]) as client:
        alone = client.decide_one("u", learned.context)
    assert (alone.arm, alone.reason, alone.action) == ("fallback", "unreachable", (0.0, 0.0))


def kpi(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One KPI of an evaluation."""
    row: dict[str, Any] = next(each for each in found["kpis"] if each["name"] == name)
    return row


def test_the_scenarios_refuse_the_draft_without_effort(tmp_path: Path) -> None:
    code, found = tenure(tmp_path, "reward", "check", "arm:no-effort")
    assert (code, found["verdict"]) == (4, "fail")


def test_a_bundles_torques_are_within_the_motors_limits_whatever_it_sees() -> None:
    session = onnxruntime.InferenceSession(str(BUNDLES / VERSION / "policy.onnx"))
    wild = np.random.default_rng(0).normal(0, 100, (1000, len(problem.observation))).astype(np.float32)
    torques = session.run(["action"], {"observation": wild})[0]
    assert torques.shape == (1000, 2)
    assert problem.action.holds(torques).all()  # type: ignore[union-attr]


def test_torques_go_through_shadow_and_half_the_traffic_until_a_kill_takes_them_back(tmp_path: Path) -> None:
    folder, home = project(tmp_path), tmp_path / "home"
    whole_road(folder, home, brought(open_workspace(str(folder), home)))


@long
def test_the_learned_torques_cost_less_than_the_tuned_controllers_and_go_live(tmp_path: Path) -> None:
    folder, home = project(tmp_path), tmp_path / "home"
    assert tenure(home, "reward", "check", str(folder))[0] == 0
    code, run = tenure(home, "train", str(folder), "--seeds", "1", "--steps", "800000")
    assert code == 0, run
    code, found = tenure(home, "evaluate", str(folder))
    assert code == 0
    assert found["gain"]["value"] > 0, f"on simulator {simulator.version}"
    assert kpi(found, "cost")["candidate"] == pytest.approx(run["score"]["value"], rel=1e-6)
    whole_road(folder, home, run["version"])
