"""The sweep as a command: a table for people, cells for programs, an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenure.cli.output import Output
from tenure.cli.sim_sweep import run_sim_sweep

PROBLEM = """
from dataclasses import replace

from tenure import KPI
from tests.simulators.worlds import UpTo, shop_problem

problem = replace(
    shop_problem(), kpis=(*shop_problem().kpis, KPI("held", "items", "lower", {"held": 1.0}))
)
incumbent = UpTo(3)
rules = {"empty": UpTo(1), "full": UpTo(8, "full")}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "problem.py").write_text(PROBLEM)
    (tmp_path / "simulator.py").write_text("from tests.simulators.worlds import Shop\n\nsimulator = Shop()\n")
    return tmp_path


def test_programs_get_every_cell_and_the_verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_sim_sweep(Output(json=True), str(folder), "full", folder / "home")
    found = json.loads(capsys.readouterr().out)
    assert (code, found["verdict"]) == (0, "pass")
    assert (found["policy"], found["kpi"], found["simulator"]) == ("full", "lost sales", "shop-1")
    first = found["cells"][0]
    assert (first["level"], first["disturbance"], first["required"]) == ("normal", "none", True)
    assert first["gain"]["low"] <= first["gain"]["value"] <= first["gain"]["high"]
    assert found["cells"][1]["fields"] == {"kind": "observation_delay", "steps": 1}


def test_people_read_where_a_policy_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_sim_sweep(Output(json=False), str(folder), "empty", folder / "home")
    said = " ".join(capsys.readouterr().out.split())
    assert code == 4
    assert "empty is worse than the incumbent by more than 5.0 %: normal, undisturbed;" in said
    assert "Other KPIs: undisturbed, and wherever surely worse than the incumbent's" in said
    assert "Left out: obstacle. The simulator has no method `obstructed(state, share)`." in said
    assert "Verdict on level normal, undisturbed and mildly disturbed: FAIL." in said


def test_people_see_the_other_kpis_undisturbed_and_where_they_are_surely_worse(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_sim_sweep(Output(json=False), str(folder), "full", folder / "home")
    others = [line.split() for line in capsys.readouterr().out.splitlines() if line.rstrip().endswith(" held")]
    assert len(others) > 1  # a full shelf is held dearer under every disturbance
    assert others[0][0] == "normal"
    assert all(words[-2].endswith(")") or words[-2] == "%)" for words in others)
