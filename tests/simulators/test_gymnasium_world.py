"""Gymnasium environments as simulators: any state can be stepped again, and what is wrong is named."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv, VectorEnv

from tenure.core import Box, Discrete, Finding, Signal, Verdict
from tenure.core.errors import DataError, ProjectError
from tenure.core.reward import KPI, Reward, Term
from tenure.simulators import check_simulator, run, take
from tenure.simulators.gym_env import SimulatorEnv
from tenure.simulators.gymnasium_problem import problem_of
from tenure.simulators.gymnasium_world import GymnasiumSimulator, Worlds
from tenure.simulators.vec_env import SimulatorVecEnv

from .worlds import Always, WalledWalk, line_problem


class Corridor(gymnasium.Env[Any, Any]):
    """Five cells; the first has no way left; each step right costs what the seed says. Ends at the last cell."""

    observation_space = spaces.Discrete(5)
    action_space = spaces.Discrete(2, start=1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.cell = 0
        return self.cell, self._info({})

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        assert action in (1, 2)
        assert action == 2 or self.cell > 0
        self.cell += 1 if action == 2 else -1
        cost = round(float(self.np_random.random()), 3)
        return self.cell, 1.0, self.cell == 4, False, self._info({"signals": {"cell": self.cell}, "cost": cost})

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": np.array([self.cell > 0, True], dtype=np.int8)}


class Forgetful(Corridor):
    """Its chance is not that of its seed."""

    chance = np.random.default_rng(0)

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        _, reward, _, _, info = super().step(action)
        self.cell = int(self.chance.integers(1, 4))
        return self.cell, reward, False, False, info


class Short(Corridor):
    """Gives up after two steps."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        self.age = 0
        return super().reset(seed=seed)

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.age += 1
        seen, reward, terminated, _, info = super().step(action)
        return seen, reward, terminated, self.age >= 2, info


def corridor_problem(world: GymnasiumSimulator) -> Any:
    return problem_of(
        world,
        signals=[Signal("cell", "cells", 0, 4), Signal("cost", "EUR", 0, 1)],
        reward=Reward((Term("cell", 1.0, "EUR", "far is good"), Term("cost", -1.0, "EUR", "effort"))),
        kpis=[KPI("cell", "cells", "higher", {"cell": 1.0})],
    )


def verdicts(findings: list[Finding]) -> set[Verdict]:
    return {finding.verdict for finding in findings}


@pytest.mark.parametrize("name", ["CartPole-v1", "Reacher-v5", "FrozenLake-v1"])
def test_registered_environments_keep_the_contract(name: str) -> None:
    world = GymnasiumSimulator(name)
    assert verdicts(check_simulator(problem_of(world), world, n=3, steps=12)) == {Verdict.PASS}


def test_masks_costs_and_signals_come_from_the_info() -> None:
    world = GymnasiumSimulator(Corridor, horizon=9)
    problem = corridor_problem(world)
    assert verdicts(check_simulator(problem, world, n=4, steps=20)) == {Verdict.PASS}
    state = world.reset(2, np.random.default_rng(0))
    assert world.mask(state).tolist() == [[False, True], [False, True]]
    assert world.observe(state).tolist() == [[1, 0, 0, 0, 0]] * 2
    step = world.step(state, np.array([1, 1]), np.random.default_rng(0))
    assert world.mask(step.state).all()
    assert step.signals["cell"].tolist() == [1, 1]
    assert step.signals.keys() == {"cell", "cost"}
    assert step.signals["cost"][0] != step.signals["cost"][1]


def steps(world: GymnasiumSimulator, state: Worlds, *actions: int) -> Any:
    for action in actions:
        step = world.step(state, np.full(len(state.age), action), np.random.default_rng(0))
        state = step.state
    return step


