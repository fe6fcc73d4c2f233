"""Contract tests of form: what is seen, allowed and measured has the right type, shape and range in every world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.spaces import Discrete
from tenure.simulators.check_case import Break, Case

ROWS = "one row per world and one column per feature of problem.py, in its order"


def observations(case: Case) -> Break | None:
    """float32 [n, features], finite, within the features' bounds."""
    features = case.problem.observation
    for index, seen in enumerate(case.first.observations):
        found = form(seen, (case.n, len(features)), np.dtype(np.float32), ROWS)
        if found:
            return Break(f"the observation at step {index} {found.found}", found.fix)
        for column, feature in enumerate(features):
            found = outside(seen[:, column], feature.low, feature.high)
            if found:
                return Break(f"feature {feature.name!r} at step {index}: {found.found}", found.fix)
    return None


def signals(case: Case) -> Break | None:
    """Exactly those declared, float64 [n], finite, within their bounds."""
    declared = case.problem.signal_names
    for index, frame in enumerate(case.first.frames):
        given = frame.step.signals
        for what, names in (("not declared", given.keys() - declared), ("missing", declared - given.keys())):
            if names:
                fix = "let step give exactly the signals of problem.py"
                return Break(f"signal {min(names)!r} at step {index} is {what}", fix)
        found = _signal_values(case, given)
        if found:
            return Break(f"{found.found} at step {index}", found.fix)
    return None


def _signal_values(case: Case, given: Mapping[str, npt.NDArray[Any]]) -> Break | None:
    for signal in case.problem.signals:
        values = given[signal.name]
        found = form(values, (case.n,), np.dtype(np.float64), "one number per world")
        found = found or outside(values, signal.low, signal.high)
        if found:
            return Break(f"signal {signal.name!r} {found.found}", found.fix)
    return None


def terminated(case: Case) -> Break | None:
    """bool [n]."""
    for index, frame in enumerate(case.first.frames):
        found = form(frame.step.terminated, (case.n,), np.dtype(bool), "one flag per world")
        if found:
            return Break(f"'terminated' at step {index} {found.found}", found.fix)
    return None


def mask(case: Case) -> Break | None:
    """bool [n, actions], at least one action in every world."""
    if not isinstance(case.problem.action, Discrete):
        return None
    shape = (case.n, case.problem.action.size)
    for index, allowed in enumerate(case.first.masks):
        found = form(allowed, shape, np.dtype(bool), "one row per world and one column per action")
        if found:
            return Break(f"the mask at step {index} {found.found}", found.fix)
        stuck = np.flatnonzero(~allowed.any(axis=1))
        if len(stuck):
            fix = "leave every world at least one action, such as to do nothing"
            return Break(f"the mask at step {index} allows nothing in world {stuck[0]}", fix)
    return None


def form(values: object, shape: tuple[int, ...], dtype: np.dtype[Any], layout: str) -> Break | None:
    """Whether it is an array of that shape and type."""
    if not isinstance(values, np.ndarray):
        return Break(f"is {type(values).__name__}, not an array", f"return a NumPy array: {layout}")
    found = f"is {values.dtype} {values.shape}, not {dtype} {shape}"
    if values.shape != shape:
        return Break(found, f"give {layout}")
    return Break(found, f"end with .astype(np.{_word(dtype)})") if values.dtype != dtype else None


def _word(dtype: np.dtype[Any]) -> str:
    return "bool_" if dtype.kind == "b" else dtype.name


def outside(values: npt.NDArray[Any], low: float, high: float) -> Break | None:
    """Whether every value is finite and within bounds.

    NumPy rounds the bounds to the array's own precision, so a float32 0.1 is not above a bound of 0.1.
    """
    wrong = ~np.isfinite(values) | (values < low) | (values > high)
    if not wrong.any():
        return None
    world = int(wrong.argmax())
    lost = "look for a division by 0 or a value that was never set"
    fix = "mend it where it is made, or widen its bounds in problem.py" if np.isfinite(values[world]) else lost
    return Break(f"is {values[world]} in world {world}, not within {low:g} to {high:g}", fix)
