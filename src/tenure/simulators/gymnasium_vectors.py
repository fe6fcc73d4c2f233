"""A `VectorEnv` of one world as the single environment it is, whatever it does by itself after an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import iterate

from tenure.core.errors import ProjectError


class OnlyWorld(gymnasium.Env[Any, Any]):
    """The world of a vector of one.

    What is shown at an end is the world's own last observation: a vector that begins anew in the same step holds it in
    `info["final_obs"]`. Past its time limit the world stands still, its signals 0, because the vector would begin anew.

    Args:
        env: a vector of one world, which says in `metadata["autoreset_mode"]` what it does after an end.

    Raises:
        ProjectError: more than one world, or nothing said.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        if env.num_envs != 1:
            fix = f"give a factory of one, lambda: {type(env.unwrapped).__name__}(num_envs=1)"
            raise _wrong(env, "one world, which can be stepped by itself", f"{env.num_envs} worlds in one batch", fix)
        self.env, self._same_step = env, _mode(env) is AutoresetMode.SAME_STEP
        self.observation_space, self.action_space = env.single_observation_space, env.single_action_space
        self.spec = env.spec
        self._limit: tuple[Any, dict[str, Any]] | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """A fresh world of that seed."""
        seen, info = self.env.reset(seed=seed, options=options)
        self._limit = None
        return self._first(seen), _of_first(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One decision."""
        if self._limit is not None:
            seen, info = self._limit
            return seen, 0.0, False, True, info
        batch = np.asarray(action, dtype=self.env.action_space.dtype)[None]
        observations, reward, terminated, truncated, infos = self.env.step(batch)
        ended, cut = bool(terminated[0]), bool(truncated[0])
        seen, info = self._first(observations), _of_first(infos)
        if (ended or cut) and self._same_step:
            seen, info = infos["final_obs"][0], _of_first(infos.get("final_info", {}))
        if cut and not ended:
            self._limit = seen, _still(info)
        return seen, float(reward[0]), ended, cut, info

    def close(self) -> None:
        """Close the vector."""
        self.env.close()

    def _first(self, seen: Any) -> Any:
        return next(iter(iterate(self.env.observation_space, seen)))


def _of_first(info: Mapping[str, Any]) -> dict[str, Any]:
    """What a vector's info says of its first world; `_name` tells for which worlds `name` was given.

    >>> _of_first({"cost": np.array([2.0]), "_cost": np.array([True]), "signals": {"sold": np.array([1.0])}})
    {'cost': np.float64(2.0), 'signals': {'sold': np.float64(1.0)}}
    """
    given = [name for name in info if not name.startswith("_") and np.ravel(info.get(f"_{name}", True))[0]]
    return {name: _one(info[name]) for name in given}


def _one(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _of_first(value)
    return value[0] if isinstance(value, np.ndarray | list | tuple) and len(value) == 1 else value


def _still(info: Mapping[str, Any]) -> dict[str, Any]:
    """The same info with nothing happening."""
    nothing = {"signals": dict.fromkeys(info["signals"], 0.0)} if "signals" in info else {}
    return {**info, **nothing, **({"cost": 0.0} if "cost" in info else {})}


def _mode(env: VectorEnv[Any, Any, Any]) -> AutoresetMode:
    found = (env.metadata or {}).get("autoreset_mode")
    if isinstance(found, AutoresetMode):
        return found
    fix = 'say it: metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}, from gymnasium.vector'
    raise _wrong(env, "a vector that says when it begins anew after an end", f"autoreset_mode {found}", fix)


def _wrong(env: VectorEnv[Any, Any, Any], expected: str, found: str, fix: str) -> ProjectError:
    return ProjectError(expected=expected, found=found, where=f"the VectorEnv {type(env.unwrapped).__name__}", fix=fix)
