"""One world as a Gymnasium environment."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env as check_gymnasium
from stable_baselines3.common.env_checker import check_env as check_stable_baselines3

from tenure.simulators.gym_env import SimulatorEnv

from .worlds import LineWalk, Shop, WalledWalk, line_problem, shop_problem


@pytest.mark.parametrize("masked", [False, True])
def test_it_passes_gymnasiums_and_stable_baselines3s_own_checks(masked: bool) -> None:
    def build() -> SimulatorEnv:
        return SimulatorEnv(line_problem(), WalledWalk()) if masked else SimulatorEnv(shop_problem(), Shop())

    check_gymnasium(build(), skip_render_check=True)
    check_stable_baselines3(build())


def test_a_step_gives_reward_signals_and_mask() -> None:
    env = SimulatorEnv(line_problem(), WalledWalk())
    seen, info = env.reset(seed=0)
    assert seen.tolist() == [0, 0]
    assert info["action_mask"].tolist() == [1, 1, 1]
    assert info["action_mask"].dtype == np.int8
    env.step(0)
    seen, reward, terminated, truncated, info = env.step(0)
    assert seen.tolist() == [-2, 2]
    assert seen.dtype == np.float32
    assert reward == -2.5
    assert (terminated, truncated) == (False, False)
    assert info["signals"] == {"place": -2.0, "moved": 1.0}
    assert info["action_mask"].tolist() == [0, 1, 1]
    assert env.step(0)[0].tolist() == [-2, 3]
    assert env.replaced == 1


def test_without_mask_and_constraint_there_is_no_mask() -> None:
    assert SimulatorEnv(shop_problem(), Shop()).reset()[1] == {}


def test_the_time_limit_truncates_and_the_goal_terminates() -> None:
    env = SimulatorEnv(line_problem(horizon=3), LineWalk())
    env.reset()
    assert [env.step(1)[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]
    env.reset()
    assert [env.step(2)[2:4] for _ in range(3)] == [(False, False), (False, False), (True, False)]


def test_one_seed_gives_one_run() -> None:
    def play(seed: int) -> list[float]:
        env = SimulatorEnv(shop_problem(), Shop())
        return [float(env.reset(seed=seed)[0][0]), *(float(env.step(2)[0][0]) for _ in range(9))]

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_the_level_is_used() -> None:
    assert SimulatorEnv(line_problem(), LineWalk(), level="late").reset()[0][0] == 1


def test_a_step_before_the_first_reset_is_refused() -> None:
    with pytest.raises(ResetNeeded):
        SimulatorEnv(line_problem(), LineWalk()).step(1)
