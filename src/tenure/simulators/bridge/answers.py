"""What the process says, held against the problem: its spaces at hello, its numbers at every step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProjectError
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.simulators.bridge.talk import PROTOCOL


@dataclass(frozen=True)
class Hello:
    """What a process said of itself.

    Args:
        version: hash of its own version and all it said.
        levels: its parameter sets.
        most_worlds: how many worlds it can hold at once; None for any number.
        masks: it says which actions are allowed.
    """

    version: str
    levels: tuple[str, ...]
    most_worlds: int | None
    masks: bool


@dataclass(frozen=True)
class Seen:
    """What came of one request, a row for each world asked for.

    Args:
        observation: float32 [n, features].
        allowed: bool [n, actions]; no columns for a `Box`.
        signals: each float64 [n]; empty after a reset.
        terminated: bool [n].
    """

    observation: Floats
    allowed: Bools
    signals: Mapping[str, Floats]
    terminated: Bools


class Reader:
    """Reads answers for one problem; everything wrong is named with world, field and fix.

    Args:
        problem: declares features, actions and signals.
        where: the process, for messages.
    """

    def __init__(self, problem: Problem, where: str) -> None:
        self._problem, self._where = problem, where
        self._actions = problem.action.size if isinstance(problem.action, Discrete) else 0

    def hello(self, answer: Mapping[str, Any]) -> Hello:
        """The first answer, held against the problem.

        Raises:
            ProjectError: another protocol, or other features, signals or actions than the problem's.
        """
        action = self._problem.action
        actions = list(action.labels) if isinstance(action, Discrete) else list(action.names)
        self._same("protocol", PROTOCOL, answer.get("protocol"))
        self._same("features", list(self._problem.feature_names), answer.get("features"))
        self._same("actions", actions, answer.get("actions"))
        self._same("signals", sorted(self._problem.signal_names), _sorted(answer.get("signals")))
        levels, worlds = answer.get("levels", ["normal"]), answer.get("worlds")
        self._said("levels", levels, "a list of names, at least one", bool(levels) and _names(levels))
        self._said("worlds", worlds, "a whole number of at least 1, or no such field", worlds is None or _count(worlds))
        self._said("version", answer.get("version"), "a string", isinstance(answer.get("version", ""), str))
        told = {name: value for name, value in answer.items() if name != "id"}
        version = hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:12]
        return Hello(version, tuple(levels), worlds, bool(answer.get("masks")))

    def seen(self, answer: Mapping[str, Any], n: int, *, masks: bool, stepped: bool) -> Seen:
        """The answer to a reset or a step of n worlds.

        Raises:
            ProjectError: a field is missing, or has another shape, type or a value that is no finite number.
        """
        features = self._problem.feature_names
        shown = self._numbers(answer, "observations", (n, len(features)), features)
        allowed = np.ones((n, self._actions), dtype=bool)
        if masks and self._actions:
            allowed = self._flags(answer, "masks", (n, self._actions))
        if not stepped:
            return Seen(shown.astype(np.float32), allowed, {}, np.zeros(n, dtype=bool))
        given = answer.get("signals")
        if not isinstance(given, dict):
            raise self._wrong("'signals' as an object", repr(given), "give every signal, a list with a number a world")
        self._same("signals", sorted(self._problem.signal_names), sorted(given))
        signals = {name: self._numbers(given, name, (n,)) for name in given}
        return Seen(shown.astype(np.float32), allowed, signals, self._flags(answer, "terminated", (n,)))

    def _numbers(
        self, fields: Mapping[str, Any], name: str, shape: tuple[int, ...], columns: tuple[str, ...] = ()
    ) -> Floats:
        values = self._array(fields, name, shape, "numbers", "iuf").astype(np.float64)
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            world, *column = wrong[0]
            field = f"{name!r}, {columns[column[0]]!r}" if column else repr(name)
            fix = "look for a division by 0 or a value that was never set, and send a number"
            raise self._wrong("finite numbers", f"{values[tuple(wrong[0])]} in {field} of world {world}", fix)
        return values

    def _flags(self, fields: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Bools:
        return self._array(fields, name, shape, "true or false", "b").astype(bool)

    def _array(
        self, fields: Mapping[str, Any], name: str, shape: tuple[int, ...], what: str, kinds: str
    ) -> npt.NDArray[Any]:
        layout = "one for each world" if len(shape) == 1 else f"{shape[1]} for each world"
        expected, fix = f"{name!r} of shape {list(shape)}, {what}", f"send {what}, {layout}, in the order asked for"
        try:
            values = np.array(fields[name])
        except KeyError:
            raise self._wrong(expected, "none", fix) from None
        except ValueError:
            raise self._wrong(expected, "rows of different lengths", fix) from None
        if values.shape != shape or values.dtype.kind not in kinds:
            found = f"shape {list(values.shape)}" if values.dtype.kind in kinds else f"{values.ravel()[:1].tolist()}"
            raise self._wrong(expected, found, fix)
        return values

    def _same(self, what: str, expected: object, found: object) -> None:
        if expected != found:
            fix = f"let the process say the problem's {what} in this order, or mend problem.py"
            raise self._wrong(f"{what} {expected}", f"{found}", fix)

    def _said(self, what: str, found: object, expected: str, right: bool) -> None:
        if not right:
            raise self._wrong(f"{what!r} at hello: {expected}", repr(found), "let the process say that")

    def _wrong(self, expected: str, found: str, fix: str) -> ProjectError:
        return ProjectError(expected=expected, found=found, where=self._where, fix=fix)


def _sorted(names: object) -> object:
    return sorted(map(str, names)) if isinstance(names, list) else names


def _names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
