"""`tenure shadow` as an operator meets it, on a made-up log and on a real shadow of the bikes case."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tenure.cli.judge import simulate
from tenure.cli.shadow import shadow_app
from tenure.cli.shadow_source import margins, shadow_log, shadow_source
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import ManualClock
from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal
from tenure.core.evidence import Verdict
from tenure.core.project import load_project
from tenure.core.simulator import Panel
from tenure.core.spaces import Box
from tenure.evaluation.shadow.log import Margin, Need
from tenure.evaluation.shadow.report import shadow_report
from tenure.rollout.settings import GuardrailSettings, Promote, Settings
from tenure.store import Event, SqliteStore, Store
from tenure.store.records import LogFrame
from tenure.store.shadow import Proposals

DAYS = 3
VERSION = "v1"
LATER = datetime(2012, 1, 1, tzinfo=UTC)


def shadow(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(shadow_app, list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout


def as_json(*words: str) -> tuple[int, dict[str, Any]]:
    code, out = shadow(*words, "--json")
    found: dict[str, Any] = json.loads(out)
    return code, found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of October in which the two-sided rule shadows the incumbent; its last proposal is missing."""
    base = tmp_path_factory.mktemp("home")
    workspace = open_workspace("bikes", base)
    with workspace.store() as store:
        fill(workspace, store)
    return base


def fill(workspace: Workspace, store: Store) -> None:
    project = workspace.project
    panel = project.simulator.panel("held_out", 0, DAYS)
    store.append_event(Event("bikes", "start", "ana", "try it", panel.started_at, {"version": VERSION}))
    trace = simulate(project, project.incumbent, panel)
    assert trace.observation is not None
    proposals: list[ShadowProposal] = []
    for step, at in enumerate(panel.moments()):
        seen = trace.observation[step]
        rows = [decided(panel, step, at, world, seen, trace.action) for world in range(len(panel.worlds))]
        store.append_decisions(rows)
        outcomes = [
            Outcome.observed("hour", row.decision_id, {n: float(v[step, w]) for n, v in trace.signals.items()}, at)
            for w, row in enumerate(rows)
        ]
        bounds = project.problem.signal_bounds
        store.append_outcomes("bikes", outcomes, received_at=at, wait=timedelta(hours=1), signals=bounds)
        offer = project.rules["two-sided"].propose(seen, None, np.zeros(len(seen)))
        proposals += [
            ShadowProposal(row.decision_id, Arm.CANDIDATE, VERSION, int(action), 1.0, 0.75, at)
            for row, action in zip(rows, offer.action, strict=True)
        ]
    store.append_proposals("bikes", proposals[:-1])


