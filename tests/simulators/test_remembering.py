"""Worlds of windows keep every promise of a simulator, and a problem that states its window is served as any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tenure.core.history import History
from tenure.core.project import load_project
from tenure.simulators import RememberingWorlds, check_simulator, run

PROBLEM = """
from tenure import History, Newest
from tenure.cases.bikes.problem import incumbent as rule
from tenure.cases.bikes.problem import problem as plain

problem = History(2).problem(plain)
incumbent = Newest(rule, len(plain.observation))
"""
SIMULATOR = """
from tenure import History
from tenure.cases.bikes.problem import problem as plain
from tenure.cases.bikes.simulator import simulator as worlds
from tenure.simulators import RememberingWorlds

simulator = RememberingWorlds(plain, worlds, History(2))
"""


def test_worlds_of_windows_keep_the_contract_with_a_mask_and_without() -> None:
    for case in ("bikes", "warehouse"):
        project = load_project(case)
        worlds = RememberingWorlds(project.problem, project.simulator, History(3))
        check_simulator(History(3).problem(project.problem), worlds)
        assert hasattr(worlds, "mask") == hasattr(project.simulator, "mask")


def test_a_stated_window_leaves_the_rule_that_decides_today_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text(PROBLEM)
    (tmp_path / "simulator.py").write_text(SIMULATOR)
    stated, plain = load_project(tmp_path), load_project("bikes")
    wide = run(stated.problem, stated.simulator, stated.incumbent, stated.simulator.panel("selection", days=2)).trace
    narrow = run(plain.problem, plain.simulator, plain.incumbent, plain.simulator.panel("selection", days=2)).trace
    assert np.array_equal(wide.action, narrow.action)
    assert wide.observation is not None
    features = len(plain.problem.observation)
    assert np.array_equal(wide.observation[1:, :, features:], wide.observation[:-1, :, :features])
