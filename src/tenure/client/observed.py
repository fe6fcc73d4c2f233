"""Two lines around the function that decides today start a correct log, without a server."""

from __future__ import annotations

import functools
import inspect
import math
import time
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from enum import Enum
from pathlib import Path
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

import msgspec
import numpy as np

from tenure.client.writer import Called, Came, Writer, writer_of
from tenure.core.errors import ProblemError, RequestError
from tenure.core.problem import Problem

P = ParamSpec("P")
R = TypeVar("R")


class Drawn(NamedTuple):
    """What a function that draws its action returns: the action, and the probability it was drawn with."""

    action: Any
    propensity: float


def observe(
    problem: str | Problem,
    *,
    log: Path | str | None = None,
    key: str | None = None,
    unit: str | None = None,
) -> Callable[[Callable[P, R]], Observed[P, R]]:
    """Log every decision of a function: its arguments as context, what it returns as the action, propensity 1.

    A function that draws at random returns `Drawn(action, propensity)`. The caller gets what the function returned;
    nothing that goes wrong with the log ever reaches the caller: it is counted in `lost` and said once to the logger
    `tenure.client`. Rows are committed in groups by a thread behind the calls, so a process that is killed may lose
    those of the last moment; `flush` waits for them, and a normal exit does.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> @observe("routing", log=f"{folder.name}/log.sqlite", key="order")
    ... def choose(order: str, distance_km: float) -> str:
    ...     return "bike" if distance_km < 3 else "van"
    >>> choose("o-1", 2.5)
    'bike'
    >>> choose.outcome("o-1", minutes=11.0)
    >>> choose.flush(), choose.lost
    (True, 0)
    >>> folder.cleanup()

    Args:
        problem: a name for a log without a project, or a `Problem`, whose actions and features are then used.
        log: the log file; by default log.sqlite in the problem's folder under $TENURE_HOME or .tenure.
        key: the argument that is the decision's id; without one an id is made (`Observed.last_id`).
        unit: the argument that is the sticky key; by default the decision's id.

    Raises:
        ProblemError: the function has no such argument.
    """

    def wrap(function: Callable[P, R]) -> Observed[P, R]:
        return Observed(function, problem, None if log is None else Path(log), key, unit)

    return wrap


class Observed(Generic[P, R]):
    """A function whose decisions are logged; made by `observe`. Threads and forked processes may share it."""

    def __init__(
        self, function: Callable[P, R], problem: str | Problem, log: Path | None, key: str | None, unit: str | None
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self._problem, self._log = function, problem, log
        self._names = _names(function)
        self._key, self._unit = (_checked(name, self._names, function) for name in (key, unit))
        self._encode = msgspec.json.Encoder(enc_hook=_plain).encode
        self._last: ContextVar[str | None] = ContextVar(f"last {function!r}", default=None)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns; the decision is logged behind it."""
        started = time.perf_counter_ns()
        result = self._function(*args, **kwargs)
        latency_us = (time.perf_counter_ns() - started) // 1000
        writer = self._writer
        try:
            writer.put(self._called(args, kwargs, result, latency_us))
        except Exception as error:  # the log must never stop a decision
            writer.lose(1, error)
        return result

    def outcome(self, decision_id: str | None = None, /, **signals: float) -> None:
        """What came of a decision, by name and in the problem's units; of the last one of this thread without an id.

        Only the first outcome of a decision counts; later ones are kept beside it.

        Raises:
            RequestError: no id, and no decision in this thread or task yet; or no signal.
        """
        decision_id = self.last_id() if decision_id is None else decision_id
        if decision_id is None or not signals:
            raise RequestError(
                expected="the id of a decision, and a signal",
                found=f"id {decision_id!r}, signals {sorted(signals)}",
                where="Observed.outcome",
                fix="call it as f.outcome(decision_id, minutes=31.0)",
            )
        writer = self._writer
        try:
            measured = {name: float(value) for name, value in signals.items()}
            if not all(map(math.isfinite, measured.values())):
                raise ValueError(f"signals that are no finite numbers: {signals}")
            writer.put(Came(uuid.uuid4().hex, str(decision_id), measured, time.time()))
        except (TypeError, ValueError) as error:  # the log must never stop who reports to it
            writer.lose(1, error)

    def last_id(self) -> str | None:
        """Id of the last decision of this thread or task."""
        return self._last.get()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until everything called so far is committed; False when that took longer."""
        return self._writer.flush(timeout_s)

    @property
    def lost(self) -> int:
        """Decisions and outcomes of this process that could not be logged."""
        return self._writer.lost

    @property
    def _writer(self) -> Writer:
        return writer_of(self._problem, self._log)

    def _called(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any, latency_us: int) -> Called:
        context: dict[str, Any] = dict(zip(self._names, args, strict=False)) | dict(kwargs)
        if len(context) == 1 and isinstance(only := next(iter(context.values())), Mapping):
            context = dict(only)
        decision_id = uuid.uuid4().hex if self._key is None else str(context.pop(self._key))
        unit_id = decision_id if self._unit is None else str(context.pop(self._unit))
        self._last.set(decision_id)
        action, propensity = result if isinstance(result, Drawn) else (result, 1.0)
        # Encoded now: what the caller does to its arguments later must not change what was decided on.
        body = self._encode(context)
        return Called(decision_id, unit_id, body, label_of(action), float(propensity), time.time(), latency_us)


def label_of(action: object) -> str:
    """The label of what a function returned.

    Raises:
        TypeError: neither text, whole number, boolean nor a member of an Enum.
    """
    if isinstance(action, str):
        return action
    if isinstance(action, Enum):
        return action.name
    if isinstance(action, bool | int | np.integer | np.bool_):
        return str(action)
    raise TypeError(f"an action is text, a whole number or a member of an Enum, not {type(action).__name__}")


def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(name for name, each in inspect.signature(function).parameters.items() if each.kind in kinds)


def _checked(name: str | None, names: tuple[str, ...], function: Callable[..., Any]) -> str | None:
    if name is None or name in names or len(names) == 1:
        return name
    raise ProblemError(
        expected=f"an argument of {getattr(function, '__name__', function)!s}: {list(names)}",
        found=repr(name),
        where="observe",
        fix="name the argument that holds the id",
    )


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be kept as JSON")
