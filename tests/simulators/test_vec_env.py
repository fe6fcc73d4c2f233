"""The Stable-Baselines3 adapter, worked by hand and under a real PPO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import PPO

from tenure.core import Box, ManualClock, Problem, Step
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import ProjectError
from tenure.core.problem import Shaping
from tenure.simulators.vec_env import SimulatorVecEnv

from .worlds import Always, EndlessWalk, Line, LineWalk, Shop, UpTo, WalledWalk, line_problem, shop_problem


def line_env(simulator: LineWalk, n: int = 2, horizon: int = 5, **settings: Any) -> SimulatorVecEnv:
    env = SimulatorVecEnv(line_problem(horizon), simulator, n, seed=0, stagger=False, **settings)
    env.reset()
    return env


def walk(env: SimulatorVecEnv, *actions: int) -> Any:
    """One step with an action for each world."""
    return env.step(np.array(actions))


def test_observations_are_raw_float32_and_rewards_the_problems_own() -> None:
    env = line_env(EndlessWalk())
    seen, reward, done, infos = walk(env, 2, 0)
    assert seen.tolist() == [[1, 1], [-1, 1]]
    assert seen.dtype == np.float32
    assert reward.tolist() == [0.5, -1.5]
    assert reward.dtype == np.float32
    assert done.tolist() == [False, False]
    assert infos == [{}, {}]
    assert infos[0] is not infos[1]


def test_the_time_limit_is_a_truncation_with_the_last_observation() -> None:
    env = line_env(EndlessWalk())
    for _ in range(4):
        assert not walk(env, 2, 1)[2].any()
    seen, _, done, infos = walk(env, 2, 1)
    assert done.tolist() == [True, True]
    assert [info["TimeLimit.truncated"] for info in infos] == [True, True]
    assert [info["terminal_observation"].tolist() for info in infos] == [[5, 5], [0, 5]]
    assert seen.tolist() == [[0, 0], [0, 0]]


def test_an_end_by_itself_is_no_truncation_and_restarts_that_world_alone() -> None:
    env = line_env(LineWalk())
    walk(env, 2, 1)
    walk(env, 2, 1)
    seen, _, done, infos = walk(env, 2, 1)
    assert done.tolist() == [True, False]
    assert "TimeLimit.truncated" not in infos[0]
    assert infos[0]["terminal_observation"].tolist() == [3, 3]
    assert infos[1] == {}
    assert seen.tolist() == [[0, 0], [0, 3]]
    walk(env, 1, 1)
    _, _, done, infos = walk(env, 1, 1)
    assert done.tolist() == [False, True]
    assert infos[1]["TimeLimit.truncated"] is True


def test_an_end_at_the_time_limit_is_an_end() -> None:
    env = line_env(LineWalk(), horizon=3)
    for _ in range(3):
        answer = walk(env, 2, 1)
    assert "TimeLimit.truncated" not in answer[3][0]
    assert answer[3][1]["TimeLimit.truncated"] is True


def test_an_episodes_figures_are_in_the_problems_own_reward() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    env = line_env(EndlessWalk(), scale=0.01, baseline=Always(1), clock=clock)
    for _ in range(2):
        for _ in range(5):
            infos = walk(env, 2, 0)[3]
        clock.advance(timedelta(seconds=3))
    # Right: 1+2+3+4+5 less 5 * 0.5; left: the same with the places negative.
    assert infos[0]["episode"] == {"r": 12.5, "l": 5, "t": 3.0}
    assert infos[1]["episode"] == {"r": -17.5, "l": 5, "t": 3.0}
    assert infos[1]["signals"] == {"place": -15.0, "moved": 5.0}


def test_the_reward_given_is_trained_on_and_scaled() -> None:
    def moved(signals: Mapping[str, Floats]) -> Floats:
        return signals["moved"]

    assert walk(line_env(EndlessWalk(), reward=moved, scale=3.0), 2, 1)[1].tolist() == [3.0, 0.0]


def test_the_transform_shapes_every_observation_the_last_one_too() -> None:
    env = line_env(EndlessWalk(), transform=lambda seen: seen * 10 + 1)
    assert env.reset().tolist() == [[1, 1], [1, 1]]
    for _ in range(5):
        seen, _, _, infos = walk(env, 2, 1)
    assert infos[0]["terminal_observation"].tolist() == [51, 51]
    assert seen.tolist() == [[1, 1], [1, 1]]
    assert walk(env, 2, 1)[0].dtype == np.float32


def test_the_level_reaches_fresh_worlds_and_restarts() -> None:
    env = line_env(EndlessWalk(), level="late")
    assert env.reset()[:, 0].tolist() == [1, 1]
    for _ in range(5):
        seen = walk(env, 2, 2)[0]
    assert seen[:, 0].tolist() == [1, 1]


def test_staggered_worlds_end_at_different_steps_with_their_true_lengths() -> None:
    env = SimulatorVecEnv(line_problem(10), EndlessWalk(), 200, seed=0)
    env.reset()
    ends = np.zeros(10, dtype=int)
    for step in range(10):
        done, infos = env.step(np.ones(200, dtype=int))[2:]
        ends[step] = done.sum()
        assert {infos[world]["episode"]["l"] for world in np.flatnonzero(done)} <= {step + 1}
    assert ends.sum() == 200
    assert ends.min() > 5


def test_a_twin_under_the_same_policy_leaves_exactly_nothing() -> None:
    policy = UpTo(6)
    env = SimulatorVecEnv(shop_problem(), Shop(), 50, seed=0, baseline=policy)
    seen: Any = env.reset()
    earned = 0.0
    for _ in range(30):
        seen, reward, _, infos = env.step(policy.propose(seen, None, np.zeros(50)).action)
        assert (reward == 0).all()
        earned += sum(abs(info["episode"]["r"]) for info in infos if info)
    assert earned > 0


def test_the_reward_is_the_difference_to_the_twin() -> None:
    env = line_env(EndlessWalk(), baseline=Always(2), scale=2.0)
    for _ in range(2):
        # The twin walks right: it earns 0.5, 1.5, ... while standing earns 0 and walking left -1.5, -2.5, ...
        rewards = [walk(env, 1, 0)[1].tolist() for _ in range(5)]
        assert rewards == [[-1.0, -4.0], [-3.0, -8.0], [-5.0, -12.0], [-7.0, -16.0], [-9.0, -20.0]]


def test_a_reset_sets_the_twins_back_too() -> None:
    env = line_env(EndlessWalk(), baseline=Always(2))
    walk(env, 2, 2)
    env.reset()
    assert walk(env, 2, 1)[1].tolist() == [0.0, -0.5]


def test_what_the_simulator_shows_is_never_written_into() -> None:
    class ReadOnly(LineWalk):
        def observe(self, state: Line) -> Floats:
            seen = super().observe(state)
            seen.flags.writeable = False
            return seen

    env = line_env(ReadOnly())
    for _ in range(3):
        seen = walk(env, 2, 1)[0]
    assert seen.tolist() == [[0, 0], [0, 3]]


def test_a_twin_meets_the_same_chance_whatever_is_done() -> None:
    def demand(signals: Mapping[str, Floats]) -> Floats:
        return signals["sold"] + signals["lost"]

    env = SimulatorVecEnv(shop_problem(), Shop(), 50, seed=0, reward=demand, baseline=UpTo(0))
    env.reset()
    rng = np.random.default_rng(1)
    for _ in range(30):
        assert (env.step(rng.integers(0, 5, 50))[1] == 0).all()


def test_chance_differs_from_step_to_step_with_a_twin() -> None:
    env = SimulatorVecEnv(shop_problem(9), Shop(), 1, seed=0, baseline=Always(0), stagger=False)
    env.reset()
    totals = [walk(env, 4)[0][0, 0] for _ in range(8)]
    assert len(set(np.diff(totals).tolist())) > 1


@pytest.mark.parametrize(
    ("baseline", "action", "words"), [(1, 2, "world 0 ended by itself and its twin"), (2, 1, "the twin of world 0")]
)
def test_a_twin_that_ends_apart_from_its_world_is_refused(baseline: int, action: int, words: str) -> None:
    env = line_env(LineWalk(), n=1, baseline=Always(baseline))
    walk(env, action)
    walk(env, action)
    with pytest.raises(ProjectError, match=words):
        walk(env, action)


def test_an_action_that_is_not_allowed_becomes_the_nearest_and_is_counted() -> None:
    env = line_env(WalledWalk())
    walk(env, 0, 1)
    walk(env, 0, 1)
    assert env.replaced == 0
    assert env.action_masks().tolist() == [[False, True, True], [True, True, True]]
    assert walk(env, 0, 1)[0][:, 0].tolist() == [-2, 0]
    assert env.replaced == 1


def test_masks_are_had_the_way_maskable_learners_ask_for_them() -> None:
    env = line_env(WalledWalk())
    walk(env, 0, 1)
    walk(env, 0, 1)
    assert env.has_attr("action_masks")
    assert np.stack(env.env_method("action_masks")).tolist() == [[False, True, True], [True, True, True]]
    assert [row.tolist() for row in env.env_method("action_masks", indices=[1])] == [[True, True, True]]
    assert line_env(LineWalk()).action_masks().tolist() == [[True] * 3] * 2


def test_the_mask_after_a_restart_is_the_fresh_worlds() -> None:
    env = line_env(WalledWalk())
    for _ in range(5):
        walk(env, 0, 1)
    assert env.action_masks()[0].tolist() == [True, True, True]


def test_masks_are_worked_out_once_a_step() -> None:
    class Counting(WalledWalk):
        asked = 0

        def mask(self, state: Line) -> Bools:
            self.asked += 1
            return super().mask(state)

    simulator = Counting()
    env = line_env(simulator)
    for _ in range(6):
        env.action_masks()
        walk(env, 1, 1)
    assert simulator.asked == 6


def shaped_problem(factor: float, horizon: int = 5, discount: float = 0.9) -> Problem:
    """The line with a potential of so much per cell."""
    shaping = Shaping(lambda seen: factor * seen[:, 0].astype(float), "the goal lies right")
    return replace(line_problem(horizon), shaping=shaping, discount=discount)


def shaping_alone(env: SimulatorVecEnv, *actions: int) -> list[float]:
    """What shaping adds to one step's rewards: those of the same step without it taken off."""
    seen = np.asarray(env._raw[:, 0])
    paid = walk(env, *actions)[1]
    moved = np.array(actions) - 1
    return [float(value) for value in paid - (seen + moved - 0.5 * np.abs(moved))]


