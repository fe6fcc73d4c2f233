"""`tenure alerts`: what people were told, that they have seen it, and whether a channel works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tenure.cli.alerting import courier_of
from tenure.cli.alerts import alerts_app
from tenure.core.clock import SystemClock
from tenure.core.errors import SettingsError
from tenure.rollout.settings import Settings
from tenure.store import SqliteStore

PROBLEM = """
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature

problem = Problem(
    name="toy", about="for tests", observation=(Feature("x", "m", 0, 10),), action=Discrete(("a", "b")),
    signals=(Signal("cost", "$", 0, 100),), reward=Reward((Term("cost", -1.0, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)
"""


class World:
    """A project with channels, and its log."""

    def __init__(self, folder: Path, channels: str) -> None:
        self.folder, self.home = folder / "case", folder / "home"
        self.folder.mkdir()
        (self.folder / "problem.py").write_text(PROBLEM)
        (self.folder / "tenure.toml").write_text(f"[alerts.channels]\n{channels}\n")
        (self.home / "toy").mkdir(parents=True)
        with SqliteStore(self.home / "toy" / "log.sqlite") as store:
            store.open_problem("toy", "salt")
            store.kill("toy", actor="ann", reason="a drill", at=SystemClock().now())

    def run(self, verb: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        command = [verb, str(self.folder), *arguments, "--home", str(self.home), "--json"]
        done = CliRunner().invoke(alerts_app, command)
        assert done.exit_code == code, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def test_an_alert_is_listed_with_whom_it_reached_and_who_saw_it(tmp_path: Path) -> None:
    told = tmp_path / "told.jsonl"
    world = World(tmp_path, f'ops = "file://{told}"')
    (before,) = world.run("list")["alerts"]
    assert (before["kind"], before["deliveries"], before["acknowledged_by"]) == ("kill", [], None)
    settings = Settings()
    with SqliteStore(world.home / "toy" / "log.sqlite") as store:
        rule = type(settings.alerts)(channels={"ops": f"file://{told}"})
        courier = courier_of("toy", Settings(alerts=rule), store, SystemClock(), {})
        assert courier.step().delivered == 1
    assert world.run("ack", "1", "--actor", "bob")["actor"] == "bob"
    listed = world.run("list")
    (after,) = listed["alerts"]
    assert after["acknowledged_by"] == "bob"
    assert after["deliveries"] == [{"channel": "ops", "status": "delivered", "attempts": 1, "error": None}]
    assert "a drill" in json.loads(told.read_text())["message"]
    (channel,) = listed["channels"]
    assert (channel["name"], channel["address"], channel["failures"]) == ("ops", "file://***", 0)


def test_a_test_tells_of_every_channel_and_fails_where_one_did(tmp_path: Path) -> None:
    good = World(tmp_path, f'ops = "file://{tmp_path}/told"')
    assert [one["delivered"] for one in good.run("test")["tests"]] == [True]
    (good.folder / "tenure.toml").write_text(
        f'[alerts.channels]\nops = "file://{tmp_path}/told"\nbad = "file://{tmp_path}/none/told"\n'
    )
    found = good.run("test", code=4)
    assert [(one["channel"], one["delivered"]) for one in found["tests"]] == [("ops", True), ("bad", False)]
    assert good.run("test", "ops")["tests"][0]["delivered"] is True
    channels = {one["name"]: one["last_test"]["delivered"] for one in good.run("list")["channels"]}
    assert channels == {"ops": True, "bad": False}


def test_an_alert_that_is_none_cannot_be_seen(tmp_path: Path) -> None:
    world = World(tmp_path, 'ops = "file:///x"')
    assert world.run("ack", "99", code=2)["error"] == "UnknownError"


def test_without_a_channel_there_is_nothing_to_test_and_the_list_says_nobody_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, "")
    assert world.run("test", code=2)["error"] == SettingsError.__name__
    done = CliRunner().invoke(alerts_app, ["list", str(world.folder), "--home", str(world.home)])
    assert "nobody is told" in done.output


def test_no_secret_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS", "json://user:hush@127.0.0.1:9/hush")
    world = World(tmp_path, 'ops = "$OPS"')
    assert "hush" not in json.dumps([world.run("test", code=4), world.run("list")])
    done = CliRunner().invoke(alerts_app, ["list", str(world.folder), "--home", str(world.home)])
    assert "hush" not in done.output
    assert "channel ops (***)" in done.output
