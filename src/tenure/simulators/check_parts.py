"""Whether an object has what a simulator must have, asked before anything is run."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

from tenure.core.errors import ProjectError, TenureError
from tenure.core.evidence import Verdict
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.check import FORM, check_simulator
from tenure.simulators.room import room_for
from tenure.simulators.walk import raised_at

METHODS = {
    "reset": 'reset(self, n, rng, level="normal")',
    "panel": "panel(self, split, first_day=0, days=None)",
    "observe": "observe(self, state)",
    "step": "step(self, state, action, rng)",
}
FIELDS = {
    "version": 'a text, such as version = "ward-1", or a hash of its code',
    "levels": 'its parameter sets by name, such as levels = {"normal": None}',
}
WORLDS, STEPS = 4, 12
"""Of the short check that looks for what broke a command."""


def require_parts(simulator: object, where: str) -> None:
    """Refuse what is no simulator.

    Raises:
        ProjectError: a class instead of an object, or a method or field is missing.
    """
    if isinstance(simulator, type):
        name = simulator.__name__
        raise _wrong("an object", f"the class {name}", where, f"make one: simulator = {name}()")
    methods = [f"`def {told}`" for name, told in METHODS.items() if not callable(getattr(simulator, name, None))]
    # Looked up without being read: some are worked out when they are asked for.
    fields = [
        f"`{name}`, {told}" for name, told in FIELDS.items() if inspect.getattr_static(simulator, name, None) is None
    ]
    if methods or fields:
        missing = "; ".join((*methods, *fields))
        raise _wrong("every part of `tenure.core.Simulator`", f"none of: {missing}", where, "add what is missing")


@contextmanager
def blamed(problem: Problem, simulator: Simulator, where: str) -> Iterator[None]:
    """Where something raises that a broken simulator can be the cause of, name the promise it breaks.

    Raises:
        ProjectError: the simulator breaks its contract; else the error as it was.
    """
    try:
        yield
    except TenureError:
        raise
    except Exception as error:
        broken = _broken(problem, simulator, every=True)
        if not broken:
            raise
        found = f"{broken}; then {type(error).__name__}: {error}{raised_at(error)}"
        fix = "mend it; `tenure sim check` shows every promise"
        raise _wrong("a simulator that keeps its contract", found, where, fix) from error


def require_form(problem: Problem, simulator: Simulator, where: str) -> None:
    """Refuse a simulator that gives NaN, or other shapes, types, names or numbers than the problem says.

    A short walk is looked at, so a fault in a rare state is not found; `check_simulator` looks longer and at more.

    Raises:
        ProjectError: the first such promise that is broken, with world, field and fix.
    """
    if broken := _broken(problem, simulator, every=False):
        fix = "mend it; `tenure sim check` shows every promise"
        raise _wrong("a simulator that keeps its contract", broken, where, fix)


def _broken(problem: Problem, simulator: Simulator, *, every: bool) -> str:
    """The first promise that is broken in a short walk, of all or of form alone; empty where none is."""
    found = check_simulator(problem, simulator, room_for(simulator, WORLDS), STEPS)
    failed = (each for each in found if each.verdict is Verdict.FAIL and (every or each.gate in FORM))
    first = next(failed, None)
    return "" if first is None else f"{first.gate}: {first.reason}"


def _wrong(expected: str, found: str, where: str, fix: str) -> ProjectError:
    return ProjectError(expected=expected, found=found, where=where, fix=fix)