def test_a_state_that_is_not_the_newest_is_stepped_as_if_it_were() -> None:
    world = GymnasiumSimulator(Corridor, horizon=9)
    start = world.reset(2, np.random.default_rng(0))
    early = steps(world, start, 1).state
    onward = steps(world, early, 1, 0, 1)
    again = steps(world, early, 0)
    assert world.observe(again.state).argmax(axis=1).tolist() == [0, 0]
    assert world.observe(steps(world, early, 1, 0, 1).state).tolist() == world.observe(onward.state).tolist()
    assert steps(world, early, 1, 0, 1).signals["cost"].tolist() == onward.signals["cost"].tolist()
    assert world.observe(steps(world, again.state, 1).state).argmax(axis=1).tolist() == [1, 1]
    alone = steps(world, take(early, np.array([1])), 1, 0, 1)
    assert alone.signals["cost"][0] == onward.signals["cost"][1]


def test_an_ended_world_stays_as_it_is() -> None:
    world = GymnasiumSimulator(Corridor, horizon=9)
    end = steps(world, world.reset(1, np.random.default_rng(0)), 1, 1, 1, 1)
    assert end.terminated.tolist() == [True]
    after = steps(world, end.state, 1, 1)
    assert after.terminated.tolist() == [True]
    assert after.signals == {"cell": [0.0], "cost": [0.0]}
    assert after.state.age.tolist() == [4]


def test_an_environment_that_its_seed_does_not_decide_is_refused_when_it_is_set_up_again() -> None:
    world = GymnasiumSimulator(Forgetful, horizon=9)
    early = steps(world, world.reset(8, np.random.default_rng(0)), 1).state
    steps(world, early, 1)
    with pytest.raises(ProjectError, match=r"expected the same observation by the same seed and 1 actions.*np_random"):
        steps(world, early, 0)


def test_a_time_limit_is_the_problems_and_none_may_come_before_it() -> None:
    with pytest.raises(ProjectError, match=r"truncated at step 2; in .* Short; to do: give its time limit.*horizon=2"):
        steps(world := GymnasiumSimulator(Short, horizon=3), world.reset(1, np.random.default_rng(0)), 1, 1)
    world = GymnasiumSimulator(Short, horizon=2)
    assert not steps(world, world.reset(1, np.random.default_rng(0)), 1, 1, 1).terminated.any()
    assert GymnasiumSimulator("CartPole-v1").horizon == 500
    longer = GymnasiumSimulator("Reacher-v5", horizon=60)
    state = longer.seeded([1])
    for _ in range(55):
        state = longer.step(state, np.zeros((1, 2)), np.random.default_rng(0)).state
    with pytest.raises(ProjectError, match="horizon=200"):
        _ = GymnasiumSimulator(Corridor).steps


@pytest.mark.parametrize("source", [
    "CartPole-v1",
    lambda: gymnasium.make("CartPole-v1"),
    gymnasium.make("CartPole-v1"),
    gymnasium.make_vec("CartPole-v1", num_envs=3),
    SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 2),
], ids=["id", "factory", "Env", "make_vec", "SyncVectorEnv"])  # fmt: skip
def test_ids_factories_environments_and_vectors_give_the_same_worlds(source: Any) -> None:
    world, plain = GymnasiumSimulator(source, horizon=500), gymnasium.make("CartPole-v1")
    state, seen = world.seeded([7]), plain.reset(seed=7)[0]
    for action in (0, 1, 1):
        assert world.observe(state)[0].tolist() == seen.tolist()
        state, seen = steps(world, state, action).state, plain.step(action)[0]


def test_an_object_without_registration_is_copied_and_never_stepped() -> None:
    env = Corridor()
    world = GymnasiumSimulator(env, horizon=9)
    steps(world, world.reset(2, np.random.default_rng(0)), 1)
    assert not hasattr(env, "cell")


def test_what_cannot_be_a_world_is_named_with_the_fix() -> None:
    class Foreign(VectorEnv[Any, Any, Any]):
        pass

    class Stuck(Corridor):
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("holds a socket")

    for source, words in [
        ("Reecher-v5", "registered Gymnasium id"),
        (Foreign(), r"lambda: Foreign\(num_envs=1\)"),
        (Stuck(), "holds a socket.*factory"),
        (3, "found int"),
    ]:
        with pytest.raises(ProjectError, match=words):
            GymnasiumSimulator(source)  # type: ignore[arg-type]