def test_shaping_pays_the_discounted_growth_of_the_potential() -> None:
    env = SimulatorVecEnv(shaped_problem(2.0), EndlessWalk(), 2, seed=0, stagger=False)
    env.reset()
    # 0.9 * 2 * next - 2 * now
    assert shaping_alone(env, 2, 1) == pytest.approx([1.8, 0.0])
    assert shaping_alone(env, 2, 0) == pytest.approx([1.6, -1.8])
    assert shaping_alone(env, 1, 2) == pytest.approx([-0.4, 2.0])


def test_shaping_sums_to_what_the_ends_of_the_episode_hold() -> None:
    # Telescoping: the discounted sum over T steps is 0.9^T potential(last) - potential(first), whatever lies between.
    env = SimulatorVecEnv(shaped_problem(2.0), EndlessWalk(), 2, seed=0, level="late", stagger=False)
    env.reset()
    total = np.zeros(2)
    for step, actions in enumerate(((2, 0), (2, 0), (0, 2), (1, 2), (2, 2))):
        total += 0.9**step * np.array(shaping_alone(env, *actions))
    last = [3, 2]  # right, right, left, stay, right from 1; left, left, right, right, right
    assert total.tolist() == pytest.approx([0.9**5 * 2 * place - 2 * 1 for place in last], abs=1e-6)


