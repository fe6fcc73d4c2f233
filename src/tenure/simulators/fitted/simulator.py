"""A world of learned steps: the model says what is expected, a row it was not fitted to says how it went instead."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from tenure.core.arrays import Floats, Ints
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Split, Step
from tenure.core.trajectories import Trajectories
from tenure.simulators.fitted.dynamics import Dynamics, encoded
from tenure.simulators.fitted.transitions import columns_of


@dataclass(frozen=True)
class FittedState:
    """n worlds.

    Args:
        seen: what is seen of each; float64 [n, features].
        row: the row of the log whose features outside are replayed; int64 [n].
        unrest: what the unexplained part is multiplied by; float64 [n].
    """

    seen: Floats
    row: Ints
    unrest: Floats


class FittedSimulator:
    """Steps by `dynamics`; the levels multiply what it does not explain. Nothing ends by itself.

    Args:
        problem: names, bounds and actions.
        dynamics: what is expected.
        residuals: what came beside that in rows the dynamics were not fitted to, all features and signals of a row
            together; [m, features + signals].
        log: where worlds start, and where features outside come from.
        parts: numbers of the episodes to train on, to select by, and held out.
        outside: names of the features replayed from the log, because no action changes them.
        interval: time between decisions.
    """

    levels: Mapping[str, Any] = {"easy": 0.5, "normal": 1.0, "hard": 1.5}

    def __init__(
        self,
        problem: Problem,
        dynamics: Dynamics,
        residuals: Floats,
        log: Trajectories,
        parts: tuple[Ints, Ints, Ints],
        outside: tuple[str, ...] = (),
        interval: timedelta = timedelta(hours=1),
    ) -> None:
        self.problem, self.dynamics, self.residuals = problem, dynamics, residuals
        self.log, self.parts, self.outside, self.interval = log, parts, outside, interval
        self._columns = [at for at, name in enumerate(problem.feature_names) if name in outside]
        self._low, self._high = _bounds(problem, self.log_seen)

    @cached_property
    def version(self) -> str:
        """Hash of the fitted map, of what it leaves to chance, of the rows replayed, and of what is replayed."""
        arrays = (*self.dynamics.weights, *self.dynamics.biases, self.residuals, self.log_seen)
        content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        return hashlib.sha256(f"{self.dynamics.kind} {self.outside}".encode() + content).hexdigest()[:12]

    @cached_property
    def log_seen(self) -> Floats:
        """Features of every row of the log, in the problem's order; [rows, features]."""
        return columns_of(self.problem, self.log)[0]

    @cached_property
    def _starts(self) -> tuple[Ints, ...]:
        """Rows with nothing missing, of each part's episodes."""
        whole = np.isfinite(self.log_seen).all(axis=1)
        return tuple(np.flatnonzero(whole & np.isin(self.log.episode, part)) for part in self.parts)

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> FittedState:
        """n worlds at rows of the episodes the dynamics were fitted to, each equally likely."""
        return self._at(rng.choice(self._starts[0], n), self.levels[level])

    def from_observation(self, observation: Floats, rng: np.random.Generator) -> FittedState:
        """Worlds in which that is seen; features outside go on as after the row of the log that is nearest in them."""
        seen = np.asarray(observation, dtype=np.float64)
        rows = rng.choice(self._starts[0], len(seen))
        if self._columns:
            known, scale = (
                self.log_seen[self._starts[0]][:, self._columns],
                np.nanstd(self.log_seen[:, self._columns], 0),
            )
            scale = np.where(scale > 0, scale, 1.0)
            rows = self._starts[0][cKDTree(known / scale).query(seen[:, self._columns] / scale)[1]]
        return FittedState(seen, rows, np.full(len(seen), self.levels["normal"]))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """One world per episode of a part, from its first whole row, over the horizon or so many days of 24 hours."""
        rows = self._starts[("train", "selection", "held_out").index(split)]
        _, first = np.unique(self.log.episode[rows], return_index=True)
        state = self._at(rows[first], 1.0)
        steps = self.problem.horizon if days is None else int(timedelta(days=days) / self.interval)
        names = tuple(f"episode-{number}" for number in self.log.episode[state.row])
        started_at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=first_day)
        return Panel(state, steps, names, started_at, self.interval, independent=True)

    def observe(self, state: FittedState) -> Floats:
        """What is seen; float32 [n, features]."""
        return np.asarray(state.seen, dtype=np.float32)

    def step(self, state: FittedState, action: Any, rng: np.random.Generator) -> Step:
        """What is expected, and what was not explained in some row of the log."""
        drawn = self.residuals[rng.integers(0, len(self.residuals), len(state.row))]
        restart = rng.choice(self._starts[0], len(state.row))
        came = self.expected(state.seen, action) + state.unrest[:, None] * drawn
        following = self.log.following[state.row]
        row = np.where((following >= 0) & np.isfinite(self.log_seen[following]).all(axis=1), following, restart)
        seen = self.bounded(state.seen + came[:, : len(self._low)], row)
        signals = {
            signal.name: np.clip(came[:, len(self._low) + index], signal.low, signal.high)
            for index, signal in enumerate(self.problem.signals)
        }
        return Step(FittedState(seen, row, state.unrest), signals, np.zeros(len(row), dtype=bool))

    def expected(self, seen: Floats, action: Any) -> Floats:
        """Expected change of each feature and expected signals; [n, features + signals]."""
        return self.dynamics.predict(encoded(seen, action, self.problem.action))

    def bounded(self, seen: Floats, row: Ints) -> Floats:
        """Features within their bounds, those outside as the log has them at these rows; [n, features]."""
        kept = np.clip(seen, self._low, self._high)
        kept[:, self._columns] = self.log_seen[row][:, self._columns]
        return kept

    def _at(self, rows: Ints, unrest: float) -> FittedState:
        seen = np.clip(self.log_seen[rows], self._low, self._high)
        return FittedState(seen, np.asarray(rows, dtype=np.int64), np.full(len(rows), float(unrest)))


def _bounds(problem: Problem, seen: Floats) -> tuple[Floats, Floats]:
    """Declared bounds, and no further from the log than it is wide: a model knows nothing about what it never met."""
    low, high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
    declared = np.array([(feature.low, feature.high) for feature in problem.observation]).T
    return np.maximum(declared[0], 2 * low - high), np.minimum(declared[1], 2 * high - low)
