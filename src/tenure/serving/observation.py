"""From named features to the observation vector, and from labels to actions; wrong input stops here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter, le

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError, RequestError
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete, Feature
from tenure.serving.wire import DecisionRequest

LARGEST = float(np.finfo(np.float32).max)
"""Largest value an observation can hold."""


class Reader:
    """Reads requests of one problem.

    Raises:
        ProblemError: the problem's actions are not discrete.
    """

    def __init__(self, problem: Problem) -> None:
        if not isinstance(problem.action, Discrete):
            raise ProblemError(
                expected="a problem with Discrete actions",
                found=type(problem.action).__name__,
                where=f"problem {problem.name!r}",
                fix="state the action as labelled choices; a Box is trained, judged and exported, but not served",
            )
        self.problem = problem
        self.labels = problem.action.labels
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

    def action(self, named: str | int) -> int:
        """Index of an action given by label or index.

        Raises:
            RequestError: there is no such action.
        """
        index = self._index.get(named) if isinstance(named, str) else named
        if index is None or not 0 <= index < len(self.labels):
            raise RequestError(
                expected=f"a label of {list(self.labels)} or an index below {len(self.labels)}",
                found=repr(named),
                where="incumbent_action",
                fix="send the action your own system would take",
            )
        return index

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
