"""From what a user has (an id, a factory, an `Env` or a `VectorEnv`) to a maker of single environments."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import DependencyNotInstalled, UnregisteredEnv
from gymnasium.error import Error as GymnasiumError
from gymnasium.vector import VectorEnv

from tenure.core.errors import ProjectError
from tenure.simulators.gymnasium_courses import Env

OF_VECTORS = frozenset({"num_envs", "vectorization_mode", "max_episode_steps"})
"""What the registration of a vector says besides the arguments of its environments."""

Source = str | Env | VectorEnv[Any, Any, Any] | Callable[..., Env]


@dataclass(frozen=True)
class Maker:
    """Makes one fresh environment a call.

    Args:
        make: the factory; takes the keyword arguments of a level.
        horizon: the time limit of its registration; None where it has none.
        name: what it is called in reports.
    """

    make: Callable[..., Env]
    horizon: int | None
    name: str


def maker_of(source: Source) -> Maker:
    """How to make worlds of it; those of an `Env` or `VectorEnv` object are made by its own registration or copied.

    The registered time limit is left off, because in Tenure it is the problem's horizon.

    Raises:
        ProjectError: no such id, something it needs is not installed, or single worlds cannot be made of it.
    """
    if isinstance(source, str):
        return _registered(_spec(source), {})
    if isinstance(source, VectorEnv):
        return _of_vector(source)
    if isinstance(source, gymnasium.Env):
        return _of_env(source)
    if not callable(source):
        raise _cannot(source, "an id, a factory, an Env or a VectorEnv", "give one of these")
    return Maker(source, None, getattr(source, "__qualname__", type(source).__name__))


def version_of(maker: Maker, levels: Mapping[str, Any], env: Env) -> str:
    """Hash of the environment's code, its registration, Gymnasium's version and the levels."""
    parts = [gymnasium.__version__, maker.name, repr(sorted(levels.items())), repr(maker.horizon)]
    layer: Any = env
    while layer is not None:
        parts.append(_source(type(layer)))
        layer = getattr(layer, "env", None)
    if env.spec is not None:
        parts.append(repr(sorted(env.spec.kwargs.items())))
    if hasattr(env.unwrapped, "model"):
        parts.append(f"mujoco {metadata.version('mujoco')}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return kind.__qualname__


def _spec(name: str) -> EnvSpec:
    try:
        return gymnasium.spec(name)
    except GymnasiumError as error:
        fix = "see gymnasium.registry for the ids, and import the package that registers this one"
        raise ProjectError(
            expected="a registered Gymnasium id", found=f"{name!r}: {error}", where="GymnasiumSimulator", fix=fix
        ) from error


def _registered(spec: EnvSpec, settings: Mapping[str, Any]) -> Maker:
    def make(**level: Any) -> Env:
        try:
            # -1 leaves the time limit off; the checker would warn of what `check_simulator` tests.
            return gymnasium.make(spec, max_episode_steps=-1, disable_env_checker=True, **settings, **level)
        except (DependencyNotInstalled, UnregisteredEnv) as error:
            raise ProjectError(
                expected=f"everything {spec.id} needs",
                found=str(error),
                where=f"gymnasium.make({spec.id!r})",
                fix="install it; for MuJoCo environments: pip install mujoco",
            ) from error

    return Maker(make, spec.max_episode_steps, spec.id)


def _of_env(env: Env) -> Maker:
    spec = env.spec
    if spec is not None and all(wrapper.kwargs is not None for wrapper in spec.additional_wrappers):
        return _registered(spec, {})
    try:
        first = deepcopy(env)
    except Exception as error:
        raise _cannot(env, f"an Env that can be copied ({error})", "give a factory, lambda: MyEnv(...)") from error
    return Maker(partial(deepcopy, first), _limit(spec), type(env.unwrapped).__name__)


def _of_vector(env: VectorEnv[Any, Any, Any]) -> Maker:
    factories, spec = getattr(env.unwrapped, "env_fns", None), env.spec
    if factories:
        return Maker(factories[0], _limit(spec), f"{type(env.unwrapped).__name__}")
    if spec is None:
        fix = "give the factory of one of its environments instead"
        raise _cannot(env, "a VectorEnv with `env_fns` or a registration", fix)
    settings = {name: value for name, value in spec.kwargs.items() if name not in OF_VECTORS}
    return _registered(_spec(spec.id), settings)


def _limit(spec: EnvSpec | None) -> int | None:
    return None if spec is None else spec.max_episode_steps


def _cannot(found: object, expected: str, fix: str) -> ProjectError:
    return ProjectError(expected=expected, found=type(found).__name__, where="GymnasiumSimulator", fix=fix)
