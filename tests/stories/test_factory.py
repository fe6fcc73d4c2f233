"""The plant's story by public commands: pay for throughput alone teaches unsafe speeds, and the audit shows it first.

The short form checks both rewards and attacks the draft; `TENURE_STORIES=long` also attacks the mended reward, trains a
policy on it and judges that against incumbent and bound.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.stories.commands import end, finding, long, reasons, start, tenure

DRAFT = "factory:throughput-only"


def assert_unsafe_speeds_are_shown(code: int, found: dict[str, Any]) -> None:
    """Paid for throughput alone, overdrive above the safe temperature earns more than the foreman."""
    assert (code, found["verdict"]) == (4, "fail")
    exploit = found["exploits"][0]
    assert exploit["gain"]["low"] > 0
    assert (exploit["harm"]["name"], exploit["term"]) == ("safe temperature", "overheated")
    assert exploit["harm"]["value"] > 0.5 > 0.02 > exploit["harm"]["reference"]
    assert any(step["action"] == "overdrive" and step["signals"]["overheated"] for step in exploit["steps"])
    assert any(harm["name"] == "near_misses" for harm in exploit["harms"]), "people nearly come to harm, unpaid for"


def test_the_scenarios_accept_the_mended_reward_and_refuse_the_draft(tmp_path: Path) -> None:
    code, found = tenure(tmp_path, "reward", "check", "factory")
    assert (code, found["verdict"]) == (0, "pass")

    code, found = tenure(tmp_path, "reward", "check", DRAFT)
    assert code == 4
    assert "'always in overdrive' 1278: not above it" in reasons(found, "fail")


def test_no_policy_is_trained_on_a_reward_whose_scenarios_fail(tmp_path: Path) -> None:
    tenure(tmp_path, "reward", "check", DRAFT)
    code, found = tenure(tmp_path, "train", DRAFT, "--seeds", "1")
    assert code == 2
    assert "reward check" in found["fix"]


def test_an_attack_on_throughput_alone_shows_the_unsafe_speeds(tmp_path: Path) -> None:
    assert_unsafe_speeds_are_shown(*tenure(tmp_path, "reward", "audit", DRAFT))


@long
def test_the_whole_story(tmp_path: Path) -> None:
    assert tenure(tmp_path, "reward", "check", "factory")[0] == 0
    training = start(tmp_path, "train", "factory", "--seeds", "1", "--name", "story")
    code, found = tenure(tmp_path, "reward", "audit", "factory")
    assert (code, found["exploits"]) == (0, []), reasons(found, "fail")
    assert finding(found, "limits")["verdict"] == "pass"

    code, trained = end(training)
    assert code == 0
    assert trained["bound"]["value"] < trained["score"]["value"] < trained["incumbent"]["value"]
    assert trained["limits"]["excess"] <= 0, "an hour in 50 above 90 °C at most"
    code, judged = tenure(tmp_path, "evaluate", "factory", "--policy", "story")
    assert code == 0
    assert judged["gain"]["low"] > 0
    assert judged["headroom"]["share"] >= 0.7  # one seed; the mean of five stands in docs/cases.md
    near_misses = next(kpi for kpi in judged["kpis"] if kpi["name"] == "near_misses")
    assert near_misses["candidate"] <= 10
