"""A state as a batch: pick worlds out of it, put worlds into it, never changing the one given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Ints
from tenure.core.errors import ProjectError
from tenure.core.simulator import State

Fields = dict[str, npt.NDArray[Any]]
"""A state's arrays by name; the first axis of each is the world."""


def fields_of(state: State) -> Fields:
    """The arrays of a state by name; those of a dataclass within it as `outer.inner`.

    Raises:
        ProjectError: not a dataclass, no field, a field is no array, or first lengths differ.
    """
    named = _arrays(state, "", "the state")
    first, expected = next((name, len(values)) for name, values in named.items())
    for name, values in named.items():
        if len(values) != expected:
            found = f"{len(values)} worlds"
            raise _wrong(f"{expected} worlds, as in {first!r}", found, f"{type(state).__name__}.{name}")
    return named


def with_fields(state: State, arrays: Mapping[str, npt.NDArray[Any]]) -> State:
    """A state of the same make with other arrays, named as `fields_of` names them."""
    return _rebuilt(state, arrays, "")


def size(state: State) -> int:
    """How many worlds a state holds.

    Raises:
        ProjectError: as `fields_of`.
    """
    return len(next(iter(fields_of(state).values())))


def take(state: State, index: Ints | Bools) -> State:
    """The worlds at `index` (positions, or one flag per world) as a state of their own; always a copy.

    Raises:
        ProjectError: as `fields_of`.
    """
    return with_fields(state, {name: values[np.asarray(index)] for name, values in fields_of(state).items()})


def put(state: State, index: Ints | Bools, other: State) -> State:
    """A new state in which the worlds at `index` are those of `other`, in order.

    Raises:
        ProjectError: as `fields_of`; or `other` has other fields, or not as many worlds as `index` names.
    """
    into, new = fields_of(state), fields_of(other)
    at = np.asarray(index)
    named = int(at.sum()) if at.dtype == bool else len(at)
    if into.keys() != new.keys() or size(other) != named:
        found = f"{size(other)} worlds with fields {sorted(new)}"
        raise _wrong(f"{named} worlds with fields {sorted(into)}", found, "the worlds to put")
    return with_fields(state, {name: _replaced(values, at, new[name]) for name, values in into.items()})


def _replaced(values: npt.NDArray[Any], at: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[Any]:
    copy = values.copy()
    copy[at] = new
    return copy


def _arrays(state: State, prefix: str, where: str) -> Fields:
    if not is_dataclass(state) or isinstance(state, type) or not fields(state):
        raise _wrong("a dataclass with at least one array", type(state).__name__, where)
    named: Fields = {}
    for field in fields(state):
        value, name = getattr(state, field.name), prefix + field.name
        if is_dataclass(value) and not isinstance(value, type):
            named |= _arrays(value, f"{name}.", f"{type(state).__name__}.{field.name}")
        else:
            named[name] = _array(value, f"{type(state).__name__}.{field.name}")
    return named


def _rebuilt(state: State, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> State:
    def new(name: str, value: object) -> Any:
        return _rebuilt(value, arrays, f"{prefix}{name}.") if is_dataclass(value) else arrays[prefix + name]

    return replace(state, **{field.name: new(field.name, getattr(state, field.name)) for field in fields(state)})


def _array(value: object, where: str) -> npt.NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        found = "an array without axes" if isinstance(value, np.ndarray) else type(value).__name__
        raise _wrong("an array whose first axis is the world", found, where)
    return value


def _wrong(expected: str, found: str, where: str) -> ProjectError:
    fix = "make every field of the state a NumPy array with one entry per world, or a dataclass of such arrays"
    return ProjectError(expected=expected, found=found, where=where, fix=fix)
