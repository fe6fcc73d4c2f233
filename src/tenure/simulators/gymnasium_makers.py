"""From what a user has (an id, a factory, an `Env` or a `VectorEnv`) to a maker of single environments."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any, TypeVar

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import DependencyNotInstalled, UnregisteredEnv
from gymnasium.vector import VectorEnv

from tenure.core.errors import ProjectError
from tenure.simulators.gymnasium_courses import Env
from tenure.simulators.gymnasium_ids import raised_at, spec_of
from tenure.simulators.gymnasium_vectors import OnlyWorld

OF_VECTORS = frozenset({"num_envs", "vectorization_mode", "max_episode_steps"})
"""What the registration of a vector says besides the arguments of its environments."""

T = TypeVar("T")
Vector = VectorEnv[Any, Any, Any]
Source = str | Env | Vector | Callable[..., Env | Vector]


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
        return _registered(spec_of(source), {})
    if isinstance(source, VectorEnv):
        return _of_vector(source)
    if isinstance(source, gymnasium.Env):
        return _of_env(source)
    if not callable(source):
        raise _cannot(source, "an id, a factory, an Env or a VectorEnv", "give one of these")
    name = getattr(source, "__qualname__", type(source).__name__)
    return Maker(partial(_single, source, name), None, name)


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


def _single(source: Callable[..., Any], name: str, **level: Any) -> Env:
    """What a factory makes, as one world."""
    made = _called(lambda: source(**level), f"the factory {name}")
    if isinstance(made, VectorEnv):
        return OnlyWorld(made)
    if not isinstance(made, gymnasium.Env):
        raise _cannot(made, f"an Env or a VectorEnv from the factory {name}", "return the environment it makes")
    return made


def _registered(spec: EnvSpec, settings: Mapping[str, Any]) -> Maker:
    def make(**level: Any) -> Env:
        where = f"gymnasium.make({spec.id!r})"
        if spec.entry_point is None and spec.vector_entry_point is not None:
            return OnlyWorld(
                _called(lambda: _vector_of_one(spec, {**settings, **level}), f"gymnasium.make_vec({spec.id!r})")
            )
        # -1 leaves the time limit off; the checker would warn of what `check_simulator` tests.
        return _called(
            lambda: gymnasium.make(spec, max_episode_steps=-1, disable_env_checker=True, **settings, **level), where
        )

    return Maker(make, spec.max_episode_steps, spec.id)


def _vector_of_one(spec: EnvSpec, settings: Mapping[str, Any]) -> Vector:
    with warnings.catch_warnings():
        # Of a vector that does not say how it begins anew; `OnlyWorld` refuses that.
        warnings.simplefilter("ignore")
        return gymnasium.make_vec(spec, num_envs=1, **settings)


def _called(make: Callable[[], T], where: str) -> T:
    """What a maker gives; whatever it raises is told with the line that raised it."""
    try:
        return make()
    except ProjectError:
        raise
    except (DependencyNotInstalled, UnregisteredEnv) as error:
        fix = "install it; for MuJoCo environments: pip install mujoco"
        raise ProjectError(
            expected="everything the environment needs", found=str(error), where=where, fix=fix
        ) from error
    except Exception as error:
        raise ProjectError(
            expected="an environment",
            found=f"{type(error).__name__}: {error}",
            where=f"{where}, raised at {raised_at(error)}",
            fix="mend the line that raised it, or the entry point and arguments of the registration",
        ) from error


def _of_env(env: Env) -> Maker:
    spec = env.spec
    if spec is not None and all(wrapper.kwargs is not None for wrapper in spec.additional_wrappers):
        return _registered(spec, {})
    try:
        first = deepcopy(env)
    except Exception as error:
        raise _cannot(env, f"an Env that can be copied ({error})", "give a factory, lambda: MyEnv(...)") from error
    return Maker(partial(deepcopy, first), _limit(spec), type(env.unwrapped).__name__)


def _of_vector(env: Vector) -> Maker:
    factories, spec = getattr(env.unwrapped, "env_fns", None), env.spec
    if factories:
        name = type(env.unwrapped).__name__
        return Maker(partial(_single, factories[0], name), _limit(spec), name)
    if spec is None:
        fix = f"give a factory of one world instead, lambda: {type(env.unwrapped).__name__}(num_envs=1)"
        raise _cannot(env, "a VectorEnv with `env_fns` or a registration", fix)
    settings = {name: value for name, value in spec.kwargs.items() if name not in OF_VECTORS}
    return _registered(spec_of(spec.id), settings)


def _limit(spec: EnvSpec | None) -> int | None:
    return None if spec is None else spec.max_episode_steps


def _cannot(found: object, expected: str, fix: str) -> ProjectError:
    return ProjectError(expected=expected, found=type(found).__name__, where="GymnasiumSimulator", fix=fix)
