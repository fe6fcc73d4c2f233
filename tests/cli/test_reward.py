"""`tenure reward` from outside: exit codes, JSON, and bad input named with file, line and what to do."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.design.reward.worlds import picker
from typer.testing import CliRunner, Result

from tenure.cli.reward import reward_app
from tenure.design.reward import audit as auditing
from tenure.design.reward.attack.hunt import Effort

LITTLE = Effort(
    lookahead=2_000, restarts=2, population=4, worlds=2, generations=2, evolution_steps=2_000, ppo_steps=2_048
)


def run(*words: str) -> Result:
    """One command."""
    return CliRunner().invoke(reward_app, list(words))


def told(*words: str) -> dict[str, Any]:
    """The JSON of one command."""
    found: dict[str, Any] = json.loads(run(*words, "--json").stdout)
    return found


def test_a_check_that_passes_exits_with_0_and_is_kept(tmp_path: Path) -> None:
    project, home = picker(tmp_path), tmp_path / "home"
    done = run("check", str(project.folder), "--home", str(home))
    assert done.exit_code == 0, done.output
    assert "two parcels > one parcel: in order" in done.output
    assert (home / "picker" / "reward" / "check.json").exists()


def test_a_check_as_json_has_verdict_findings_and_exploits(tmp_path: Path) -> None:
    found = told("check", str(picker(tmp_path).folder), "--home", str(tmp_path / "home"))
    assert (found["verdict"], found["exploits"]) == ("pass", [])
    assert {"gate", "verdict", "reason"} <= set(found["findings"][0])


def test_a_check_that_fails_exits_with_4_and_one_without_scenarios_with_3(tmp_path: Path) -> None:
    project, home = picker(tmp_path), str(tmp_path / "home")
    assert run("check", f"{project.folder}:pays-picks", "--home", home).exit_code == 4
    (project.folder / "scenarios.py").unlink()
    assert run("check", str(project.folder), "--home", home).exit_code == 3


def test_an_audit_shows_the_exploit_and_the_page_tells_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "audit", partial(auditing.audit, effort=LITTLE))
    place, home = f"{picker(tmp_path).folder}:pays-picks", str(tmp_path / "home")
    done = run("audit", place, "--home", home)
    assert done.exit_code == 4, done.output
    for needed in (
        "... exploiter: random",
        "Exploit 1:",
        "reward by term",
        "delivered is 0 parcels",
        "Mend the term over",
    ):
        assert needed in done.output
    page = tmp_path / "page.md"
    found = told("doc", place, "--home", home, "--out", str(page), "--format", "md")
    assert (found["document"], found["verdict"]) == (str(page), "fail")
    assert found["exploits"]
    assert "## Exploit 1:" in page.read_text()
    problem = picker(tmp_path / "other").folder / "problem.py"
    before = problem.read_text()
    refused = run("doc", place, "--home", home, "--out", str(problem))
    assert (refused.exit_code, problem.read_text()) == (2, before)


def test_a_page_without_an_audit_is_bad_input(tmp_path: Path) -> None:
    done = run("doc", str(picker(tmp_path).folder), "--home", str(tmp_path / "home"))
    assert done.exit_code == 2
    assert "no audit" in done.output


def test_a_diff_names_who_moved_on_the_log_too(tmp_path: Path) -> None:
    folder, log = picker(tmp_path).folder, tmp_path / "log.csv"
    log.write_text("decision_id,action,picked,delivered,metres\na,pick,1,0,1\nb,deliver,0,1,5\n")
    found = told("diff", str(folder), f"{folder}:pays-picks", "--log", str(log))
    assert found["rankings"][0]["after"][0] == "juggles"
    assert found["logged"]["flipped"] == 1.0
    assert found["speed"]["bare"] > 0


TERM = 'Term("delivered", 20.0, "points/parcel"'
ORDER = '    Order("two parcels > one parcel", because="parcels are what it is for"),'
BAD: dict[str, tuple[str, str, str, str, str]] = {
    "a reward over an unknown signal": (
        "problem.py", TERM, TERM.replace("delivered", "deliverd"), "'deliverd'", "declare the signal",
    ),
    "a reward over a KPI": (
        "problem.py", 'KPI("thrown", "parcels per decision", "lower", {"thrown": 1}),\n',
        'KPI("output", "parcels per decision", "higher", {"thrown": 1}),\n', "the KPI 'output'", "pay for signals only",
    ),
    "an order that contradicts another": (
        "scenarios.py", ORDER, ORDER + '\n    Order("one parcel > two parcels", because="no"),',
        "both above and below", "correct scenarios.py",
    ),
    "a weight that is no number": (
        "problem.py", TERM, TERM.replace("20.0", 'float("nan")'), "'a parcel at the door is what the robot is for'",
        "in the units of the signal",
    ),
    "a row that is no number": (
        "scenarios.py", '({"delivered": 1, "metres": 4},)', '({"metres": float("nan")},)', "nan",
        "correct the row in scenarios.py",
    ),
    "a row outside its bounds": (
        "scenarios.py", '({"delivered": 1, "metres": 4},)', '({"metres": 12},)', "12",
        "the signal's bounds in problem.py",
    ),
    "an order over an unknown behaviour": (
        "scenarios.py", "two parcels > one parcel", "two parcels > three parcels", "'three parcels'", "scenarios.py",
    ),
    "rows with an unknown signal": (
        "scenarios.py", 'rows=({"delivered": 1, "metres": 4},)', 'rows=({"dropped": 1},)', "'dropped'", "scenarios.py",
    ),
    "an unknown action": ("scenarios.py", 'always="wait"', 'always="sleep"', "'sleep'", "scenarios.py"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "found", "fix"), BAD.values(), ids=BAD)
def test_bad_input_is_named_with_file_and_line_and_what_to_do(
    tmp_path: Path, file: str, old: str, new: str, found: str, fix: str
) -> None:
    folder = picker(tmp_path).folder
    text = (folder / file).read_text().replace(old, new)
    if "output" in new:
        text = text.replace('Term("delivered", 20.0', 'Term("output", 20.0')
    (folder / file).write_text(text)
    done = run("check", str(folder), "--home", str(tmp_path / "home"), "--json")
    assert done.exit_code == 2, done.output
    error = json.loads(done.stdout)
    assert found in error["found"]
    assert fix in error["fix"]
    line = int(error["where"].partition(f"{file}:")[2].split(",")[0])
    name = found.strip("'").rpartition("'")[2] or found
    shown = text.splitlines()[line - 1]
    assert name in shown or "one parcel > two parcels" in shown or "output" in shown


def test_a_term_with_an_unknown_unit_is_named_with_file_and_line(tmp_path: Path) -> None:
    project = picker(
        tmp_path,
        (
            "problem.py",
            '"points/metre", "power and wear"),\n        )\n    ),',
            '"points/mile", "power and wear"),\n        )\n    ),',
        ),
    )
    found = told("check", str(project.folder), "--home", str(tmp_path / "home"))
    reason = next(each["reason"] for each in found["findings"] if each["gate"] == "units")
    assert found["verdict"] == "fail"
    assert "problem.py:28: term 'metres' has the unit 'points/mile'; write 'points/metres'" in reason
