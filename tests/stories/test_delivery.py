"""The story of the delivery service: paid for speed alone its vans never come home, and the shadow report holds it.

The short form checks both rewards, and shadows two shipped rules in place of trained policies: one that keeps every van
outside, one that goes to the nearest order. `TENURE_STORIES=long` trains both candidates and shadows them behind a real
server.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.stories.commands import end, long, reasons, start, tenure
from typer.testing import CliRunner

from tenure import Policy, Proposal
from tenure.cases.delivery.problem import NearestWindow, rules
from tenure.cli.judge import simulate
from tenure.cli.live import server
from tenure.cli.services import services
from tenure.cli.shadow import shadow_app
from tenure.cli.workspace import Workspace, open_workspace
from tenure.client import DecisionClient, drive
from tenure.core.clock import ManualClock
from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal
from tenure.core.evidence import Verdict, worst
from tenure.core.simulator import Panel
from tenure.core.trace import Trace
from tenure.rollout import Controller
from tenure.store import Event, Store

DAYS, A_DAY = 7, 288
VERSION = "stands-for-a-trained-one"
OUTSIDE = NearestWindow(ahead=10, soon=1000, crowd=0, patience=0)
SHORTER = ("--steps", "600000")
"""Enough for both verdicts; the figures of docs/cases/delivery.md take all steps of tenure.toml."""
TOWNS = 6
"""Whose log is filled in the short form; the replay has all."""


def kpi(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One KPI of a shadow report, by replay."""
    row: dict[str, Any] = next(each for each in found["kpis"] if each["name"] == name)
    return {**row, **row["changes"][0]}


def assert_held(code: int, found: dict[str, Any]) -> None:
    """Faster, and by more vans than the 5 % that operations allow."""
    assert (code, found["verdict"]) == (4, "fail"), found["sentence"]
    assert "hold" in found["sentence"]
    assert kpi(found, "delivery_time")["word"] == "better"
    assert kpi(found, "vans")["word"] == "worse"


def assert_passes(code: int, found: dict[str, Any]) -> None:
    assert (code, found["verdict"]) == (0, "pass"), found["sentence"]
    assert kpi(found, "delivery_time")["word"] == "better"
    assert kpi(found, "vans")["change"]["value"] <= 0


def test_the_scenarios_accept_the_reward_and_refuse_the_draft_without_vans(tmp_path: Path) -> None:
    code, found = tenure(tmp_path, "reward", "check", "delivery")
    assert (code, found["verdict"]) == (0, "pass")

    code, found = tenure(tmp_path, "reward", "check", "delivery:no-vans")
    assert code == 4
    assert "'in time' returns -4.6, 'in time by a van that came too early' -4.6" in reasons(found, "fail")


