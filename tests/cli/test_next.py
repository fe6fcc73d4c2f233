"""`tenure next` reads records alone, works where nothing ever ran, and follows a project along its road."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tenure.cli.next import run_next
from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import ProjectError
from tenure.design.facts import keep_assessment
from tenure.design.reward.record import sources_of, write_result
from tenure.design.starting.start import start_from_case
from tenure.store import Event
from tenure.training.record import CurvePoint, RunRecord, SeedRecord, write_record

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = start_from_case("queue", tmp_path, None).folder
    return open_workspace(str(folder), tmp_path / "home")


def standing(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> dict[int, dict[str, Any]]:
    capsys.readouterr()
    run_next(Output(json=True), str(workspace.project.folder), workspace.home.parent)
    return {each["number"]: each for each in json.loads(capsys.readouterr().out)["stages"]}


def trained(workspace: Workspace, seeds: int, low: float, simulator: str = "") -> None:
    """A finished run on the problem as it is."""
    project, problem = workspace.project, workspace.project.problem
    curve = (CurvePoint(1, 1, 1.0, 1.0, 0.5, 0.5),)
    record = RunRecord(
        run="r",
        problem=problem.name,
        settings={},
        seeds=tuple(SeedRecord(seed, f"v{seed}", 1.0, 1000.0, curve) for seed in range(seeds)),
        chosen="v0",
        incumbent=1.0,
        bound=None,
        gain={"value": low + 0.1, "low": low, "high": low + 0.2},
        commit="unknown",
        problem_version=problem.version,
        reward_version=problem.reward_version,
        simulator_version=simulator or project.simulator.version,
    )
    folder = workspace.runs / "r"
    folder.mkdir(parents=True, exist_ok=True)
    write_record(record, folder)


def test_a_fresh_folder_has_a_next_command_and_no_log_is_made(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    found = standing(workspace, capsys)
    assert [found[number]["verdict"] for number in (1, 2, 4)] == ["open", "open", "done"]
    assert found[1]["command"] == f"tenure assess {workspace.project.folder}"
    assert not (workspace.home / "log.sqlite").exists()


def test_people_read_stages_reasons_and_the_next_command(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    run_next(Output(json=False), str(workspace.project.folder), workspace.home.parent)
    told = capsys.readouterr().out
    assert "the use case was not assessed yet" in told
    assert f"Next: tenure assess {workspace.project.folder}" in told


def test_an_assessment_counts_for_the_problem_it_was_made_of(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"verdict": "pass", "recommendation": "online_rl"}
    keep_assessment(workspace.home, fields, workspace.project.problem.version, NOW)
    assert standing(workspace, capsys)[1]["shown"] == "assessed on 2026-05-01: online_rl"
    keep_assessment(workspace.home, fields, "another", NOW)
    assert standing(workspace, capsys)[1]["blocked_by"] == ["the problem changed since it was assessed"]


@pytest.mark.parametrize("verdict", ["fail", "inconclusive"])
def test_what_did_not_pass_is_not_asked_again(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], verdict: str
) -> None:
    fields = {"verdict": verdict, "recommendation": "supervised", "reason": "the answer is known afterwards"}
    keep_assessment(workspace.home, fields, workspace.project.problem.version, NOW)
    found = standing(workspace, capsys)[1]
    assert (found["verdict"], found["command"]) == ("blocked", "")
    assert "the answer is known afterwards" in found["blocked_by"][0]
    run_next(Output(json=False), str(workspace.project.folder), workspace.home.parent)
    assert "\nNext, if you go on without stage 1: tenure reward check" in capsys.readouterr().out


def test_check_then_audit_finish_the_reward(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    sources = sources_of(workspace.project)
    write_result(workspace.project, workspace.home, "check", {"verdict": "pass", "findings": []}, NOW, sources)
    assert standing(workspace, capsys)[2]["command"].startswith("tenure reward audit")
    write_result(workspace.project, workspace.home, "audit", {"verdict": "pass", "findings": []}, NOW, sources)
    assert standing(workspace, capsys)[2]["verdict"] == "done"


def test_after_a_failed_audit_the_reward_is_mended_and_checked_again(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = sources_of(workspace.project)
    passed, held = {"verdict": "pass", "findings": []}, [{"gate": "exploits", "verdict": "fail", "reason": "found"}]
    write_result(workspace.project, workspace.home, "check", passed, NOW, sources)
    write_result(workspace.project, workspace.home, "audit", {"verdict": "fail", "findings": held}, NOW, sources)
    version = workspace.project.problem.version
    keep_assessment(workspace.home, {"verdict": "pass", "recommendation": "online_rl"}, version, NOW)
    found = standing(workspace, capsys)[2]
    assert found["blocked_by"] == ["the audit of 2026-05-01 holds on exploits; mend the reward and check again"]
    run_next(Output(json=False), str(workspace.project.folder), workspace.home.parent)
    assert "Next, once what blocks stage 2 is mended: tenure reward check" in capsys.readouterr().out


def test_a_run_counts_only_for_the_problem_reward_and_simulator_it_was_trained_on(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(workspace, seeds=5, low=0.1)
    found = standing(workspace, capsys)
    assert (found[3]["verdict"], found[5]["verdict"]) == ("done", "done")
    trained(workspace, seeds=5, low=0.1, simulator="older")
    assert "the simulator changed since run r" in standing(workspace, capsys)[3]["blocked_by"]


def test_few_seeds_and_an_unproven_gain_are_not_done(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    trained(workspace, seeds=2, low=-0.05)
    found = standing(workspace, capsys)
    assert found[5]["blocked_by"] == ["2 of 5 seeds, each at 1,000 steps/s"]
    assert "does not yet provably gain" in found[6]["blocked_by"][-1]


def test_the_held_out_data_must_have_been_read(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    trained(workspace, seeds=5, low=0.1)
    assert "--held-out" in standing(workspace, capsys)[6]["command"]
    with workspace.store() as store:
        store.count_read("queue", "held_out", NOW, "ann")
    assert standing(workspace, capsys)[6]["verdict"] == "done"


def test_shadow_asks_for_alert_drill_and_the_next_step_in_turn(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    def happened(kind: str, actor: str, **payload: object) -> str:
        with workspace.store() as store:
            store.append_event(Event("queue", kind, actor, "why", datetime.now(UTC), payload))
        return str(standing(workspace, capsys)[8]["command"].split()[1:3])

    trained(workspace, seeds=5, low=0.1)
    with workspace.store() as store:
        store.count_read("queue", "held_out", NOW, "ann")
        store.register_version("v0", "queue", NOW, {})
    assert standing(workspace, capsys)[8]["command"].endswith('--version v0 --reason "WHY"')
    assert happened("start", "ann", version="v0") == "['alerts', 'test']"
    assert happened("alert_test", "ann", delivered=True).startswith("['drill'")
    assert happened("drill", "ann", passed=True).startswith("['tick'")
    happened("promote", "controller", to=1.0)
    found = standing(workspace, capsys)
    assert (found[8]["verdict"], found[9]["verdict"]) == ("done", "open")
    happened("complete", "controller")
    found = standing(workspace, capsys)
    assert (found[9]["verdict"], found[10]["verdict"]) == ("done", "open")
    with workspace.store() as store:
        store.register_version("v9", "queue", datetime(2026, 6, 1, tzinfo=UTC), {})
    assert standing(workspace, capsys)[10]["shown"] == "version v9 was trained after the live one"


def test_a_broken_simulator_blocks_its_stage_until_it_is_mended(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.project.folder / "simulator.py"
    good = path.read_text()
    path.write_text(good.replace('"left": left.astype(float)', '"left": left.astype(float) - 5.0'))
    other = open_workspace(str(_moved(workspace.project.folder, "broken")), workspace.home.parent)
    found = standing(other, capsys)[4]
    assert found["verdict"] == "blocked"
    assert "signal 'left'" in found["blocked_by"][0]


def _moved(folder: Path, name: str) -> Path:
    """The same folder elsewhere: a module that was loaded once stays loaded."""
    return folder.rename(folder.parent / name)


def test_a_damaged_record_is_named(workspace: Workspace) -> None:
    workspace.home.mkdir(parents=True)
    (workspace.home / "assess.json").write_text("{")
    with pytest.raises(ProjectError, match=r"assess\.json"):
        run_next(Output(json=True), str(workspace.project.folder), workspace.home.parent)
