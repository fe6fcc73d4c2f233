"""A world that answers no number is stopped at once, and named so that it can be looked at again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tenure.core import Step
from tenure.core.arrays import Floats, Ints
from tenure.simulators.faults import WorldFault
from tenure.simulators.vec_env import SimulatorVecEnv

from .worlds import EndlessWalk, Line, LineWalk, line_problem

Spoil = Callable[[Step, Ints], Step]


class Spoiled(EndlessWalk):
    """What world 1 answers in the third step is spoiled."""

    def __init__(self, signal: float = 1.0, begins: bool = False) -> None:
        self.signal, self.begins = signal, begins

    def step(self, state: Any, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        spoiled = step.signals["moved"].astype(float)
        spoiled[1] = np.where(state.walked[1] == 2, self.signal, spoiled[1])
        return replace(step, signals={**step.signals, "moved": spoiled})

    def observe(self, state: Any) -> Floats:
        seen = super().observe(state).astype(np.float32)
        if self.begins and len(seen) == 1:
            seen[:] = np.nan
        return seen


def env(simulator: LineWalk) -> SimulatorVecEnv:
    made = SimulatorVecEnv(line_problem(5), simulator, 3, seed=7, stagger=False)
    made.reset()
    return made


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_signal_that_is_no_number_names_world_seed_level_step_and_signal(value: float) -> None:
    worlds = env(Spoiled(value))
    for _ in range(2):
        worlds.step(np.array([1, 2, 1]))
    with pytest.raises(WorldFault) as failed:
        worlds.step(np.array([1, 2, 1]))
    assert failed.value.where == "world 1 of seed 7, level 'normal', step 3"
    assert failed.value.found == f"moved {value}"
    told = failed.value.incident
    assert told["observation"] == [2.0, 2.0], "two steps to the right before it"
    assert (told["world"], told["seed"], told["step"], told["signal"], told["action"]) == (1, 7, 3, "moved", 2)


def test_a_seed_set_later_is_the_one_that_is_named() -> None:
    worlds = env(Spoiled(np.nan))
    worlds.seed(11)
    worlds.reset()
    for _ in range(2):
        worlds.step(np.array([1, 2, 1]))
    with pytest.raises(WorldFault, match="world 1 of seed 11, level 'normal', step 3"):
        worlds.step(np.array([1, 2, 1]))


def test_a_feature_that_is_no_number_is_named() -> None:
    class Blind(EndlessWalk):
        def observe(self, state: Line) -> Floats:
            seen = super().observe(state).astype(np.float32)
            seen[state.walked == 2, 0] = np.nan
            return seen

    worlds = env(Blind())
    worlds.step(np.array([2, 2, 2]))
    with pytest.raises(WorldFault, match="found position nan; in world 0 of seed 7, level 'normal', step 2"):
        worlds.step(np.array([2, 2, 2]))


def test_a_world_that_begins_anew_with_no_number_is_found_too() -> None:
    worlds = SimulatorVecEnv(line_problem(5), Spoiled(begins=True), 3, seed=7, stagger=False)
    worlds.reset()
    worlds._age = np.array([0, 4, 0])
    with pytest.raises(WorldFault, match="found position nan; in world 1"):
        worlds.step(np.array([1, 1, 1]))


def test_numbers_so_large_that_their_sum_is_none_are_no_fault() -> None:
    class Huge(EndlessWalk):
        def observe(self, state: Line) -> Floats:
            return np.full((len(state.position), 2), 3e38, dtype=np.float32)

    worlds = env(Huge())
    assert np.asarray(worlds.step(np.array([1, 1, 1]))[0]).shape == (3, 2)
