"""One world as a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State
from tenure.simulators.actions import Actions, allowed_actions, nearest_allowed
from tenure.simulators.spaces import action_space, observation_space


class SimulatorEnv(gymnasium.Env[Floats, Any]):
    """One world; the time limit (`problem.horizon`) is a truncation.

    `info["signals"]` holds each signal of the step, `info["action_mask"]` (int8 [actions], as Gymnasium's
    `Discrete.sample` takes it; absent when everything is allowed) the actions allowed next. An action that is
    not allowed is replaced by the nearest allowed index and counted in `replaced`.

    Args:
        problem: states features, actions, reward, constraints and horizon.
        simulator: steps the world.
        level: the simulator's parameter set.
    """

    def __init__(self, problem: Problem, simulator: Simulator, *, level: str = "normal") -> None:
        self.problem, self.simulator, self.level = problem, simulator, level
        self.observation_space: spaces.Space[Any] = observation_space(problem)
        self.action_space = action_space(problem)
        self.replaced = 0
        self._state: State = None
        self._age = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """A fresh world: its observation, float32 [features], and info."""
        super().reset(seed=seed, options=options)
        self._state = self.simulator.reset(1, self.np_random, self.level)
        self._age = 0
        return self._look({})

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """One decision: observation, reward, terminated, truncated, info.

        Raises:
            ResetNeeded: no world yet.
        """
        if self._state is None:
            raise ResetNeeded("call reset() before the first step()")
        step = self.simulator.step(self._state, self._legal(np.asarray(action)[None]), self.np_random)
        self._state = step.state
        self._age += 1
        terminated = bool(step.terminated[0])
        truncated = self._age >= self.problem.horizon and not terminated
        signals = {name: float(values[0]) for name, values in step.signals.items()}
        observation, info = self._look({"signals": signals})
        return observation, float(self.problem.reward(step.signals)[0]), terminated, truncated, info

    def _look(self, info: dict[str, Any]) -> tuple[Floats, dict[str, Any]]:
        observation = self.simulator.observe(self._state)
        self._allowed = allowed_actions(self.problem, self.simulator, self._state, observation)
        if self._allowed is not None:
            info["action_mask"] = self._allowed[0].astype(np.int8)
        return observation[0], info

    def _legal(self, actions: Actions) -> Actions:
        if self._allowed is None:
            return actions
        legal = nearest_allowed(actions, self._allowed)
        self.replaced += int((legal != actions).sum())
        return legal
