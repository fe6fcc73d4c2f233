"""The pump's story by public commands: pay per alarm teaches false alarms; precision and one action show it.

The short form checks both rewards and attacks the draft; `TENURE_STORIES=long` also trains on the draft, as a team
would that knows only the two scenarios everybody thinks of, and on the mended reward, and judges both.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.stories.commands import end, finding, long, reasons, start, tenure

from tenure.core.project import CASES

DRAFT = "alarms:pay-per-alarm"
NAIVE = """
[[behaviour]]
name = "prevents the failure"
rows = [{ alarms = 1, true_alarms = 1, lost_units = 80 }]

[[behaviour]]
name = "lets it fail"
rows = [{ failures = 1, lost_units = 80 }]

[[order]]
order = "prevents the failure > lets it fail"
because = "that is what the alarm is for"
"""


def assert_false_alarms_are_shown(code: int, found: dict[str, Any]) -> None:
    """Paid per alarm, alarms for ever earn most: precision falls, and one action is all that is taken."""
    assert (code, found["verdict"]) == (4, "fail")
    exploit = found["exploits"][0]
    assert exploit["gain"]["low"] > 0
    assert (exploit["harm"]["name"], exploit["term"]) == ("precision", "alarms")
    assert exploit["harm"]["value"] < 0.1 < 0.9 < exploit["harm"]["reference"]
    assert finding(found, "one_action")["verdict"] == "fail"
    assert "takes 'alarm' 100% of the time" in finding(found, "one_action")["reason"]


def naive_project(folder: Path) -> Path:
    """The case as the team had it: paid per alarm, with two scenarios and no reviewer."""
    ignored = shutil.ignore_patterns("scenarios.py", "__pycache__")
    project = shutil.copytree(CASES / "alarms", folder / "naive", ignore=ignored)
    (project / "scenarios.toml").write_text(NAIVE)
    return project


def test_the_scenarios_accept_the_mended_reward_and_refuse_the_draft(tmp_path: Path) -> None:
    code, found = tenure(tmp_path, "reward", "check", "alarms")
    assert (code, found["verdict"]) == (0, "pass")

    code, found = tenure(tmp_path, "reward", "check", DRAFT)
    assert code == 4
    assert "'a false alarm' 40: not above it" in reasons(found, "fail")


def test_an_attack_on_pay_per_alarm_shows_the_false_alarms(tmp_path: Path) -> None:
    assert_false_alarms_are_shown(*tenure(tmp_path, "reward", "audit", DRAFT))


@long
def test_a_team_with_two_scenarios_trains_an_agent_that_only_raises_alarms(tmp_path: Path) -> None:
    draft = f"{naive_project(tmp_path)}:pay-per-alarm"
    assert tenure(tmp_path, "reward", "check", draft)[0] == 0, "a check is only as good as its scenarios"
    code, _ = tenure(tmp_path, "train", draft, "--seeds", "1", "--steps", "300000", "--name", "naive")
    assert code == 0
    code, judged = tenure(tmp_path, "evaluate", draft, "--policy", "naive")
    kpis = {kpi["name"]: kpi for kpi in judged["kpis"]}
    assert kpis["alarms"]["candidate"] > 900, "of 1,000 hours"
    assert kpis["precision"]["candidate"] < 0.1 < 0.9 < kpis["precision"]["incumbent"]
    assert kpis["precision"]["worse"]


@long
def test_the_mended_reward_passes_and_is_learned(tmp_path: Path) -> None:
    assert tenure(tmp_path, "reward", "check", "alarms")[0] == 0
    training = start(tmp_path, "train", "alarms", "--seeds", "1", "--name", "story")
    code, found = tenure(tmp_path, "reward", "audit", "alarms")
    assert (code, found["exploits"]) == (0, []), reasons(found, "fail")

    code, trained = end(training)
    assert code == 0
    assert trained["bound"]["value"] < trained["score"]["value"] < trained["incumbent"]["value"]
    code, judged = tenure(tmp_path, "evaluate", "alarms", "--policy", "story")
    assert code == 0
    assert judged["gain"]["low"] > 0
    assert judged["headroom"]["share"] >= 0.7  # one seed; the mean of five stands in docs/cases.md
