"""Registered Gymnasium ids, `MODULE:ID` among them: the module is imported first, so that it can register its own."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import Error as GymnasiumError

from tenure.core.errors import ProjectError

WHERE = "the Gymnasium id"


def spec_of(name: str) -> EnvSpec:
    """The registration of an id such as `CartPole-v1`, or `my_envs:Town/Shop-v0` of a module that registers it.

    Raises:
        ProjectError: no such id, no such module, or the module cannot be imported.
    """
    module, _, identifier = name.rpartition(":")
    if module:
        _import(module, name)
    try:
        return gymnasium.spec(identifier)
    except GymnasiumError as error:
        found = f"{identifier!r}: {error}" if not module else f"{error}, after importing {module!r}"
        raise ProjectError(
            expected="a registered Gymnasium id", found=found, where=WHERE, fix=_fix(module, identifier)
        ) from error


def _import(module: str, name: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise _broken(module, error) from error
        raise ProjectError(
            expected=f"a module {module!r}, in the current folder {Path.cwd()} or installed",
            found="no such module",
            where=f"{WHERE} {name!r}",
            fix=f"run the command in the folder in which {module.partition('.')[0]}.py lies, or set PYTHONPATH to it",
        ) from error
    except Exception as error:
        raise _broken(module, error) from error


def _broken(module: str, error: Exception) -> ProjectError:
    expected, found = f"a module {module!r} that can be imported", f"{type(error).__name__}: {error}"
    return ProjectError(expected=expected, found=found, where=raised_at(error), fix="mend the line that raised it")


def raised_at(error: BaseException) -> str:
    """File and line that raised an error; of a syntax error, the line that is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def _fix(module: str, identifier: str) -> str:
    if not module:
        return f"see gymnasium.registry for the ids; of your own module give both, such as my_envs:{identifier}"
    own = sorted(spec.id for spec in gymnasium.registry.values() if _made_by(spec, module))
    there = f"it registers {own}" if own else "it registers none"
    return f"{there}; add gymnasium.register({identifier!r}, entry_point={module + ':MyEnv'!r}) to it"


def _made_by(spec: EnvSpec, module: str) -> bool:
    points = (spec.entry_point, spec.vector_entry_point)
    named = [point if isinstance(point, str) else f"{getattr(point, '__module__', '')}:" for point in points if point]
    return any(name.partition(":")[0] == module for name in named)
