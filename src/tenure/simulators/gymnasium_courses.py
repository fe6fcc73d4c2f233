"""Gymnasium environments as values: what was done since a seed is the state, and any past state can be had again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProjectError
from tenure.simulators.gymnasium_ids import raised_at
from tenure.simulators.gymnasium_vectors import OnlyWorld

Env = gymnasium.Env[Any, Any]

RESET = "reset(seed=..., options=...) to give an observation and an info"
STEP = "step(action) to give observation, reward, terminated, truncated and info"
Measure = Callable[[float, Mapping[str, Any], int], Mapping[str, float]]
"""From the reward and the info of a step, and how many steps went before it, to its signals."""


def measured(reward: float, info: Mapping[str, Any], before: int) -> Mapping[str, float]:
    """`info["signals"]` where given, else `reward`, and `started`, 1 in an episode's first step; `cost` from `info`.

    >>> measured(1.0, {"cost": 0.5}, 0)
    {'reward': 1.0, 'started': 1.0, 'cost': 0.5}
    """
    signals = dict(info.get("signals", {"reward": reward, "started": before == 0}))
    if "cost" in info:
        signals.setdefault("cost", info["cost"])
    return {name: float(value) for name, value in signals.items()}


@dataclass(frozen=True)
class Moment:
    """One world between two decisions.

    Args:
        observation: what is seen, flattened, float32 [features].
        allowed: actions allowed next, bool [actions]; empty for a `Box`.
        signals: what the step to here brought; empty after a reset.
        terminated: the world ended by itself.
    """

    observation: Floats
    allowed: Bools
    signals: Mapping[str, float]
    terminated: bool


class Pool:
    """Environments of one kind, made when none is free and used again when their world is forgotten.

    Args:
        make: makes a fresh environment.
        measure: gives the signals of a step.
        horizon: step at which the environment may truncate; None when it never does.
    """

    def __init__(self, make: Callable[[], Env], measure: Measure, horizon: int | None) -> None:
        self.make, self.measure, self.horizon = make, measure, horizon
        self.made = 0
        self._free: list[Env] = []

    def take(self) -> Env:
        """A free environment, in whatever state it was left."""
        if self._free:
            return self._free.pop()
        self.made += 1
        return self.make()

    def give(self, env: Env) -> None:
        """Back for the next world."""
        self._free.append(env)

    def close(self) -> None:
        """Close the environments that are free."""
        while self._free:
            self._free.pop().close()  # type: ignore[no-untyped-call]


class Course:
    """One world since its seed: the actions taken, and the environment that stands where they lead.

    A course grows at its end. Stepped from an earlier age it stays as it is, and a second course is made by
    the same seed and actions; an environment that then shows something else is not decided by its seed.
    """

    def __init__(self, pool: Pool, seed: int) -> None:
        self._pool, self.seed = pool, seed
        self.actions: list[npt.NDArray[Any]] = []
        self._env = pool.take()
        self.last = self._asked(self._begun, RESET)

    def __del__(self) -> None:
        if hasattr(self, "_env"):
            self._pool.give(self._env)

    def __eq__(self, other: object) -> bool:
        """Both have one seed, and one goes on where the other ends."""
        if not isinstance(other, Course):
            return NotImplemented
        pairs = zip(self.actions, other.actions, strict=False)
        return self.seed == other.seed and all(np.array_equal(one, two) for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"the course of seed {self.seed}"

    def step(self, age: int, action: npt.NDArray[Any], seen: Floats) -> tuple[Course, int, Moment]:
        """One decision at an age: the course it lies on, the age after it, and what it brought.

        An ended world stays as it is: age and observation as before, every signal 0.

        Raises:
            ProjectError: an earlier age cannot be had again, or the environment cuts an episode short.
        """
        if age == len(self.actions):
            return self._grown(action)
        if age == len(self.actions) - 1 and np.array_equal(action, self.actions[-1]):
            return self, age + 1, self.last
        return self._restored(age, seen).step(age, action, seen)

    def _grown(self, action: npt.NDArray[Any]) -> tuple[Course, int, Moment]:
        age, last = len(self.actions), self.last
        if last.terminated:
            return self, age, Moment(last.observation, last.allowed, dict.fromkeys(last.signals, 0.0), terminated=True)
        self.last = self._asked(lambda: self._acted(action), STEP)
        self.actions.append(np.array(action))
        return self, age + 1, self.last

    def _begun(self) -> Moment:
        seen, info = self._env.reset(seed=self.seed)
        return self._moment(seen, info, {}, terminated=False)

    def _acted(self, action: npt.NDArray[Any]) -> Moment:
        age = len(self.actions)
        seen, reward, terminated, truncated, info = self._env.step(_given(self._env.action_space, action))
        if truncated and not terminated:
            self._check_limit(age + 1)
        signals = self._pool.measure(float(reward), info, age)
        return self._moment(seen, info, signals, terminated=bool(terminated))

    def _asked(self, ask: Callable[[], Moment], expected: str) -> Moment:
        """What the environment answers; whatever it raises is told with the world, the step and the line."""
        try:
            return ask()
        except ProjectError:
            raise
        except Exception as error:
            raise ProjectError(
                expected=expected,
                found=f"{type(error).__name__}: {error}",
                where=f"{self._place()}, raised at {raised_at(error)}",
                fix="mend the line that raised it, or what the environment gives back there",
            ) from error

    def _place(self) -> str:
        return f"the Gymnasium environment {_named(self._env)}, the world of seed {self.seed}, step {len(self.actions)}"

    def _restored(self, age: int, seen: Floats) -> Course:
        again = Course(self._pool, self.seed)
        for action in self.actions[:age]:
            again._grown(action)
        if not np.array_equal(again.last.observation, seen, equal_nan=True):
            raise ProjectError(
                expected=f"the same observation by the same seed and {age} actions, {seen.tolist()}",
                found=f"{again.last.observation.tolist()}",
                where=f"the Gymnasium environment {_named(self._env)}",
                fix="draw all chance from the environment's `self.np_random`, and let reset(seed=...) set everything",
            )
        return again

    def _moment(self, seen: Any, info: Mapping[str, Any], signals: Mapping[str, float], *, terminated: bool) -> Moment:
        flat = np.asarray(spaces.flatten(self._env.observation_space, seen), dtype=np.float32)
        numbers = spaces.flatdim(self._env.observation_space)
        if flat.shape != (numbers,):
            found = f"{flat.size}, of shape {np.shape(seen)}"
            fix = f"give what observation_space says, {self._env.observation_space}"
            raise ProjectError(
                expected=f"an observation of {numbers} numbers", found=found, where=self._place(), fix=fix
            )
        return Moment(flat, _allowed(self._env, info), signals, terminated)

    def _check_limit(self, age: int) -> None:
        horizon = self._pool.horizon
        if horizon is None or age < horizon:
            raise ProjectError(
                expected=f"no time limit before step {'any' if horizon is None else horizon}",
                found=f"truncated at step {age}",
                where=f"the Gymnasium environment {_named(self._env)}",
                fix=f"give its time limit, GymnasiumSimulator(..., horizon={age}), or return terminated where the "
                "world ends by itself",
            )


def _given(space: spaces.Space[Any], action: npt.NDArray[Any]) -> Any:
    if isinstance(space, spaces.Discrete):
        return int(space.start) + int(action)
    return np.asarray(action, dtype=space.dtype).reshape(space.shape or ())


def _allowed(env: Env, info: Mapping[str, Any]) -> Bools:
    if not isinstance(env.action_space, spaces.Discrete):
        return np.zeros(0, dtype=bool)
    mask = info.get("action_mask")
    return np.ones(int(env.action_space.n), dtype=bool) if mask is None else np.asarray(mask).astype(bool)


def _named(env: Env) -> str:
    if env.spec is not None:
        return env.spec.id
    inner = env.unwrapped
    return type(inner.env.unwrapped if isinstance(inner, OnlyWorld) else inner).__name__