@pytest.mark.parametrize(
    ("rule", "judged"), [(OUTSIDE, assert_held), (rules["nearest-order"], assert_passes)], ids=["held", "passes"]
)
def test_the_shadow_holds_speed_by_more_vans_and_passes_speed_without(
    rule: Policy, judged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace("delivery", tmp_path)
    with workspace.store() as store:
        shadow_by_hand(workspace, store, rule)
    monkeypatch.setattr(Workspace, "bundle", lambda self, version: rule)
    judged(*report(tmp_path))


def report(home: Path) -> tuple[int, dict[str, Any]]:
    """`tenure shadow report delivery`, in this process: the rule that stands in is known here only."""
    done = CliRunner().invoke(shadow_app, ["report", "delivery", "--home", str(home), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    found: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, found


def shadow_by_hand(workspace: Workspace, store: Store, rule: Policy) -> None:
    """A week's log of some towns, as a server would have written it."""
    panel = workspace.project.simulator.panel("held_out", 0, DAYS)
    store.append_event(Event("delivery", "start", "story", "try it", panel.started_at, {"version": VERSION}))
    trace = simulate(workspace.project, workspace.project.incumbent, panel)
    assert trace.observation is not None
    for first in range(0, panel.steps, A_DAY):
        rows = [row_of(panel, trace, step, town) for step in range(first, first + A_DAY) for town in range(TOWNS)]
        store.append_decisions(rows)
        outcomes = [outcome_of(trace, row) for row in rows]
        bounds, received = workspace.project.problem.signal_bounds, rows[-1].decided_at + panel.interval
        store.append_outcomes(
            "delivery", outcomes, received_at=received, wait=timedelta(days=1, minutes=5), signals=bounds
        )
        seen = trace.observation[first : first + A_DAY, :TOWNS].reshape(len(rows), -1)
        offer = rule.propose(seen, None, np.zeros(len(rows)))
        store.append_proposals("delivery", [proposed(row, offer, place) for place, row in enumerate(rows)])


def row_of(panel: Panel, trace: Trace, step: int, town: int) -> Decision:
    """What the incumbent decided in one town at one moment."""
    assert trace.observation is not None
    at, name = panel.started_at + step * panel.interval, panel.worlds[town]
    return Decision(
        decision_id=f"{name}/{at:%Y-%m-%dT%H:%M}",
        problem="delivery",
        problem_version="p",
        unit_id=f"{name}/{at:%Y-%m-%d}",
        episode_id=name,
        step=step,
        decided_at=at,
        context={},
        observation=trace.observation[step, town].astype("<f4").tobytes(),
        mask=None,
        stage="shadow",
        arm=Arm.INCUMBENT,
        version="nearest-window",
        action=int(trace.action[step, town]),
        propensity=1.0,
        explored=False,
        confidence=1.0,
        kill_epoch=0,
        reason="shadow",
        latency_us=100,
        request_hash="h",
    )


def outcome_of(trace: Trace, row: Decision) -> Outcome:
    """What came of a decision, five minutes later."""
    at = (row.step, trace.worlds.index(str(row.episode_id)))
    signals = {name: float(values[at]) for name, values in trace.signals.items()}
    return Outcome.observed("step", row.decision_id, signals, row.decided_at + trace.interval)


def proposed(row: Decision, offer: Proposal, place: int) -> ShadowProposal:
    """What the candidate would have done."""
    return ShadowProposal(row.decision_id, Arm.CANDIDATE, VERSION, int(offer.action[place]), 1.0, 0.9, row.decided_at)


def shadow_by_server(home: Path, version: str) -> tuple[int, dict[str, Any]]:
    """The same week through a real server on a simulated clock, the candidate proposing beside it; then the report."""
    workspace = open_workspace("delivery", home)
    project, panel = workspace.project, workspace.project.simulator.panel("held_out", 0, DAYS)
    with workspace.store() as store:
        clock = ManualClock(panel.started_at)
        controller = Controller(project.problem, workspace.settings, store, services(workspace), clock)
        assert worst(finding.verdict for finding in controller.start(version, "story")) is Verdict.PASS
    with server(workspace) as url, DecisionClient(url, "delivery") as client:
        for _ in drive(client, project.problem, project.simulator, panel):
            pass
    return tenure(home, "shadow", "report", "delivery")


@long
def test_the_whole_story(tmp_path: Path) -> None:
    """Trained without the van term a candidate is held; trained with it the re-run shadow passes."""
    homes = [tmp_path / name for name in ("fast", "mended")]
    for home in homes:
        assert tenure(home, "reward", "check", "delivery")[0] == 0
    fast = start(homes[0], "train", "delivery", "--seeds", "1", *SHORTER, "--without", "van_minutes", "--name", "fast")
    mended = start(homes[1], "train", "delivery", "--seeds", "1", *SHORTER, "--name", "mended")
    versions = [found["version"] for code, found in (end(fast), end(mended)) if code == 0]
    assert_held(*shadow_by_server(homes[0], versions[0]))
    assert_passes(*shadow_by_server(homes[1], versions[1]))