def test_an_ended_worlds_potential_is_nothing_and_one_cut_off_keeps_its_last() -> None:
    ended = SimulatorVecEnv(shaped_problem(2.0), LineWalk(), 1, seed=0, level="edge", stagger=False)
    ended.reset()
    assert shaping_alone(ended, 2) == pytest.approx([-4.0]), "0.9 * 0 - 2 * 2"
    cut = SimulatorVecEnv(shaped_problem(2.0, horizon=1), EndlessWalk(), 1, seed=0, level="edge", stagger=False)
    cut.reset()
    assert shaping_alone(cut, 2) == pytest.approx([0.9 * 6 - 4])


class Everywhere(LineWalk):
    """One world in each cell from -3 to 2, and walls at both of these; the goal at 3 ends it."""

    CELLS = 6

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
        return Line(np.arange(n) % self.CELLS - 3, np.zeros(n, dtype=np.int64))

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(Line(state.position, state.walked), action, rng)
        return Step(Line(np.maximum(step.state.position, -3), step.state.walked), step.signals, step.terminated)


def action_values(problem: Problem) -> Floats:
    """Exact value of every action in every cell, by value iteration over the rewards a learner is given; [6, 3]."""
    rewards = np.zeros((Everywhere.CELLS, 3))
    for action in range(3):
        env = SimulatorVecEnv(problem, Everywhere(), Everywhere.CELLS, seed=0, stagger=False)
        env.reset()
        rewards[:, action] = env.step(np.full(Everywhere.CELLS, action))[1]
    reached = np.maximum(np.arange(Everywhere.CELLS)[:, None] + np.array([-1, 0, 1]), 0)
    value = np.zeros(Everywhere.CELLS + 1)  # the last is the goal, where everything ends
    for _ in range(500):
        values = rewards + problem.discount * value[reached]
        value[:-1] = values.max(axis=1)
    return np.asarray(values)