def test_panels_share_no_seed_with_training_nor_with_each_other() -> None:
    world = GymnasiumSimulator(Corridor, horizon=9, worlds=3)
    seeds = [[course.seed for course in world.panel(split, day).state.course]
             for split in ("train", "selection", "held_out") for day in (0, 1)]  # fmt: skip
    assert len({seed for row in seeds for seed in row}) == 18
    assert min(min(row) for row in seeds) >= 2**31
    assert world.panel("train").steps == 9
    with pytest.raises(DataError, match="one episode"):
        world.panel("train", days=2)


def test_a_panel_gives_the_return_per_episode() -> None:
    world = GymnasiumSimulator("CartPole-v1", worlds=4, horizon=60)
    problem = problem_of(world)
    trace = run(problem, world, Always(0), world.panel("selection")).trace
    plain, lengths = gymnasium.make("CartPole-v1"), []
    for seed in range(2**33, 2**33 + 4):
        plain.reset(seed=seed)
        lengths.append(1 + next(step for step in range(500) if plain.step(0)[2]))
    assert trace.kpi(problem.kpi("return")) == np.mean(lengths)


def test_environments_are_used_again_when_no_state_needs_them() -> None:
    world, rng = GymnasiumSimulator(Corridor, horizon=9), np.random.default_rng(0)
    for _ in range(20):
        state = world.reset(3, rng)
        state = steps(world, state, 1).state
    assert world.made <= 6


def test_a_world_of_ours_goes_out_as_gymnasium_and_comes_back_the_same() -> None:
    problem, ours = line_problem(), WalledWalk()
    back = GymnasiumSimulator(lambda: SimulatorEnv(problem, ours), horizon=problem.horizon)
    assert verdicts(check_simulator(problem, back, n=3, steps=9)) == {Verdict.PASS}
    one, other = ours.reset(2, np.random.default_rng(0)), back.reset(2, np.random.default_rng(0))
    for action in (0, 0, 1, 2):
        assert np.array_equal(ours.observe(one), back.observe(other))
        assert np.array_equal(ours.mask(one), back.mask(other))
        left = ours.step(one, np.full(2, action), np.random.default_rng(0))
        right = back.step(other, np.full(2, action), np.random.default_rng(0))
        assert {name: values.tolist() for name, values in left.signals.items()} == {
            name: values.tolist() for name, values in right.signals.items()
        }
        one, other = left.state, right.state


def test_the_problem_has_the_spaces_bounds_and_names() -> None:
    problem = problem_of("Reacher-v5", "arm", labels=["shoulder", "elbow"])
    assert problem.action == Box(("shoulder", "elbow"), ("", ""), (-1.0, -1.0), (1.0, 1.0))
    assert (problem.name, problem.horizon, len(problem.observation)) == ("arm", 50, 10)
    cart = problem_of("CartPole-v1", features=["x", "v", "angle", "turn"])
    assert cart.feature_names == ("x", "v", "angle", "turn")
    assert cart.observation[0].high == pytest.approx(4.8)
    assert cart.action == Discrete(("0", "1"))
    assert corridor_problem(GymnasiumSimulator(Corridor, horizon=9)).action == Discrete(("1", "2"))


def test_spaces_and_names_that_do_not_fit_are_refused_with_the_fix() -> None:
    class Free(Corridor):
        action_space = spaces.Box(-np.inf, np.inf, (2,))  # type: ignore[assignment]

    with pytest.raises(ProjectError, match="expected 4 features; found 1"):
        problem_of("CartPole-v1", features=["x"])
    with pytest.raises(ProjectError, match="expected 2 labels; found 1"):
        problem_of("CartPole-v1", labels=["x"])
    with pytest.raises(ProjectError, match="RescaleAction"):
        problem_of(GymnasiumSimulator(Free, horizon=2), signals=[])
    with pytest.raises(ProjectError, match=r"signals \['cell', 'cost'\]"):
        problem_of(GymnasiumSimulator(Corridor, horizon=2))


