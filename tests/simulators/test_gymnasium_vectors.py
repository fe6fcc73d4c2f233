"""Vectors without single environments: one world of them is a world, whatever they do after an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from tenure.core import Verdict
from tenure.core.errors import ProjectError
from tenure.simulators import check_simulator
from tenure.simulators.gymnasium_problem import problem_of
from tenure.simulators.gymnasium_vectors import OnlyWorld
from tenure.simulators.gymnasium_world import GymnasiumSimulator

MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED]


class Stairs(VectorEnv[Any, Any, Any]):
    """Written as a batch alone: each step goes up by 1 to 3 stairs as chance and action say; ends above stair 9."""

    def __init__(
        self, num_envs: int = 1, max_episode_steps: int = 6, mode: AutoresetMode | None = AutoresetMode.NEXT_STEP
    ) -> None:
        self.num_envs, self.most, self.mode = num_envs, max_episode_steps, mode
        self.metadata = {"autoreset_mode": mode} if mode else {}
        self.single_observation_space = spaces.Box(0, 20, (1,), np.float32)
        self.single_action_space = spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.stair, self.age = self.np_random.integers(0, 2, self.num_envs), np.zeros(self.num_envs, dtype=int)
        self.over = np.zeros(self.num_envs, dtype=bool)
        return self._seen(), {"cost": np.zeros(self.num_envs)}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        nothing = np.zeros(self.num_envs, dtype=bool)
        if self.over.any() and self.mode is AutoresetMode.NEXT_STEP:
            return self.reset()[0], np.zeros(self.num_envs), nothing, nothing, {"cost": np.zeros(self.num_envs)}
        assert not self.over.any(), "stepped on after its end"
        self.stair, self.age = self.stair + 1 + actions * self.np_random.integers(0, 2, self.num_envs), self.age + 1
        ended, cut = self.stair > 9, self.age >= self.most
        self.over = ended | cut
        info: dict[str, Any] = {"cost": 0.5 * self.stair, "_cost": ~nothing}
        reward, seen = self.stair.astype(float), self._seen()
        if self.over.any() and self.mode is AutoresetMode.SAME_STEP:
            info = {"final_obs": np.array([seen[0], None], dtype=object)[:1], "final_info": info, "cost": np.zeros(1)}
            seen, _ = self.reset()
        return seen, reward, ended, cut & ~ended, info

    def _seen(self) -> Any:
        return self.stair[:, None].astype(np.float32)


@pytest.fixture
def registered() -> Iterator[str]:
    """An id with a vector and no single environment."""
    gymnasium.register("Test/Stairs-v0", vector_entry_point=Stairs, max_episode_steps=6)  # type: ignore[arg-type]
    yield "Test/Stairs-v0"
    del gymnasium.registry["Test/Stairs-v0"]


@pytest.mark.parametrize("mode", MODES)
def test_a_vector_of_one_keeps_the_contract_in_every_autoreset_mode(mode: AutoresetMode) -> None:
    world = GymnasiumSimulator(lambda: Stairs(max_episode_steps=12, mode=mode), horizon=12)
    findings = check_simulator(problem_of(world), world, n=4, steps=20)
    assert {finding.verdict for finding in findings} == {Verdict.PASS}, findings


@pytest.mark.parametrize("mode", MODES)
def test_at_an_end_the_worlds_own_last_observation_and_cost_are_shown(mode: AutoresetMode) -> None:
    world = OnlyWorld(Stairs(max_episode_steps=99, mode=mode))
    start, _ = world.reset(seed=3)
    stairs, ended = [float(start[0])], False
    while not ended:
        seen, reward, ended, _, info = world.step(1)
        stairs.append(float(seen[0]))
        assert (reward, info["cost"]) == (stairs[-1], stairs[-1] / 2)
    assert stairs == sorted(stairs)
    assert stairs[-1] > 9


@pytest.mark.parametrize("mode", MODES)
def test_past_its_time_limit_a_world_stands_still_instead_of_beginning_anew(mode: AutoresetMode) -> None:
    world = GymnasiumSimulator(lambda: Stairs(max_episode_steps=2, mode=mode), horizon=2)
    state = world.seeded([5])
    for _ in range(2):
        last = world.step(state, np.array([1]), np.random.default_rng(0))
        state = last.state
    after = world.step(state, np.array([1]), np.random.default_rng(0))
    assert last.signals["reward"][0] > 0
    assert world.observe(after.state)[0, 0] == last.signals["reward"][0]
    assert (after.signals["reward"][0], after.signals["cost"][0], after.terminated[0]) == (0.0, 0.0, False)


def test_an_id_that_has_a_vector_only_gives_worlds_as_any_other(registered: str) -> None:
    world = GymnasiumSimulator(registered)
    assert (world.horizon, world.name) == (6, registered)
    assert {finding.verdict for finding in check_simulator(problem_of(world), world, n=3, steps=12)} == {Verdict.PASS}
    of_object = GymnasiumSimulator(gymnasium.make_vec(registered, num_envs=5))
    assert world.observe(world.seeded([8])).tolist() == of_object.observe(of_object.seeded([8])).tolist()


def test_the_vectors_code_is_part_of_the_version(registered: str) -> None:
    class Steeper(Stairs):
        pass

    one, other = (GymnasiumSimulator(kind, horizon=6) for kind in (Stairs, Steeper))
    assert len({one.version, other.version, GymnasiumSimulator(registered).version}) == 3


def test_vectors_that_cannot_be_one_world_are_refused_with_the_fix() -> None:
    with pytest.raises(ProjectError, match=r"found 3 worlds in one batch.*lambda: Stairs\(num_envs=1\)"):
        GymnasiumSimulator(lambda: Stairs(3), horizon=6).seeded([0])
    with pytest.raises(ProjectError, match=r"found autoreset_mode None.*metadata = .*NEXT_STEP"):
        GymnasiumSimulator(lambda: Stairs(mode=None), horizon=6).seeded([0])
    with pytest.raises(ProjectError, match=r"lambda: Stairs\(num_envs=1\)"):
        GymnasiumSimulator(Stairs(2), horizon=6)
