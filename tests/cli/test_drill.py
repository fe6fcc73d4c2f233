"""The drill with a real server on a real copy: what it measures is in the real log, and nothing else has changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenure.cli import drill
from tenure.cli.drill import contexts, run_drill, typical
from tenure.cli.output import Output
from tenure.cli.workspace import open_workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import StoreError
from tenure.core.spaces import Feature
from tenure.rollout.drill import go_live
from tenure.rollout.kill import kill
from tenure.store import save_bundle
from tenure.store.standin import stand_in


def ran(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = run_drill(Output(json=True), "bikes", "ann", home)
    return code, json.loads(capsys.readouterr().out)


def test_it_kills_a_live_candidate_on_a_copy_and_leaves_the_real_one_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENURE_STOP", "0")
    workspace, now = open_workspace("bikes", tmp_path), SystemClock().now()
    version = save_bundle(stand_in(workspace.project.problem, 3), workspace.bundles).name
    with workspace.store() as store:
        store.register_version(version, "bikes", now, {"lineage": {}})
        go_live(store, "bikes", version, now)
        before = store.control("bikes")
        code, told = ran(tmp_path, capsys)
        events, after = store.events("bikes"), store.control("bikes")
    assert (code, told["passed"]) == (0, True), told
    assert told["version"] == version
    assert 0 < told["confirmed_ms"] < 2000
    assert told["seconds"] < 20
    assert (after.killed, after.kill_epoch, after.live_share) == (False, before.kill_epoch, 1.0)
    assert (events[-1].kind, events[-1].actor) == ("drill", "ann")
    assert events[-1].payload["passed"] is True


def test_without_a_candidate_it_kills_a_stand_in_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ran(tmp_path, capsys)
    assert (code, told["passed"], told["whole"]) == (0, True, True), told
    assert told["version"] == stand_in(open_workspace("bikes", tmp_path).project.problem).version
    assert told["stand_in"] is True


def test_a_kill_that_does_not_reach_the_server_fails_the_drill_and_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = kill

    def deaf(store: Any, *args: Any, **named: Any) -> Any:
        with open_workspace("bikes", tmp_path / "elsewhere").store() as other:
            return real(other, *args, **named)

    monkeypatch.setattr(drill, "kill", deaf)
    monkeypatch.setattr(drill, "restore", lambda *_, **__: None)
    monkeypatch.setattr(drill, "REST_S", 0.5)
    code, told = ran(tmp_path, capsys)
    assert (code, told["passed"]) == (4, False)
    with open_workspace("bikes", tmp_path).store() as store:
        assert store.events("bikes")[-1].payload["passed"] is False


def test_a_server_that_does_not_start_is_told_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace("bikes", tmp_path)
    scene = tmp_path / "scene" / "bikes"
    scene.mkdir(parents=True)
    (scene / "log.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"), drill.server(workspace, scene):
        pass


def test_it_asks_about_the_latest_situations_of_the_log(tmp_path: Path) -> None:
    workspace = open_workspace("bikes", tmp_path)
    with workspace.store() as store:
        (made,) = contexts(store, workspace.project.problem)
    assert set(made) == set(workspace.project.problem.feature_names)


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        (Feature("f", "m", 0, 10, default=7.0), 7.0),
        (Feature("f", "m", 0, 10), 5.0),
        (Feature("f", "m", low=3.0), 3.0),
        (Feature("f", "m", high=-3.0), -3.0),
        (Feature("f", "m"), 0.0),
    ],
)
def test_a_feature_without_history_gets_a_legal_value(feature: Feature, value: float) -> None:
    assert typical(feature) == value
