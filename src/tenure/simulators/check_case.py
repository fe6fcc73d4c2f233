"""What the tests of the contract read, and how they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State, Step
from tenure.simulators.batch import with_fields
from tenure.simulators.walk import Frame, Walk


@dataclass(frozen=True)
class Case:
    """One simulator at one level: a walk, the same walk again, and what walked."""

    problem: Problem
    simulator: Simulator
    level: str
    n: int
    seed: int
    first: Walk
    again: Walk


@dataclass(frozen=True)
class Break:
    """A broken promise: what was found in which world, field and step, and what to do."""

    found: str
    fix: str


@dataclass(frozen=True)
class Undecided:
    """Neither kept nor broken as far as could be seen, and why."""

    why: str


@dataclass(frozen=True)
class Kept:
    """A kept promise, in words of its own."""

    words: str


Answer = Break | Undecided | Kept | None
"""None is kept, in the words of the gate."""


def results(step: Step) -> dict[str, npt.NDArray[Any]]:
    """What a step gives besides the state."""
    return {**step.signals, "terminated": step.terminated}


def restored(frame: Frame) -> State:
    """The state a frame began with; from the copy, because a broken simulator may have changed it since."""
    return with_fields(frame.state, {name: values.copy() for name, values in frame.before.items()})


def chance_of(frame: Frame) -> np.random.Generator:
    """The chance a frame's step met."""
    generator = np.random.default_rng(0)
    generator.bit_generator.state = dict(frame.chance)
    return generator


def spaced(frames: list[Frame], most: int) -> list[int]:
    """At most so many numbers of frames, evenly, the first and last among them."""
    return sorted({int(index) for index in np.linspace(0, len(frames) - 1, min(most, len(frames)))})


def rows(values: Mapping[str, npt.NDArray[Any]], index: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Those worlds of each array."""
    return {name: each[index] for name, each in values.items()}
