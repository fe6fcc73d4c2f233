"""The main job, whole: real data, real training, real server, every step taken by the gates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenure.store import SqliteStore
from tenure.store.records import MOVE_NOTHING


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the one demo of this module ran."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(home: Path) -> dict[str, Any]:
    """What `tenure demo --json` printed; one seed, so that it takes about two minutes."""
    command = [sys.executable, "-m", "tenure.cli", "demo", "--seeds", "1", "--json", "--home", str(home)]
    environment = os.environ | {"PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [*command, "--report", str(home / "report.html")], capture_output=True, text=True, env=environment, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_step_of_the_road_passes(demo: dict[str, Any]) -> None:
    assert {step["name"]: step["verdict"] for step in demo["steps"]} == {
        "Check the reward by example": "pass",
        "Train on January to August, select on September": "pass",
        "Ready: the kill rehearsed, an alert delivered": "pass",
        "Live: October to December by replay": "pass",
        "The kill, proven": "pass",
        "The held-out months, all seeds": "pass",
        "A gate that says no": "pass",
    }


def test_the_gain_stands_above_zero_with_its_whole_interval(demo: dict[str, Any]) -> None:
    assert 0 < demo["gain"]["low"] < demo["gain"]["value"] < demo["gain"]["high"]


def test_the_report_is_one_small_file_without_outside_assets(demo: dict[str, Any]) -> None:
    page = Path(demo["report"]).read_text(encoding="utf-8")
    assert len(page.encode()) < 1_000_000
    assert "<script" not in page
    assert 'src="http' not in page


def test_every_hour_of_every_district_is_in_the_log_once(demo: dict[str, Any], home: Path) -> None:
    with SqliteStore(home / "demo" / "bikes" / "log.sqlite") as store:
        counts = store.counts("bikes")
        assert counts["decisions"] == 92 * 24 * 20
        assert counts["joined"] == 92 * 24 * 20
        assert store.verify("bikes").intact


def test_nothing_learned_stands_behind_the_kill_row(demo: dict[str, Any], home: Path) -> None:
    with SqliteStore(home / "demo" / "bikes" / "log.sqlite") as store:
        kill = next(event for event in store.events("bikes") if event.kind == "kill")
        behind = store.read_log("bikes", after_sequence=kill.sequence)
        assert len(behind) >= 20 * 24
        assert set(behind.arm) == {"incumbent"}
        assert store.counts("bikes")["learned"] > 0


def test_each_share_was_asked_for_and_approved_by_another(demo: dict[str, Any], home: Path) -> None:
    with SqliteStore(home / "demo" / "bikes" / "log.sqlite") as store:
        events = [event for event in store.events("bikes") if event.kind != "correction"]
    moves = [(e.kind, e.payload.get("to"), e.actor) for e in events if e.kind not in MOVE_NOTHING]
    assert [move for move in moves if move[0] not in ("kill", "refuse")] == [
        ("start", None, "demo"),
        ("request", 0.01, "controller"),
        ("approve", 0.01, "demo-approver"),
        ("promote", 0.01, "controller"),
        ("promote", 0.1, "controller"),
        ("request", 1.0, "controller"),
        ("approve", 1.0, "demo-approver"),
        ("promote", 1.0, "controller"),
        ("complete", None, "controller"),
    ]
    refusal = next(event for event in events if event.kind == "refuse")
    assert "selection" in refusal.reason
