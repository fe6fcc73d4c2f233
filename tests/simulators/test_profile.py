"""What a simulator costs, by a clock that is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tenure.core import ManualClock, Step, SystemClock
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import EvidenceError
from tenure.simulators.gymnasium_problem import problem_of
from tenure.simulators.gymnasium_world import GymnasiumSimulator
from tenure.simulators.profile import gymnasium_loop, profile

from .worlds import EndlessWalk, Line, line_problem


def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


class Timed(EndlessWalk):
    """A step takes 30 ms however many worlds, to look 10 ms, the mask 5 ms."""

    def __init__(self, clock: ManualClock, per_world_s: float = 0.0) -> None:
        self.clock, self.per_world_s = clock, per_world_s

    def observe(self, state: Line) -> Floats:
        self.clock.advance(timedelta(milliseconds=10))
        return super().observe(state)

    def mask(self, state: Line) -> Bools:
        self.clock.advance(timedelta(milliseconds=5))
        return np.ones((len(state.position), 3), dtype=bool)

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        self.clock.advance(timedelta(seconds=0.03 + self.per_world_s * len(action)))
        return super().step(state, action, rng)


class Looping(Timed):
    """Steps its worlds one after another."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        for _ in range(len(action)):
            self.clock.advance(timedelta(milliseconds=1))
        return super().step(state, action, rng)


def test_rates_shares_and_memory_are_those_of_the_clock() -> None:
    time = clock()
    found = profile(line_problem(), Timed(time), time, worlds=(1, 10, 100))
    assert {rate.worlds: rate.steps_per_s for rate in found.rates} == pytest.approx({1: 1 / 0.045, 10: 10 / 0.045,
                                                                                     100: 100 / 0.045})  # fmt: skip
    assert found.shares == pytest.approx({"dynamics": 30 / 45, "observation": 10 / 45, "mask": 5 / 45, "reward": 0})
    assert (found.at, found.state_bytes) == (100, 16)
    assert 8 * 4 <= found.working_bytes < 1000
    assert found.loop is None
    assert found.hints == []
    assert found.steps_per_s == pytest.approx(100 / 0.045)
    assert found.version == "line-1"


def test_a_plain_gymnasium_loop_runs_beside_it() -> None:
    time = clock()
    # A step and the look after it; resets look too, once in the five steps of an episode.
    assert gymnasium_loop(line_problem(), Timed(time), time) == pytest.approx(1 / 0.045, rel=0.2)


def test_a_loop_over_worlds_is_told_with_its_line_and_what_the_batch_gains() -> None:
    time = clock()
    found = profile(line_problem(), Looping(time), time, worlds=(1, 10, 100))
    assert len(found.hints) == 1
    assert "at simulators/test_profile.py:" in found.hints[0]
    assert "100 worlds together are only" in found.hints[0]
    assert found.as_dict()["python_loop"].startswith("simulators/test_profile.py:")


def test_numbers_of_worlds_that_would_take_too_long_are_left_out() -> None:
    time = clock()
    found = profile(line_problem(), Timed(time, per_world_s=0.1), time, worlds=(1, 10, 100))
    assert [rate.worlds for rate in found.rates] == [1, 10]
    assert found.at == 10


def test_a_clock_that_stands_still_gives_no_figure() -> None:
    with pytest.raises(EvidenceError, match="clock that moves"):
        profile(line_problem(), EndlessWalk(), clock())


def test_a_gymnasium_environment_is_held_against_itself_and_its_loop_is_told() -> None:
    world = GymnasiumSimulator("CartPole-v1")
    found = profile(problem_of(world), world, SystemClock(), worlds=(1, 8), block_s=0.05)
    assert found.loop is not None
    assert found.gymnasium_steps_per_s > 0
    fields: dict[str, Any] = found.as_dict()
    assert fields["simulator_version"] == world.version
    assert sum(fields["shares"].values()) == pytest.approx(1)


class Small(Timed):
    """Has room for ten worlds."""

    most_worlds = 10

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
        assert n <= self.most_worlds
        return super().reset(n, rng, level)


def test_a_simulator_with_little_room_is_measured_up_to_that_and_says_so() -> None:
    time = clock()
    found = profile(line_problem(), Small(time), time)
    assert [rate.worlds for rate in found.rates] == [1, 4, 10]
    assert (found.at, found.as_dict()["most_worlds"]) == (10, 10)