def test_shaping_leaves_the_best_policy_what_it_is() -> None:
    # Standing before the goal pays 2 for ever, and the goal 2.5 once: the best is to walk to 2 and stay. A potential of
    # 40 a cell would pull everybody into the goal, did its end count.
    plain = action_values(replace(line_problem(), discount=0.9))
    shaped = action_values(shaped_problem(40.0))
    assert plain.argmax(axis=1).tolist() == [2, 2, 2, 2, 2, 1]
    assert shaped.argmax(axis=1).tolist() == plain.argmax(axis=1).tolist()
    potential = 40.0 * (np.arange(Everywhere.CELLS) - 3)
    assert np.allclose(shaped, plain - potential[:, None], atol=1e-3), "Ng et al. (1999), corollary 2"


def test_episode_figures_know_nothing_of_shaping() -> None:
    env = SimulatorVecEnv(shaped_problem(7.0), EndlessWalk(), 1, seed=0, stagger=False)
    env.reset()
    for _ in range(5):
        infos = walk(env, 2)[3]
    assert infos[0]["episode"]["r"] == 12.5


def test_a_box_has_no_masks_and_a_box_space() -> None:
    base = line_problem()
    push = Box(("push",), ("N",), (-1.0,), (2.0,))
    fields = {name: getattr(base, name) for name in ("name", "about", "observation", "signals", "reward", "kpis")}
    env = SimulatorVecEnv(Problem(**fields, action=push, horizon=5), LineWalk(), 2, seed=0)
    assert env.action_space == gymnasium.spaces.Box(-1.0, 2.0, (1,), np.float32)
    with pytest.raises(ProjectError, match="found a Box"):
        env.action_masks()


def test_one_seed_gives_one_run_and_seed_sets_another() -> None:
    def play(env: SimulatorVecEnv) -> list[Any]:
        return [env.reset().tolist(), *(walk(env, 2, 2, 2, 2)[0].tolist() for _ in range(15))]

    one, again, other = (SimulatorVecEnv(shop_problem(), Shop(), 4, seed=seed) for seed in (7, 7, 8))
    first = play(one)
    assert first == play(again)
    assert first != play(other)
    assert play(one) != first
    other.seed(7)
    assert play(other) == first
    assert play(other) != first


def test_attributes_are_shared_by_all_worlds() -> None:
    env = line_env(LineWalk(), n=3)
    assert env.get_attr("level", indices=[0, 2]) == ["normal", "normal"]
    env.set_attr("level", "late")
    assert env.reset()[:, 0].tolist() == [1, 1, 1]
    with pytest.raises(ProjectError, match="all worlds"):
        env.set_attr("level", "normal", indices=0)
    assert env.env_is_wrapped(gymnasium.Wrapper) == [False] * 3


def test_ppo_learns_to_walk_right_and_reads_the_episode_figures() -> None:
    env = SimulatorVecEnv(line_problem(10), EndlessWalk(), 16, seed=0, scale=0.1)
    learner = PPO("MlpPolicy", env, n_steps=32, batch_size=128, learning_rate=0.003, seed=0, device="cpu")
    learner.learn(4_096)
    assert learner.num_timesteps == 4_096
    assert learner.ep_info_buffer is not None
    returns = [episode["r"] for episode in learner.ep_info_buffer]
    # Walking right all ten steps earns 55 - 5 = 50; walking at random about -3.
    assert np.mean(returns) > 20
