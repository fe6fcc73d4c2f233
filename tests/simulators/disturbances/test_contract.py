"""Every simulator under every stack of disturbances keeps the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.worlds import Shop, WalledWalk, line_problem, shop_problem

from tenure.core import Problem, Simulator, Verdict
from tenure.core.project import load_project
from tenure.simulators import check_simulator
from tenure.simulators.disturbances import (
    ActionDelay,
    DemandShock,
    Disturbance,
    DroppedSensors,
    NetworkDelay,
    ObservationDelay,
    Obstacle,
    SensorNoise,
    StuckSensors,
    disturbed,
)
from tenure.simulators.vec_env import SimulatorVecEnv

from .worlds import Masked, clock_problem

few, share = st.integers(0, 3), st.floats(0, 1)
stacks = st.lists(
    st.one_of(
        st.builds(ObservationDelay, few),
        st.builds(NetworkDelay, few),
        st.builds(SensorNoise, share, st.just(("time",))),
        st.builds(DroppedSensors, share),
        st.builds(StuckSensors, share, st.integers(1, 3)),
        st.builds(ActionDelay, few),
        st.builds(DemandShock, st.floats(0, 3), few, st.none() | few),
        st.builds(Obstacle, share, few, st.none() | few),
    ),
    max_size=4,
)


def failures(problem: Problem, simulator: Simulator, steps: int) -> list[str]:
    findings = check_simulator(replace(problem, horizon=steps), simulator, n=3, steps=steps)
    return [f"{one.gate}: {one.reason}" for one in findings if one.verdict in {Verdict.FAIL, Verdict.ERROR}]


@settings(max_examples=25)
@given(stacks)
def test_any_stack_of_disturbances_leaves_a_sound_simulator_sound(stack: list[Disturbance]) -> None:
    problem = clock_problem()
    assert failures(problem, disturbed(problem, Masked(), stack), steps=8) == []


ALL: list[Disturbance] = [
    ActionDelay(2), DroppedSensors(0.2), StuckSensors(0.1, 3), NetworkDelay(2), ObservationDelay(1),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "simulator"), [(line_problem(), WalledWalk()), (shop_problem(), Shop())])
def test_worlds_that_end_and_worlds_of_chance_stay_sound(problem: Problem, simulator: Simulator) -> None:
    assert failures(problem, disturbed(problem, simulator, ALL), steps=20) == []


@pytest.mark.parametrize("case", ["bikes", "recommender", "factory", "warehouse", "alarms"])
def test_every_case_stays_sound_when_disturbed(case: str) -> None:
    project = load_project(case)
    name = project.problem.feature_names[0]
    stack: list[Disturbance] = [*ALL, SensorNoise({name: 0.1})]
    assert failures(project.problem, disturbed(project.problem, project.simulator, stack), steps=6) == []


def test_learners_get_disturbed_worlds_through_the_usual_door() -> None:
    problem: Any = clock_problem(horizon=4)
    env = SimulatorVecEnv(problem, disturbed(problem, Masked(), [ObservationDelay(1)]), 3, seed=1, stagger=False)
    assert env.reset()[:, 0].tolist() == [0, 0, 0]
    seen = []
    for _ in range(5):
        env.step_async(np.zeros(3, dtype=int))
        shown: Any = env.step_wait()[0]
        seen.append(shown[0, 0])
    assert seen == [0, 1, 2, 0, 0]
