"""From named features to the observation vector, and from labels to actions; wrong input stops here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter, le

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError, RequestError
from tenure.core.problem import Problem
from tenure.core.spaces import Action, Box, Discrete, Feature
from tenure.serving.wire import DecisionRequest, Named

LARGEST = float(np.finfo(np.float32).max)
"""Largest value an observation can hold."""


class Reader:
    """Reads requests of one problem.

    Raises:
        ProblemError: the problem's actions are vectors without bounds, or with constraints.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.space = problem, problem.action
        if isinstance(self.space, Box):
            _check_servable(problem, self.space)
        self.labels = self.space.labels if isinstance(self.space, Discrete) else ()
        """Of the actions; empty where they are vectors."""
        self.word = self.space.word
        self._index = {label: index for index, label in enumerate(self.labels)}
        self._features = [(f.name, f.default, max(f.low, -LARGEST), min(f.high, LARGEST)) for f in problem.observation]
        self._names = frozenset(problem.feature_names)
        self._lows, self._highs = [f[2] for f in self._features], [f[3] for f in self._features]
        names = problem.feature_names
        self._all = itemgetter(*names) if len(names) > 1 else lambda context: (context[names[0]],)

    def row(self, context: Mapping[str, float]) -> Sequence[float]:
        """Feature values in the problem's order.

        Raises:
            RequestError: a feature is unknown, missing without a default, not finite, or out of its bounds.
        """
        if len(context) == len(self._features):
            try:
                given: Sequence[float] = self._all(context)
            except KeyError:
                return self._row(context)
            # NaN is neither above nor below, so that it passes neither test.
            if all(map(le, self._lows, given)) and all(map(le, given, self._highs)):
                return given
        return self._row(context)

    def _row(self, context: Mapping[str, float]) -> list[float]:
        """The same with defaults, one by one, or the error that names what is wrong."""
        values = []
        for name, default, low, high in self._features:
            value = context.get(name, default)
            if value is None or not low <= value <= high:
                raise self._wrong_feature(name, value, low, high)
            values.append(value)
        if not context.keys() <= self._names:
            raise self._unknown_feature(context)
        return values

    def observation(self, rows: Sequence[Sequence[float]]) -> Floats:
        """The rows as float32 [n, features]."""
        return np.array(rows, dtype=np.float32)

    def check_mask(self, mask: list[bool]) -> None:
        """Nothing, when a mask has one boolean per action.

        Raises:
            RequestError: it has not, or it allows no action.
        """
        if isinstance(self.space, Box):
            raise RequestError(
                expected="no mask: vectors have bounds, and all within them is allowed",
                found=f"{len(mask)} booleans",
                where="the request's mask",
                fix="leave it out",
            )
        if len(mask) != len(self.labels) or not any(mask):
            raise RequestError(
                expected=f"{len(self.labels)} booleans, at least one true",
                found=f"{len(mask)}, {sum(mask)} of them true",
                where="the request's mask",
                fix=f"send one boolean per action: {list(self.labels)}",
            )

    def masks(self, requests: Sequence[DecisionRequest]) -> Bools | None:
        """The requests' checked masks as [n, actions]; None when nobody sent one."""
        masks = [request.mask for request in requests]
        if masks.count(None) == len(masks):
            return None
        return np.array([mask or [True] * len(self.labels) for mask in masks], dtype=bool)

    def action(self, named: Named) -> Action:
        """The action that is named: by label or index, or the vector itself.

        Raises:
            RequestError: there is no such action.
        """
        if isinstance(self.space, Box):
            return self._vector(named, self.space)
        if isinstance(named, list):
            raise self._no_action(named)
        index = self._index.get(named) if isinstance(named, str) else named
        if index is None or not 0 <= index < len(self.labels):
            raise self._no_action(named)
        return index

    def _vector(self, named: Named, space: Box) -> tuple[float, ...]:
        if not isinstance(named, list) or len(named) != space.size or not space.holds(np.array(named)):
            raise self._no_action(named)
        return tuple(map(float, named))

    def _no_action(self, named: Named) -> RequestError:
        space = self.space
        if isinstance(space, Box):
            bounds = zip(space.names, space.low, space.high, strict=True)
            expected = "a list of " + ", ".join(f"{name} from {low:g} to {high:g}" for name, low, high in bounds)
        else:
            expected = f"a label of {list(self.labels)} or an index below {len(self.labels)}"
        return RequestError(
            expected=expected,
            found=repr(named),
            where="incumbent_action",
            fix="send the action your own system would take",
        )

    def _wrong_feature(self, name: str, value: float | None, low: float, high: float) -> RequestError:
        feature: Feature = next(f for f in self.problem.observation if f.name == name)
        bounds = (
            f"a number from {low:g} to {high:g}" if math.isfinite(feature.low + feature.high) else "a finite number"
        )
        return RequestError(
            expected=f"{bounds} ({feature.unit})",
            found="nothing" if value is None else repr(value),
            where=f"context, feature {name!r}",
            fix="send the feature in its own unit; leave it out only if it has a default",
        )

    def _unknown_feature(self, context: Mapping[str, float]) -> RequestError:
        return RequestError(
            expected=f"the features {list(self.problem.feature_names)}",
            found=f"also {sorted(set(context) - self._names)}",
            where="context",
            fix="leave out what the problem does not name, or add it to problem.py",
        )


def _check_servable(problem: Problem, space: Box) -> None:
    """A vector without bounds could be drawn from anywhere, and differ by no share of a range; no constraint is one."""
    if problem.constraints:
        raise ProblemError(
            expected="no constraints where actions are vectors: they forbid labels",
            found=str([each.name for each in problem.constraints]),
            where=f"problem {problem.name!r}",
            fix="state what is allowed as the bounds of the action",
        )
    if not np.isfinite([*space.low, *space.high]).all():
        raise ProblemError(
            expected="finite bounds of every number of an action that is served",
            found=f"{list(space.low)} to {list(space.high)}",
            where=f"problem {problem.name!r}, action",
            fix="state the bounds that the thing it moves has anyway",
        )
