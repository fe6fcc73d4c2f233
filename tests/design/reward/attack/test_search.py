"""Which behaviours act, and where."""

from __future__ import annotations

from pathlib import Path

from tests.design.reward.attack.hunts import SMALL

from tenure.core.project import load_project
from tenure.design.reward.attack.hunt import Hunt
from tenure.design.reward.attack.pool import POOL
from tenure.design.reward.attack.search import search

LINE = """from tests.simulators.worlds import line_problem
from tenure.design.reward.conduct import Always

problem = line_problem()
incumbent = Always(1, "stays")
rules = {"goes": Always(2, "goes")}
"""
SCENARIOS = """from tenure import Behaviour

behaviours = (Behaviour("backs off", always="left"), Behaviour("written", rows=({"place": 1.0},)))
orders = ()
"""


def test_everything_known_that_can_be_simulated_acts_in_the_same_worlds(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text(LINE)
    (tmp_path / "scenarios.py").write_text(SCENARIOS)
    (tmp_path / "simulator.py").write_text(
        "from tests.simulators.worlds import EndlessWalk\nsimulator = EndlessWalk()\n"
    )
    told: list[str] = []
    pool = {"one action": POOL["one action"]}
    found = search(Hunt(load_project(tmp_path), SMALL), told.append, pool)
    assert found.reference.name == "incumbent"
    assert [(each.name, each.kind) for each in found.known] == [("goes", "rule"), ("backs off", "scenario")]
    assert [each.name for each in found.found] == ["always left", "always stay", "always right"]
    assert {each.trace.worlds for each in (found.reference, *found.known, *found.found)} == {
        found.reference.trace.worlds
    }
    assert told == [f"known behaviours in {16_384 // 5} worlds", "exploiter: one action"]
