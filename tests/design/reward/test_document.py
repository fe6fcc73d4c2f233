"""The page about a reward holds everything the risk officer asks for, and only while it is true."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.design.reward.worlds import picker

from tenure.core.errors import ProjectError
from tenure.core.evidence import Verdict
from tenure.core.project import Project
from tenure.design.reward.check import check_reward, known_conducts
from tenure.design.reward.document import RewardDocument, reward_document
from tenure.design.reward.record import sources_of, write_result
from tenure.design.reward.static import static_findings, static_tables
from tenure.design.reward.summary import summary

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
STEP = {
    "step": 3, "action": "put", "features": {"held": 1.0}, "signals": {"thrown": 1.0}, "reward": {"metres": -1.0},
}  # fmt: skip
EXPLOIT: dict[str, Any] = {
    "found_by": "one action",
    "behaviour": "always put",
    "gain": {"value": 29.67},
    "harm": {"name": "delivered", "value": 0.0, "unit": "parcels per decision", "reference": 0.5, "bound": 0.475},
    "term": "delivered",
    "advice": "no term pays for delivered: add one",
    "by_term": {"picked": [200.0, 200.0], "metres": [-49.67, -20.0]},
    "steps": [STEP],
}


def audited(project: Project, home: Path, *exploits: dict[str, Any]) -> Project:
    """The project with the record of an audit, its exploits made up."""
    check = check_reward(project)
    findings = [*check.findings, *static_findings(project, check)]
    fields = {
        "verdict": "fail" if exploits else "pass",
        "findings": [each.as_dict() for each in findings],
        "exploits": list(exploits),
        "searched": {"random": 3},
        "scenarios": check.as_dict(project.problem)["margins"],
        **static_tables(project.problem.reward, known_conducts(project, check)),
    }
    write_result(project, home, "audit", fields, AT, sources_of(project))
    return project


def words_of(document: RewardDocument) -> str:
    """All its text."""
    parts = [document.title, document.about, document.reward_version]
    for section in document.sections:
        parts += [section.title, *section.text]
        for table in section.tables:
            parts += [table.caption, *table.columns, *(cell for row in table.rows for cell in row)]
    return "\n".join(parts)


RICH = (
    (
        "problem.py",
        '"power and wear"),\n        )\n    ),',
        '"power and wear", scale=4.0),\n        ),\n'
        '        (Tradeoff("delivered", "metres", "far parcels are worth it"),),\n    ),',
    ),
    ("problem.py", "Discrete, Feature", "Constraint, Discrete, Feature, Limit"),
    ("problem.py", "Reward, Signal, Term\n", "Reward, Shaping, Signal, Term, Tradeoff\n"),
    (
        "problem.py",
        "    horizon=20,",
        '    horizon=20,\n    limits=(Limit("untidy", "thrown", 0.6, "aisles stay free", "lagrange"),),\n'
        '    constraints=(Constraint("awake", "nobody sleeps", _anything),),\n'
        '    shaping=Shaping(_held, "half a parcel in hand"),',
    ),
    (
        "problem.py",
        "problem = Problem(",
        "def _held(seen: Floats) -> Floats:\n    return seen[:, 0]\n\n\n"
        "def _anything(seen: Floats) -> Bools:\n    return np.ones((len(seen), 4), dtype=bool)\n\n\nproblem = Problem(",
    ),
)


def test_everything_the_risk_officer_asks_for_is_there(tmp_path: Path) -> None:
    project = audited(picker(tmp_path, *RICH), tmp_path / "home", EXPLOIT)
    document = reward_document(project, tmp_path / "home")
    assert document.verdict is Verdict.FAIL
    told = words_of(document)
    for needed in (
        "a parcel at the door is what the robot is for",  # what and why
        "-1 points/metre", "4 metres", "0 to 9 metres",  # units, weights, scales
        "untidy", "at most 0.6 parcels per decision (thrown)", "lagrange", "aisles stay free", "nobody sleeps",
        "far parcels are worth it", "half a parcel in hand",
        "two parcels above one parcel", "parcels are what it is for",  # scenarios with results
        "ablation", "waits no longer above juggles", "weight x0.25",
        "3 random", "Exploit 1: always put", "no term pays for delivered: add one", "thrown 1",
        project.problem.reward_version, project.simulator.version, "2026-05-01 12:00 UTC",
    ):  # fmt: skip
        assert needed in told, needed


def test_four_lines_at_the_top_tell_verdict_search_finding_and_what_to_do(tmp_path: Path) -> None:
    exploit = {**EXPLOIT, "alike": {"one action": 1, "greedy": 3}}
    project = audited(picker(tmp_path, *RICH), tmp_path / "home", exploit)
    document = reward_document(project, tmp_path / "home")
    told = dict(document.summary)
    assert list(told) == ["Verdict", "Searched", "Found", "To do"]
    assert told["Verdict"].startswith("fail, of the audit made 2026-05-01 12:00 UTC: ")
    assert told["Searched"] == "3 behaviours: 3 random."
    assert told["Found"].startswith("1 way to be paid for harm: delivered harmed, mend the term over delivered.")
    assert told["To do"].startswith("Mend the term over delivered: no term pays for delivered: add one; then run ")
    assert "4 behaviours do the same harm by the same term: 1 one action, 3 greedy." in words_of(document)


def test_a_passing_audit_leaves_nothing_to_mend(tmp_path: Path) -> None:
    audit = {"verdict": "pass", "at": "2026-05-01T12:00:00+00:00", "findings": [], "exploits": []}
    told = dict(summary(picker(tmp_path), audit))
    assert (told["Searched"], told["Found"]) == ("nothing.", "No way to be paid for harm.")
    assert told["To do"].startswith("Nothing is left to mend.")


def test_a_moment_on_the_page_has_minutes_and_no_fractions(tmp_path: Path) -> None:
    text = words_of(reward_document(audited(picker(tmp_path), tmp_path / "home"), tmp_path / "home"))
    assert "2026-05-01 12:00 UTC" in text
    assert "12:00:00" not in text


def test_without_an_audit_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no audit"):
        reward_document(picker(tmp_path), tmp_path / "home")


def test_a_page_is_refused_when_its_sources_changed_since_the_audit(tmp_path: Path) -> None:
    audited(picker(tmp_path / "a"), tmp_path / "home")
    changed = picker(tmp_path / "b", ("scenarios.py", "metres cost power", "metres cost money"))
    with pytest.raises(ProjectError, match=r"scenarios\.py changed since the audit of 2026-05-01") as raised:
        reward_document(changed, tmp_path / "home")
    assert "tenure reward audit" in raised.value.fix


def test_what_was_not_stated_or_found_is_said_so(tmp_path: Path) -> None:
    project = audited(picker(tmp_path), tmp_path / "home")
    told = words_of(reward_document(project, tmp_path / "home"))
    for needed in ("No limit and no constraint is stated.", "(shaping): None.", "None was found.", "none stated"):
        assert needed in told, needed
