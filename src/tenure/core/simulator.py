"""A world as a batch: n worlds at once, arrays in, arrays out, chance as an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    from tenure.core.trajectories import Trajectories

State = Any
"""A dataclass of arrays whose first axis is the world."""

Split = Literal["train", "selection", "held_out"]


@dataclass(frozen=True)
class Step:
    """What one step of n worlds gives.

    Args:
        state: the next state.
        signals: each measured consequence, float64 [n], in the problem's units.
        terminated: the world ended by itself, [n]; a time limit is not an end.
    """

    state: State
    signals: Mapping[str, Floats]
    terminated: Bools


@dataclass(frozen=True)
class Panel:
    """Worlds side by side over the same stretch of time, for comparing policies on equal terms.

    Args:
        state: where they start.
        steps: how many decisions each takes.
        worlds: a name for each, [n].
        started_at: moment of the first decision, UTC.
        interval: time between decisions.
        independent: each world was drawn by itself, so the world and not the time is what an interval counts.
    """

    state: State
    steps: int
    worlds: tuple[str, ...]
    started_at: datetime
    interval: timedelta
    independent: bool = False

    def moments(self) -> list[datetime]:
        """The moment of each step."""
        return [self.started_at + step * self.interval for step in range(self.steps)]

    def periods(self, length: timedelta) -> Ints:
        """Which period of that length, counted from the start, each step lies in; [steps]."""
        return np.array([step * self.interval // length for step in range(self.steps)])


class Simulator(Protocol):
    """The world of a problem. Training draws worlds by `reset`; comparisons replay a `panel`."""

    @property
    def version(self) -> str:
        """Hash of its code, parameters and data, apart from the problem's and the training's."""
        ...

    @property
    def levels(self) -> Mapping[str, Any]:
        """Named parameter sets; at least `normal`."""
        ...

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> State:
        """n fresh worlds, drawn from training data only."""
        ...

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """The worlds of one part of the data, from `first_day` of that part, for so many whole days."""
        ...

    def observe(self, state: State) -> Floats:
        """float32 [n, features], in the order of the problem's observation."""
        ...

    def step(self, state: State, action: Any, rng: np.random.Generator) -> Step:
        """One decision in each world, action int64 [n], or float [n, numbers] for a `Box`; the given state stays."""
        ...


class Replayable(Protocol):
    """A simulator that can take from a log what no action changes (demand, weather, prices) and simulate the rest.

    A project's simulator may have both methods; validation then replays real data through it.
    """

    @property
    def unaffected(self) -> tuple[str, ...]:
        """Names of features and signals whose course no action changes."""
        ...

    def replayed(self, log: Trajectories) -> Panel:
        """One world per episode of the log, over its steps, with the log's course of everything unaffected.

        Raises:
            DataError: the log lacks a column that is needed, or its episodes differ in length.
        """
        ...


class Resumable(Protocol):
    """A simulator that can begin where a log was, from what was seen there alone; validation rolls out from there."""

    def from_observation(self, observation: Floats, rng: np.random.Generator) -> State:
        """One world per row, of the level `normal`, in which just that is seen; the rest of its state is drawn by rng.

        Args:
            observation: float32 [n, features], in the order of the problem's observation.
            rng: chance of what cannot be seen.
        """
        ...