def test_signals_that_come_and_go_are_named_with_their_world() -> None:
    class Fickle(Corridor):
        def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
            seen, reward, terminated, truncated, info = super().step(action)
            return seen, reward, terminated, truncated, {} if info["cost"] < 0.5 else info

    world = GymnasiumSimulator(Fickle, horizon=9)
    with pytest.raises(ProjectError, match=r"found \[.*\] in world \d; in the environment .*Fickle; to do: give every"):
        steps(world, world.reset(8, np.random.default_rng(0)), 1)


def test_the_version_changes_with_code_and_levels() -> None:
    versions = {
        GymnasiumSimulator(Corridor).version, GymnasiumSimulator(Short).version,
        GymnasiumSimulator(Corridor, levels={"hard": {"x": 1}}).version, GymnasiumSimulator("Reacher-v5").version,
    }  # fmt: skip
    assert len(versions) == 4
    assert GymnasiumSimulator(Corridor).version in versions


def test_a_level_is_the_environments_own_arguments() -> None:
    world = GymnasiumSimulator("FrozenLake-v1", levels={"easy": {"is_slippery": False}})
    state = world.reset(5, np.random.default_rng(0), "easy")
    assert world.observe(steps(world, state, 2).state).argmax(axis=1).tolist() == [1] * 5


def test_a_learner_steps_and_restarts_it_without_setting_worlds_up_again() -> None:
    world = GymnasiumSimulator("CartPole-v1", horizon=20)
    env = SimulatorVecEnv(problem_of(world), world, 4, seed=0)
    env.reset()
    ended = sum(int(env.step(np.zeros(4, dtype=int))[2].sum()) for _ in range(60))
    assert ended > 20
    assert world.made <= 12  # four that began, four that run, and four that begin while those are still held


def test_a_gymnasium_world_passes_gymnasiums_own_check_when_it_goes_out_again() -> None:
    world = GymnasiumSimulator("FrozenLake-v1")
    check_env(SimulatorEnv(problem_of(world), world), skip_render_check=True)


def broken(**answers: Any) -> Any:
    """A corridor that answers with something else: `reset` or `step` as given."""

    class Broken(Corridor):
        pass

    for name, answer in answers.items():
        setattr(Broken, name, answer)
    return lambda: Broken()


@pytest.mark.parametrize(("env", "words"), [
    (broken(step=lambda self, action: 1 / 0), r"found ZeroDivisionError: .*of seed 4, step 0, raised at .*py:"),
    (broken(step=lambda self, action: (0, 1.0, False, {})), "expected step.* to give observation, reward, term.*got 4"),
    (broken(step=lambda self, action: (0, None, False, False, {})), "found TypeError: float.*NoneType.*seed 4, step 0"),
    (broken(reset=lambda self, **_: 0), r"expected reset\(seed=..., options=...\) to give.*unpack"),
    (broken(observation_space=spaces.Box(0, 9, (2,)), reset=lambda self, **_: (np.zeros(3), {})),
     r"expected an observation of 2 numbers; found 3, of shape \(3,\).*Box\(0.0, 9.0, \(2,\)"),
    (lambda: None, "expected an Env or a VectorEnv from the factory .*found NoneType"),
    (lambda: 1 / 0, "expected an environment; found ZeroDivisionError.*test_gymnasium_world.py:"),
], ids=["step raises", "four", "no reward", "no info", "shape", "nothing made", "make raises"])  # fmt: skip
def test_whatever_an_environment_gives_or_raises_is_told_with_world_step_and_line(env: Any, words: str) -> None:
    world = GymnasiumSimulator(env, horizon=9)
    with pytest.raises(ProjectError, match=words):
        steps(world, world.seeded([4]), 1)
