"""Which actions are allowed, what takes the place of one that is not, and random ones for checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import ProjectError
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State
from tenure.core.spaces import Discrete

Actions = npt.NDArray[Any]
"""Indices [n] of a `Discrete` space, or vectors [n, numbers] of a `Box`."""


def allowed_actions(problem: Problem, simulator: Simulator, state: State, observation: Floats) -> Bools | None:
    """What the simulator's `mask` (where it has one) and the problem's constraints leave.

    Args:
        problem: states the constraints.
        simulator: may have a method `mask(state)` giving bool [n, actions].
        state: n worlds.
        observation: what is seen of them, float32 [n, features].

    Returns:
        bool [n, actions]; None when everything is allowed, as in any `Box`.

    Raises:
        ProjectError: of another shape, or a world is left with no action at all.
    """
    if not isinstance(problem.action, Discrete):
        return None
    mask = getattr(simulator, "mask", None)
    allowed = problem.allowed(observation, None if mask is None else mask(state))
    if allowed is not None:
        _check_allowed(problem, allowed, (len(observation), problem.action.size))
    return allowed


def is_masked(problem: Problem, simulator: Simulator) -> bool:
    """Whether anything ever forbids an action: a constraint of the problem, or a `mask` of the simulator."""
    return isinstance(problem.action, Discrete) and bool(problem.constraints or hasattr(simulator, "mask"))


def _check_allowed(problem: Problem, allowed: Bools, shape: tuple[int, int]) -> None:
    where = f"problem {problem.name!r}, its constraints and the simulator's mask"
    fix = "return bool [n, actions] and leave every world at least one action"
    if allowed.shape != shape or allowed.dtype != bool:
        raise ProjectError(expected=f"bool {shape}", found=f"{allowed.dtype} {allowed.shape}", where=where, fix=fix)
    stuck = np.flatnonzero(~allowed.any(axis=1))
    if len(stuck):
        found = f"none in world {stuck[0]}"
        raise ProjectError(expected="an allowed action in every world", found=found, where=where, fix=fix)


def nearest_allowed(action: Ints, allowed: Bools) -> Ints:
    """The same actions, each that is not allowed replaced by the allowed index nearest to it.

    Args:
        action: indices, [n].
        allowed: bool [n, actions], at least one per row.

    Returns:
        indices, [n]; of two equally near the smaller one.
    """
    rows = np.flatnonzero(~allowed[np.arange(len(action)), action])
    distance = np.abs(np.arange(allowed.shape[1]) - action[rows, None]).astype(float)
    distance[~allowed[rows]] = np.inf
    result = action.copy()
    result[rows] = distance.argmin(axis=1)
    return result


def random_actions(problem: Problem, n: int, rng: np.random.Generator, allowed: Bools | None = None) -> Actions:
    """n actions, each equally likely among those allowed; [n], or [n, numbers] for a `Box`."""
    if not isinstance(problem.action, Discrete):
        return rng.uniform(problem.action.low, problem.action.high, (n, len(problem.action.low)))
    if allowed is None:
        return rng.integers(problem.action.size, size=n)
    return np.asarray(np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=1))
