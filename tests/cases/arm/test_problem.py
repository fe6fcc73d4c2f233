"""The arm's controllers bring the tip to the target, and nothing but the simulator needs MuJoCo."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from tenure.cases.arm.problem import Spring, incumbent, problem
from tenure.cases.arm.simulator import simulator
from tenure.simulators.rollout import run


def test_the_incumbent_ends_within_a_millimetre_of_nearly_every_target() -> None:
    trace = run(problem, simulator, incumbent, simulator.panel("train", days=1)).trace
    assert np.mean(trace.signals["miss"][-1] < 0.001) > 0.95


def test_the_tuned_spring_beats_its_neighbours_on_the_grid() -> None:
    panel, kpi = simulator.panel("train", days=1), problem.kpis[0]
    near = [Spring(1.0, 0.08), Spring(1.0, 0.12), Spring(0.6, 0.1), Spring(1.5, 0.1)]
    tuned, *others = [run(problem, simulator, rule, panel).trace.kpi(kpi) for rule in (incumbent, *near)]
    assert tuned < min(others)


def test_the_cost_is_the_reward_turned_round() -> None:
    trace = run(problem, simulator, incumbent, simulator.panel("train", days=1)).trace
    assert np.isclose(trace.kpi(problem.kpis[0]), -problem.reward(trace.signals).sum(axis=0).mean())


def test_the_problem_is_stated_without_mujoco() -> None:
    code = (
        "import sys; sys.modules['mujoco'] = None; from tenure.core.project import load_project; "
        "project = load_project('arm'); project.problem; project.incumbent"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