def decided(panel: Panel, step: int, at: datetime, world: int, seen: Any, action: Any) -> Decision:
    name = panel.worlds[world]
    return Decision(
        decision_id=f"{name}/{at:%Y-%m-%dT%H}",
        problem="bikes",
        problem_version="p",
        unit_id=f"{name}/{at:%Y-%m-%d}",
        episode_id=name,
        step=step,
        decided_at=at,
        context={},
        observation=seen[world].astype("<f4").tobytes(),
        mask=None,
        stage="shadow",
        arm=Arm.INCUMBENT,
        version="base-stock",
        action=int(action[step, world]),
        propensity=1.0,
        explored=False,
        confidence=1.0,
        kill_epoch=0,
        reason="shadow",
        latency_us=100,
        request_hash="h",
    )


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shadowed version stands for a rule, so that no training is needed."""
    monkeypatch.setattr(Workspace, "bundle", lambda self, version: self.project.rules["two-sided"])


def test_the_example_finds_the_hidden_trade_fails_and_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "shadow.html"
    code, found = as_json("report", "--example", "--html", str(page))
    assert (code, found["verdict"]) == (4, "fail")
    assert "but truck use rises 15.1 %" in found["sentence"]
    assert "all of it where hour >= 19 and north = 1: hold." in found["sentence"]
    assert found["html"] == str(page)
    assert found["sentence"].replace(">=", "&gt;=") in page.read_text()


def test_the_example_for_people_opens_with_the_verdict() -> None:
    code, out = shadow("report", "--example")
    assert code == 4
    assert out.startswith("fail: Delivery time falls 7.9 %")
    assert "Gain in reward per decision, off-policy: +0." in out
    assert "direct instead of tour" in out
    assert "Expected calibration error" in out


@pytest.mark.parametrize("words", [[], ["bikes", "--example"]])
def test_a_project_and_the_example_exclude_each_other(words: list[str]) -> None:
    code, found = as_json("report", *words)
    assert (code, found["error"]) == (2, "RequestError")


def test_without_a_shadow_stage_the_report_says_so(tmp_path: Path) -> None:
    code, found = as_json("report", "bikes", "--home", str(tmp_path))
    assert (code, found["error"], found["found"]) == (5, "EvidenceError", "none ever started")


@pytest.mark.usefixtures("replayed")
def test_a_real_shadow_of_bikes_is_replayed_from_the_logged_state(home: Path) -> None:
    code, found = as_json("report", "bikes", "--home", str(home))
    assert (code, found["verdict"]) == (3, "inconclusive")
    assert (found["decisions"], found["days"], found["version"]) == (1439, 3, VERSION)
    assert found["missing"] == ["8,561 more decisions", "28 more days"]
    assert found["sentence"].startswith("8,561 more decisions and 28 more days needed; so far ")
    health = {finding["gate"]: finding for finding in found["health"]}
    # the replayed incumbent is the logged one, to the last digit shown
    assert health["simulator"]["verdict"] == "pass"
    logged, simulated = (word for word in health["simulator"]["reason"].split() if "." in word)
    assert logged == simulated
    assert found["delivery"]["verdict"] == "pass"
    assert found["value"]["off_policy"]["gain"] is None
    assert "probability 1" in found["value"]["off_policy"]["reason"]
    assert found["value"]["replay"]["gain"]["cluster"] == "day"
    assert [kpi["name"] for kpi in found["kpis"]] == [
        "cost",
        "service_level",
        "lost_rentals",
        "bikes_moved",
        "idle_bikes",
    ]
    assert found["kpis"][0]["margin"] == {"size": 0.05, "relative": True}
    assert found["kpis"][4]["margin"] is None
    assert sum(each["n"] for each in found["calibration"]["bins"]) == 1439


@pytest.mark.usefixtures("replayed")
def test_the_replay_equals_a_hand_made_one(home: Path) -> None:
    workspace = open_workspace("bikes", home)
    with workspace.store() as store:
        source = shadow_source(workspace, store, ManualClock(LATER))
    assert not isinstance(source.replay, str)
    project = workspace.project
    panel = project.simulator.panel("held_out", 0, DAYS)
    candidate = simulate(project, project.rules["two-sided"], panel)
    assert source.replay.candidate["idle_bikes"].sum() == candidate.signals["idle_bikes"].sum()
    assert np.isnan(source.replay.confidence).sum() == 1
    assert len(np.unique(source.replay.cluster)) == DAYS
    assert len(np.unique(source.replay.unit)) == DAYS * 20


def test_a_version_whose_bundle_is_gone_is_reported_without_a_replay(home: Path) -> None:
    code, found = as_json("report", "bikes", "--home", str(home))
    assert code == 3
    assert found["value"]["replay"]["gain"] is None
    assert "no replay" in found["value"]["replay"]["reason"]
    assert found["kpis"][0]["changes"] == []


@pytest.mark.usefixtures("replayed")
def test_decisions_whose_outcome_may_still_come_are_left_out(home: Path) -> None:
    workspace = open_workspace("bikes", home)
    first = workspace.project.simulator.panel("held_out", 0, 1).started_at
    with workspace.store() as store:
        none = shadow_source(workspace, store, ManualClock(first))
        some = shadow_source(workspace, store, ManualClock(first + timedelta(hours=6)))
    assert (len(none.log), none.replay) == (0, "there is no shadowed decision yet")
    assert (len(some.log), some.replay) == (6 * 20, "no whole day has been shadowed yet")


def test_a_note_is_shown_with_its_decision_time_and_actor(home: Path, tmp_path: Path) -> None:
    name = "district-03/2011-10-02T09"
    if not noted(home, name):
        code, found = as_json("note", name, "the <truck> broke down", "--actor", "ana", "--home", str(home))
        assert (code, found["decision_id"], found["actor"]) == (0, name, "ana")
    page = tmp_path / "page.html"
    _, report = as_json("report", "bikes", "--home", str(home), "--html", str(page))
    (note,) = report["notes"]
    assert (note["decision_id"], note["actor"], note["text"]) == (name, "ana", "the <truck> broke down")
    assert note["decided_at"] == "2011-10-02T09:00:00+00:00"
    assert note["at"] >= "2026"
    assert "the &lt;truck&gt; broke down" in page.read_text()
    assert f"Note on {name} by ana" in shadow("report", "bikes", "--home", str(home))[1]


def noted(home: Path, name: str) -> bool:
    with SqliteStore(home / "bikes" / "log.sqlite") as store:
        return any(note.payload["decision_id"] == name for note in store.notes("bikes"))


@pytest.mark.parametrize(
    ("words", "error", "code"),
    [
        (["nobody/2011", "odd"], "UnknownError", 2),
        (["district-03/2011-10-02T09", "  "], "RequestError", 2),
    ],
)
def test_a_note_on_nothing_or_of_nothing_is_refused(home: Path, words: list[str], error: str, code: int) -> None:
    found = as_json("note", *words, "--home", str(home))
    assert (found[0], found[1]["error"]) == (code, error)


def test_a_note_where_no_log_is_makes_none(tmp_path: Path) -> None:
    assert as_json("note", "d", "odd", "--home", str(tmp_path))[1]["error"] == "ProjectError"
    assert list(tmp_path.iterdir()) == []


def test_margins_are_those_of_the_first_step_else_of_the_guardrail() -> None:
    settings = Settings(
        promote=[
            Promote(to=0.01, kpi="cost", margin=0.05, evidence="replay", relative=True),
            Promote(to=1.0, kpi="idle", margin=9.0),
        ],
        guardrail=[GuardrailSettings("cost", 0.5), GuardrailSettings("late", 0.1)],
    )
    assert margins(settings) == {"cost": Margin(0.05, relative=True), "late": Margin(0.1)}


def test_of_vectors_the_report_says_how_often_they_differ_and_weighs_nothing() -> None:
    space = Box(("x", "y"), ("m", "m"), (0.0, 0.0), (1.0, 10.0))
    problem = dataclasses.replace(load_project("arm").problem, action=space)
    n, none = 4, np.full(2, np.nan)
    offered = np.array([[0.5, 5.0], [0.5, 5.4], [0.5, 5.6], [0.5, 5.0]])  # apart by 0, 0.04, 0.06; unheard
    names = [f"d{k}" for k in range(n)]
    frame = LogFrame(
        decision_id=names,
        sequence=np.arange(1, n + 1),
        unit_id=["u"] * n,
        episode_id=[None] * n,
        step=np.full(n, -1),
        decided_at=np.array(["2026-01-05"] * n, dtype="datetime64[us]"),
        stage=["shadow"] * n,
        arm=["incumbent"] * n,
        version=["rule"] * n,
        action=np.tile([0.5, 5.0], (n, 1)),
        propensity=np.ones(n),
        explored=np.zeros(n, dtype=bool),
        confidence=np.ones(n),
        observation=np.zeros((n, len(problem.observation)), dtype=np.float32),
        joined=np.ones(n, dtype=bool),
        signals={name: np.zeros(n) for name in problem.signal_names},
        shadow_action=np.vstack([offered[:3], none]),
        shadow_version=["v1"] * 3 + [None],
    )
    log, confidence = shadow_log(problem, frame, Proposals(names[:3], offered[:3], np.ones(3)))
    assert log.proposed.tolist() == [0, 0, 1, -1]
    assert log.differs.tolist() == [False, False, True, False]
    assert np.isnan(log.rows.propensity).all()
    assert confidence[:3].tolist() == [1.0] * 3
    assert "5 %" in log.rows.labels[1]

    report = shadow_report(problem, log, "no replay", need=Need(1, 1), margins={})
    assert report.verdict is Verdict.INCONCLUSIVE
    assert [each.gain for each in report.value] == [None] * len(report.value)


def test_of_vectors_nobody_proposed_there_is_nothing_to_compare(tmp_path: Path) -> None:
    problem = load_project("arm").problem
    with SqliteStore(tmp_path / "log.db") as store:
        store.open_problem("arm", "salt")
        frame = store.read_log("arm")
    log, _ = shadow_log(problem, frame, Proposals([], np.zeros(0, dtype=np.int64), np.zeros(0)))
    assert len(log) == 0
