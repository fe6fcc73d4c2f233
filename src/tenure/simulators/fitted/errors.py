"""How far a fitted simulator is from what happened, one step ahead and many."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.trajectories import Trajectories
from tenure.simulators.fitted.simulator import FittedSimulator
from tenure.simulators.fitted.transitions import Rows

HORIZONS = (1, 2, 4, 8, 16, 32)
"""Steps ahead at which roll-outs are compared."""


@dataclass(frozen=True)
class OneStep:
    """Root mean squared error of one feature or signal, one step ahead, on held-out episodes, in its unit.

    Args:
        name: of the feature or signal.
        error: of the model.
        naive: of "nothing changes"; of a signal, of its mean over the rows fitted to.
        rows: compared.
    """

    name: str
    error: float
    naive: float
    rows: int

    @property
    def better(self) -> bool:
        """The model knows more than nothing."""
        return self.error < self.naive


@dataclass(frozen=True)
class HorizonError:
    """Root mean squared error so many steps ahead under the logged actions, over all features.

    Each feature counts in units of its own standard deviation over the rows fitted to.
    """

    steps: int
    error: float
    naive: float
    rows: int


@dataclass(frozen=True)
class Errors:
    """Errors on held-out episodes; features that are replayed from the log are left out."""

    one_step: tuple[OneStep, ...]
    roll_out: tuple[HorizonError, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)


def errors_of(world: FittedSimulator, fitted: Rows, held_out: Rows) -> Errors:
    """Errors of a simulator on rows it has not seen.

    Args:
        world: the simulator.
        fitted: rows it was fitted to, for the naive means and the scales.
        held_out: rows to be judged by.
    """
    found = world.dynamics.predict(held_out.inputs) - held_out.outputs
    features = len(world.problem.observation)
    naive = held_out.outputs.copy()
    naive[:, features:] -= fitted.outputs[:, features:].mean(axis=0)
    names = (*world.problem.feature_names, *(signal.name for signal in world.problem.signals))
    one_step = tuple(
        OneStep(name, _rms(found[:, at]), _rms(naive[:, at]), len(found))
        for at, name in enumerate(names)
        if name not in world.outside
    )
    return Errors(one_step, _roll_outs(world, fitted, world.log, held_out.at))


def _roll_outs(world: FittedSimulator, fitted: Rows, log: Trajectories, begin: Ints) -> tuple[HorizonError, ...]:
    inside = [at for at, name in enumerate(world.problem.feature_names) if name not in world.outside]
    scale = fitted.inputs[:, inside].std(axis=0)
    inside, scale = [at for at, sd in zip(inside, scale, strict=True) if sd > 0], scale[scale > 0]
    truth, row = world.log_seen, begin
    seen, start, found = truth[begin], truth[begin], []
    for ahead in range(1, max(HORIZONS) + 1):
        alive = (log.following[row] >= 0) & np.isfinite(truth[log.following[row]]).all(axis=1)
        row, seen, start = row[alive], seen[alive], start[alive]
        if not len(row) or not inside:
            break
        change = world.expected(seen, log.action[row])[:, : truth.shape[1]]
        row = log.following[row]
        seen = world.bounded(seen + change, row)
        if ahead in HORIZONS:
            error, naive = (_rms((one - truth[row])[:, inside] / scale) for one in (seen, start))
            found.append(HorizonError(ahead, error, naive, len(row)))
    return tuple(found)


def _rms(values: Floats) -> float:
    return float(np.sqrt((values**2).mean()))
