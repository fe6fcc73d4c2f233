"""A recorded walk of random actions through a simulator, for checks to read afterwards."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Floats
from tenure.core.errors import ProjectError, TenureError
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State, Step
from tenure.simulators.actions import Actions, allowed_actions, random_actions
from tenure.simulators.batch import Fields, fields_of, put, size


@dataclass(frozen=True)
class Frame:
    """One step: the state given, what came of it, and the fields of both copied before anything touched them.

    Args:
        state: as it was given.
        before: its fields.
        observation: what was seen.
        action: what was done.
        step: what came of it.
        after: the fields of the state after.
        chance: the generator's state before the step.
        drew: the step drew from it.
    """

    state: State
    before: Fields
    observation: Floats
    action: Actions
    step: Step
    after: Fields
    chance: Mapping[str, Any]
    drew: bool


@dataclass
class Walk:
    """What a walk met, as far as it came.

    Args:
        observations: what was seen before each step, the failed one too.
        masks: the simulator's own mask before each step, the failed one too; empty without one.
        frames: the steps that worked.
        broke: the sentence of the exception that ended it early; empty when it came to its end.
        fix: what its error says is to do; empty where it says nothing.
        global_chance: whose global generators were used.
    """

    observations: list[Floats] = field(default_factory=list)
    masks: list[Any] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    broke: str = ""
    fix: str = ""
    global_chance: tuple[str, ...] = ()


def walk(problem: Problem, simulator: Simulator, n: int, steps: int, seed: int, level: str = "normal") -> Walk:
    """Random allowed actions in n worlds for so many steps; an exception ends the walk and is recorded."""
    found, plain = np.random.get_state(legacy=False), random.getstate()
    record = Walk()
    try:
        _go(problem, simulator, n, steps, seed, level, record)
    except TenureError as error:
        sentence = f"expected {error.expected}; found {error.found}; in {error.where}"
        record.broke, record.fix = f"{type(error).__name__} at step {len(record.frames)}: {sentence}", error.fix
    except (Exception, SystemExit) as error:
        record.broke = f"{type(error).__name__} at step {len(record.frames)}: {error}{raised_at(error)}"
    used = {
        "NumPy's": not _same_generator(found, np.random.get_state(legacy=False)),
        "Python's": plain != random.getstate(),
    }
    record.global_chance = tuple(whose for whose, changed in used.items() if changed)
    return record


@contextmanager
def global_chance_kept() -> Iterator[None]:
    """Leave NumPy's and Python's global generators as they were found, whatever a broken simulator does to them."""
    found, plain = np.random.get_state(legacy=False), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(found)
        random.setstate(plain)


def raised_at(error: BaseException) -> str:
    """File and line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})"


def _go(problem: Problem, simulator: Simulator, n: int, steps: int, seed: int, level: str, record: Walk) -> None:
    worlds, choices, chance = (np.random.default_rng([seed, stream]) for stream in range(3))
    state = simulator.reset(n, worlds, level)
    mask = getattr(simulator, "mask", None)
    for _ in range(steps):
        _check_size(state, n)
        before = _copied(state)
        # A copy, because a broken simulator may show its own state and change it later.
        observation = deepcopy(simulator.observe(state))
        record.observations.append(observation)
        if mask is not None:
            record.masks.append(deepcopy(mask(state)))
        action = random_actions(problem, n, choices, allowed_actions(problem, simulator, state, observation))
        seen = chance.bit_generator.state
        step = given_step(simulator.step(state, action, chance))
        drew = seen != chance.bit_generator.state
        record.frames.append(Frame(state, before, observation, action, step, _copied(step.state), seen, drew))
        state = _restarted(simulator, step, n, worlds, level)


def given_step(step: object) -> Step:
    """What `step` gave, once it is a Step.

    Raises:
        ProjectError: it is something else.
    """
    if isinstance(step, Step):
        return step
    fix = "end `step` with return Step(state, signals, terminated), from tenure"
    raise ProjectError(expected="a tenure.Step", found=type(step).__name__, where="what `step` gives", fix=fix)


def _restarted(simulator: Simulator, step: Step, n: int, worlds: np.random.Generator, level: str) -> State:
    terminated = np.asarray(step.terminated)
    if terminated.shape != (n,) or not terminated.any():
        return step.state
    ended = np.flatnonzero(terminated)
    return put(step.state, ended, simulator.reset(len(ended), worlds, level))


def _copied(state: State) -> Fields:
    return {name: values.copy() for name, values in fields_of(state).items()}


def _check_size(state: State, n: int) -> None:
    if size(state) != n:
        raise ProjectError(
            expected=f"{n} worlds",
            found=f"{size(state)}",
            where=f"{type(state).__name__}",
            fix="give back as many worlds as were asked for or given",
        )


def _same_generator(one: Any, other: Any) -> bool:
    return one["state"]["pos"] == other["state"]["pos"] and np.array_equal(one["state"]["key"], other["state"]["key"])


def difference(
    one: Mapping[str, npt.NDArray[Any]],
    other: Mapping[str, npt.NDArray[Any]],
    close: bool = False,
    worlds: Sequence[int] | npt.NDArray[Any] | None = None,
) -> str:
    """The first field and world in which two sets of arrays differ, in words; empty when they agree.

    Args:
        one: arrays by name; the first axis is the world.
        other: arrays of the same names.
        close: floats may differ by rounding (1e-5 of their size).
        worlds: number of each world, for the words; default 0, 1, ...
    """
    if one.keys() != other.keys():
        return f"{sorted(one)} became {sorted(other)}"
    for name, values in one.items():
        left, right = np.atleast_1d(values), np.atleast_1d(other[name])
        if left.shape != right.shape:
            return f"{name!r} has shape {left.shape} and {right.shape}"
        apart = ~_equal(left, right, close).reshape(len(left), -1).all(axis=1)
        if apart.any():
            world = int(apart.argmax())
            number = world if worlds is None else worlds[world]
            return f"{name!r} of world {number} is {left[world]} and {right[world]}"
    return ""


def _equal(left: npt.NDArray[Any], right: npt.NDArray[Any], close: bool) -> npt.NDArray[np.bool_]:
    if close and left.dtype.kind == "f" and right.dtype.kind == "f":
        return np.asarray(np.isclose(left, right, rtol=1e-5, atol=1e-8, equal_nan=True), dtype=bool)
    # A NaN is the one value that differs from itself.
    return np.asarray((left == right) | ((left != left) & (right != right)), dtype=bool)
