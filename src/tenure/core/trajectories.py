"""Trajectories: what was seen, done and measured, step after step, in a log or in a simulator alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import EvidenceError
from tenure.core.trace import Trace


@dataclass(frozen=True, eq=False)
class Trajectories:
    """n decisions, sorted by episode and, within it, by step.

    Args:
        observation: what was seen, in the order of `names`; float64 [n, features], NaN where a value is missing.
        names: of the features.
        action: index of the action, int64 [n]; for a `Box` the vector, float64 [n, numbers].
        signals: what each decision brought, in the problem's units; float64 [n] each, NaN where not measured.
        episode: number of the episode, from 0; int64 [n].
        step: position in the episode, not necessarily from 0; int64 [n].
        propensity: probability (for a `Box` the density) of the action taken, NaN where unknown; [n].
        world: who or what each episode is of, one name per episode; episodes of one world follow each other in time.
        at: moment of each decision, UTC; datetime64[us] [n], None where unknown.

    Raises:
        EvidenceError: columns of different lengths, or rows out of order.
    """

    observation: Floats
    names: tuple[str, ...]
    action: Any
    signals: Mapping[str, Floats]
    episode: Ints
    step: Ints
    propensity: Floats
    world: tuple[str, ...]
    at: Any = None

    def __post_init__(self) -> None:
        n = len(self.episode)
        columns = {"observation": self.observation, "action": self.action, "step": self.step, **self.signals}
        for name, values in {**columns, "propensity": self.propensity}.items():
            if len(values) != n:
                raise _wrong(f"{n} rows, as in 'episode'", f"{len(values)} in {name!r}")
        if n and (self.episode[0] != 0 or not np.isin(np.diff(self.episode), (0, 1)).all()):
            raise _wrong("episodes numbered from 0, each in one piece", "another order")
        if (np.diff(self.step)[np.diff(self.episode) == 0] <= 0).any():
            raise _wrong("steps that rise within an episode", "one that does not")
        if len(self.world) != (self.episode[-1] + 1 if n else 0):
            raise _wrong("one world name per episode", f"{len(self.world)}")

    def __len__(self) -> int:
        return len(self.episode)

    @property
    def episodes(self) -> int:
        """How many there are."""
        return len(self.world)

    @cached_property
    def following(self) -> Ints:
        """Row of the decision one step later in the same episode, -1 where there is none; int64 [n]."""
        goes_on = np.append((np.diff(self.episode) == 0) & (np.diff(self.step) == 1), False)[: len(self)]
        return np.where(goes_on, np.arange(1, len(self) + 1), -1)

    def feature(self, name: str) -> Floats:
        """One feature of every row; [n].

        Raises:
            EvidenceError: there is no such feature.
        """
        if name not in self.names:
            raise _wrong(f"one of the features {sorted(self.names)}", repr(name))
        return np.asarray(self.observation[:, self.names.index(name)])

    def take(self, episodes: Ints | Bools) -> Trajectories:
        """Some episodes, by number in rising order or by one flag each, numbered from 0 again."""
        wanted = np.arange(self.episodes)[np.asarray(episodes)]
        rows = np.isin(self.episode, wanted)
        return replace(
            self,
            observation=self.observation[rows],
            action=self.action[rows],
            signals={name: values[rows] for name, values in self.signals.items()},
            episode=np.searchsorted(wanted, self.episode[rows]),
            step=self.step[rows],
            propensity=self.propensity[rows],
            world=tuple(self.world[number] for number in wanted),
            at=None if self.at is None else self.at[rows],
        )


def from_trace(trace: Trace, names: tuple[str, ...]) -> Trajectories:
    """A run in a simulator as trajectories, one episode per world; steps after a world's end are left out.

    Args:
        trace: the run, with its observations.
        names: of the features, in the problem's order.

    Raises:
        EvidenceError: nobody kept the observations.
    """
    if trace.observation is None:
        raise _wrong("a trace with its observations", "none")
    alive = trace.alive.T
    world, step = np.nonzero(alive)
    moments = np.array([_moment(trace, index) for index in range(trace.steps)], dtype="datetime64[us]")
    return Trajectories(
        observation=np.swapaxes(trace.observation, 0, 1)[alive].astype(np.float64),
        names=names,
        action=np.swapaxes(trace.action, 0, 1)[alive],
        signals={name: values.T[alive] for name, values in trace.signals.items()},
        episode=world,
        step=step,
        propensity=np.full(len(world), np.nan),
        world=trace.worlds,
        at=moments[step],
    )


def _moment(trace: Trace, index: int) -> Any:
    return (trace.started_at + index * trace.interval).replace(tzinfo=None)


def _wrong(expected: str, found: str) -> EvidenceError:
    return EvidenceError(expected=expected, found=found, where="the trajectories", fix="look at how they were read")
