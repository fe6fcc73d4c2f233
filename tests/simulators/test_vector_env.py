"""Many worlds as a Gymnasium `VectorEnv`, held against Gymnasium's own row of single environments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from tenure.core import Step
from tenure.core.arrays import Ints
from tenure.simulators.gym_env import SimulatorEnv
from tenure.simulators.vector_env import SimulatorVectorEnv

from .worlds import GOAL, EndlessWalk, Line, LineWalk, Shop, WalledWalk, line_problem, shop_problem


class StrictWalk(WalledWalk):
    """Cannot be stepped from an end, nor with an action that is not allowed."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        assert (state.position < GOAL).all()
        assert self.mask(state)[np.arange(len(action)), action].all()
        return super().step(state, action, rng)


@pytest.mark.parametrize("level", ["normal", "edge", "wall"])
@pytest.mark.parametrize("simulator", [LineWalk(), EndlessWalk(), StrictWalk()])
def test_it_equals_a_row_of_single_environments_step_by_step(simulator: LineWalk, level: str) -> None:
    problem, rng = line_problem(), np.random.default_rng(0)
    batch = SimulatorVectorEnv(problem, simulator, 6, level=level)
    row: Any = SyncVectorEnv([lambda: SimulatorEnv(problem, simulator, level=level)] * 6)
    assert batch.single_observation_space == row.single_observation_space
    assert batch.observation_space == row.observation_space
    assert batch.action_space == row.action_space
    assert batch.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert data_equivalence(batch.reset(seed=0), row.reset(seed=0))
    ends = np.zeros(2, dtype=int)
    for _ in range(60):
        actions = rng.choice(3, size=6, p=[0.2, 0.2, 0.6])
        ours, theirs = batch.step(actions), row.step(actions)
        assert data_equivalence(ours, theirs), (ours, theirs)
        ends += [ours[2].sum(), ours[3].sum()]
    assert ends[1] > 0
    assert level == "wall" or (ends[0] > 0) != isinstance(simulator, EndlessWalk)
    assert batch.replaced == sum(env.replaced for env in row.envs)


def test_when_every_world_starts_again_there_are_no_signals() -> None:
    env = SimulatorVectorEnv(line_problem(horizon=1), EndlessWalk(), 2)
    env.reset(seed=0)
    assert env.step(np.array([2, 2]))[3].tolist() == [True, True]
    seen, reward, terminated, truncated, info = env.step(np.array([2, 2]))
    assert seen.tolist() == [[0, 0], [0, 0]]
    assert reward.tolist() == [0, 0]
    assert not terminated.any()
    assert not truncated.any()
    assert info == {}


def test_gymnasiums_statistics_read_it() -> None:
    env = RecordEpisodeStatistics(SimulatorVectorEnv(line_problem(), EndlessWalk(), 2))
    env.reset(seed=0)
    for _ in range(5):
        info = env.step(np.array([2, 1]))[4]
    assert info["episode"]["r"].tolist() == [12.5, 0.0]
    assert info["episode"]["l"].tolist() == [5, 5]


def test_what_it_shows_lies_in_its_spaces() -> None:
    env = SimulatorVectorEnv(shop_problem(), Shop(), 4)
    assert env.observation_space.contains(env.reset(seed=0)[0])
    for _ in range(25):
        seen, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert env.observation_space.contains(seen)
        assert reward.shape == terminated.shape == truncated.shape == (4,)


def test_one_seed_gives_one_run() -> None:
    def play(seed: int) -> list[Any]:
        env = SimulatorVectorEnv(shop_problem(), Shop(), 4)
        return [env.reset(seed=seed)[0].tolist(), *(env.step(np.full(4, 2))[0].tolist() for _ in range(15))]

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_a_step_before_the_first_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded):
        SimulatorVectorEnv(line_problem(), LineWalk(), 2).step(np.array([1, 1]))
