"""The warehouse's story by public commands: a reward without collisions, and one without metres, are both caught.

The short form checks all three rewards and attacks one; `TENURE_STORIES=long` also attacks the others, trains a policy
and judges it against incumbent and bound.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.stories.commands import end, long, reasons, start, tenure


def test_the_scenarios_accept_the_reward_and_refuse_both_drafts(tmp_path: Path) -> None:
    code, found = tenure(tmp_path, "reward", "check", "warehouse")
    assert (code, found["verdict"]) == (0, "pass")

    code, found = tenure(tmp_path, "reward", "check", "warehouse:no-collisions")
    assert code == 4
    assert "'barges through' 428.8: not above it" in reasons(found, "fail")

    code, found = tenure(tmp_path, "reward", "check", "warehouse:no-metres")
    assert code == 4
    assert "'picks all by detours' 600" in reasons(found, "fail")


def assert_collisions_are_shown(code: int, found: dict[str, Any]) -> None:
    """Without their price, a robot that drives into others is paid more than one that lets them pass."""
    assert code == 4
    exploit = found["exploits"][0]
    assert exploit["gain"]["low"] > 0
    assert (exploit["harm"]["name"], exploit["term"]) == ("collisions", "collisions")
    assert exploit["harm"]["value"] > 0.005 > exploit["harm"]["reference"]
    assert any(step["signals"]["collisions"] for step in exploit["steps"])


def assert_metres_are_shown(code: int, found: dict[str, Any]) -> None:
    """Without their price, a robot that drives about for nothing is paid as much as one that stands still."""
    assert code == 4
    exploit = found["exploits"][0]
    assert exploit["gain"]["low"] >= 0
    assert (exploit["harm"]["name"], exploit["term"]) == ("cost", "metres")
    assert any(step["signals"]["metres"] for step in exploit["steps"])


def test_an_attack_on_the_reward_without_collisions_shows_the_crash(tmp_path: Path) -> None:
    assert_collisions_are_shown(*tenure(tmp_path, "reward", "audit", "warehouse:no-collisions"))


@long
def test_the_whole_story(tmp_path: Path) -> None:
    assert tenure(tmp_path, "reward", "check", "warehouse")[0] == 0
    training = start(tmp_path, "train", "warehouse", "--seeds", "1", "--steps", "700000", "--name", "story")
    assert_collisions_are_shown(*tenure(tmp_path, "reward", "audit", "warehouse:no-collisions"))
    assert_metres_are_shown(*tenure(tmp_path, "reward", "audit", "warehouse:no-metres"))
    code, found = tenure(tmp_path, "reward", "audit", "warehouse")
    assert (code, found["exploits"]) == (0, []), reasons(found, "fail")

    code, trained = end(training)
    assert code == 0
    assert trained["bound"]["value"] < trained["score"]["value"] < trained["incumbent"]["value"]
    code, judged = tenure(tmp_path, "evaluate", "warehouse", "--policy", "story")
    assert code == 0
    assert judged["gain"]["low"] > 0
    assert judged["headroom"]["share"] >= 0.5
    collisions = next(kpi for kpi in judged["kpis"] if kpi["name"] == "collisions")
    assert collisions["candidate"] <= 5.0
