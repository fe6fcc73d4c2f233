"""A guide takes the first decisions of each episode, ever fewer of them, and never more than an episode has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats
from tenure.core.simulator import Step
from tenure.simulators.jump_start import JumpStart
from tenure.simulators.vec_env import SimulatorVecEnv

HORIZON = 10
problem = Problem(
    name="count",
    about="Ones are counted.",
    observation=(Feature("time", "steps", 0, 10), Feature("ones", "ones", 0, 10)),
    action=Discrete(("zero", "one")),
    signals=(Signal("ones", "ones", 0, 1),),
    reward=Reward((Term("ones", 1.0, "points/one", "they count"),)),
    kpis=(KPI("ones", "ones", "higher", {"ones": 1.0}),),
    horizon=HORIZON,
    discount=0.9,
)


@dataclass(frozen=True)
class Count:
    time: Floats
    ones: Floats


@dataclass(frozen=True)
class Counting:
    """Ends by itself once `most` ones were taken."""

    most: int = 99
    version: str = "count-1"

    @property
    def levels(self) -> dict[str, Any]:
        return {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Count:
        return Count(np.zeros(n), np.zeros(n))

    def panel(self, split: Any, first_day: int = 0, days: int | None = None) -> Any:
        raise NotImplementedError

    def observe(self, state: Count) -> Floats:
        return np.stack([state.time, state.ones], axis=1).astype(np.float32)

    def step(self, state: Count, action: Any, rng: np.random.Generator) -> Step:
        after = Count(state.time + 1, state.ones + action)
        return Step(after, {"ones": action.astype(float)}, after.ones >= self.most)


@dataclass(frozen=True)
class Ones:
    version: str = "ones"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.ones(len(observation), dtype=np.int64), np.ones(len(observation)))


START = JumpStart(Ones(), 0.5, 1000)


def test_lengths_are_even_up_to_the_share_and_fade_to_none() -> None:
    rng = np.random.default_rng(0)
    drawn = START.lengths(HORIZON, 60_000, 0, rng)
    shares = np.bincount(drawn) / len(drawn)
    assert len(shares) == 6  # 0 to half of ten
    assert np.abs(shares - 1 / 6).max() < 0.008  # five standard errors
    assert START.lengths(HORIZON, 1000, 500, rng).max() == 2
    assert START.lengths(HORIZON, 1000, 1000, rng).max() == 0
    assert START.lengths(HORIZON, 1000, 5000, rng).max() == 0


def test_a_decision_is_always_left_to_the_learner() -> None:
    most = JumpStart(Ones(), 0.999, 1000).lengths(3, 1000, 0, np.random.default_rng(0)).max()
    assert most == 2


def test_the_guide_takes_just_so_many_decisions() -> None:
    lengths = np.array([0, 3, 5, 1])
    worlds = Counting()
    state, age = START.led(
        problem, worlds, worlds.reset(4, np.random.default_rng(0)), lengths, np.random.default_rng(0)
    )
    assert age.tolist() == state.time.tolist() == state.ones.tolist() == lengths.tolist()


def test_a_world_that_would_end_under_the_guide_begins_just_before() -> None:
    worlds, rng = Counting(most=3), np.random.default_rng(0)
    state, age = START.led(problem, worlds, worlds.reset(2, rng), np.array([5, 1]), rng)
    assert age.tolist() == [2, 1]
    assert state.ones.tolist() == [2, 1]


def test_episodes_keep_their_horizon_and_what_the_guide_earned_is_not_the_learners() -> None:
    envs = SimulatorVecEnv(problem, Counting(), 64, seed=1, jump_start=replace(START, fades_over=64 * 200))
    seen = np.asarray(envs.reset())
    assert seen[:, 0].max() > 0
    assert (seen[:, 0] == seen[:, 1]).all()  # all of it ones
    lengths = []
    for step in range(400):
        before = seen
        envs.step_async(np.zeros(64, dtype=np.int64))
        after, reward, _, infos = envs.step_wait()
        seen = np.asarray(after)
        assert not reward.any()
        ended = [world for world, info in enumerate(infos) if "episode" in info]
        lengths += [(step, infos[world]["episode"]["l"]) for world in ended]
        assert all(before[world, 0] == HORIZON - 1 for world in ended)
    assert min(length for step, length in lengths if step < 60) < HORIZON
    assert {length for step, length in lengths if step > 250} == {HORIZON}
