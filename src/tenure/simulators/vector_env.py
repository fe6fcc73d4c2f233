"""n worlds as one Gymnasium `VectorEnv`, stepped as one batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State, Step
from tenure.simulators.actions import Actions, allowed_actions, nearest_allowed
from tenure.simulators.batch import put
from tenure.simulators.spaces import action_space, observation_space


class SimulatorVectorEnv(VectorEnv[Floats, Actions, Any]):
    """Worlds under next-step autoreset: the step after an end ignores the action and shows the fresh world.

    Infos are those of `SimulatorEnv` as arrays over worlds, each with its `_name` flags, in Gymnasium's form.
    Actions that are not allowed are replaced by the nearest allowed index and counted in `replaced`.

    Args:
        problem: states features, actions, reward, constraints and horizon.
        simulator: steps the worlds.
        n: how many worlds.
        level: the simulator's parameter set.
    """

    def __init__(self, problem: Problem, simulator: Simulator, n: int, *, level: str = "normal") -> None:
        self.problem, self.simulator, self.level = problem, simulator, level
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_modes": []}
        self.num_envs = n
        self.single_observation_space = observation_space(problem)
        self.observation_space = batch_space(self.single_observation_space, n)
        self.single_action_space = action_space(problem)
        self.action_space = batch_space(self.single_action_space, n)
        self.replaced = 0
        self._state: State = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Fresh worlds everywhere: observations, float32 [n, features], and infos."""
        super().reset(seed=seed, options=options)
        self._state = self.simulator.reset(self.num_envs, self.np_random, self.level)
        self._age = np.zeros(self.num_envs, dtype=np.int64)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self._look({})

    def step(self, actions: Actions) -> tuple[Floats, Floats, Bools, Bools, dict[str, Any]]:
        """One decision in each world that goes on, a fresh start in each that ended with the last step.

        Raises:
            ResetNeeded: no worlds yet.
        """
        if self._state is None:
            raise ResetNeeded("call reset() before the first step()")
        step, alive = self._advance(np.asarray(actions), np.flatnonzero(self._over)), ~self._over
        self._state = step.state
        self._age = np.where(alive, self._age + 1, 0)
        terminated = step.terminated & alive
        truncated = (self._age >= self.problem.horizon) & alive & ~terminated
        self._over = terminated | truncated
        observation, info = self._look(_signals_info(step, alive) if alive.any() else {})
        return observation, np.where(alive, self.problem.reward(step.signals), 0.0), terminated, truncated, info

    def _advance(self, actions: Actions, over: Ints) -> Step:
        if not len(over):
            return self.simulator.step(self._state, self._legal(actions), self.np_random)
        # The batch is stepped whole, from states that may be stepped; what ended then starts unstepped.
        fresh = self.simulator.reset(len(over), self.np_random, self.level)
        self._state = put(self._state, over, fresh)
        self._allowed = self._allowed_now(self.simulator.observe(self._state))
        step = self.simulator.step(self._state, self._legal(actions), self.np_random)
        return Step(put(step.state, over, fresh), step.signals, step.terminated)

    def _look(self, info: dict[str, Any]) -> tuple[Floats, dict[str, Any]]:
        observation = self.simulator.observe(self._state)
        self._allowed = self._allowed_now(observation)
        if self._allowed is not None:
            info["action_mask"] = self._allowed.astype(np.int8)
            info["_action_mask"] = np.ones(self.num_envs, dtype=bool)
        return observation, info

    def _allowed_now(self, observation: Floats) -> Bools | None:
        return allowed_actions(self.problem, self.simulator, self._state, observation)

    def _legal(self, actions: Actions) -> Actions:
        if self._allowed is None:
            return actions
        legal = nearest_allowed(actions, self._allowed)
        self.replaced += int(((legal != actions) & ~self._over).sum())
        return legal


def _signals_info(step: Step, alive: Bools) -> dict[str, Any]:
    signals: dict[str, Any] = {}
    for name, values in step.signals.items():
        signals[name], signals[f"_{name}"] = np.where(alive, values, 0.0), alive
    return {"signals": signals, "_signals": alive}
