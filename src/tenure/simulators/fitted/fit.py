"""From a log to a simulator with its errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.trajectories import Trajectories
from tenure.simulators.fitted.dynamics import KINDS, Dynamics, fit_dynamics, plain_inputs
from tenure.simulators.fitted.errors import Errors, errors_of
from tenure.simulators.fitted.simulator import FittedSimulator
from tenure.simulators.fitted.transitions import ROWS, Rows, refused, rows_in, rows_of, split_episodes


@dataclass(frozen=True)
class Fitted:
    """A fitted simulator, and what it gets wrong on episodes that nothing was fitted to or chosen by."""

    simulator: FittedSimulator
    errors: Errors

    @property
    def sentence(self) -> str:
        """What people read first."""
        worse = [one.name for one in self.errors.one_step if not one.better]
        told = [f"model {self.simulator.dynamics.kind}"]
        for far in self.errors.roll_out[-1:]:
            off = f"{far.error:.2f} standard deviations off, were nothing to change {far.naive:.2f}"
            told.append(f"{far.steps} steps ahead {off}")
        return "; ".join([*told, f"no better than nothing changing: {', '.join(worse) if worse else 'none'}"])


def fit_simulator(
    problem: Problem,
    log: Trajectories,
    outside: tuple[str, ...] = (),
    seed: int = 0,
    interval: timedelta = timedelta(hours=1),
) -> Fitted:
    """Fit a simulator to a log.

    The first 60 % of the episodes fit a linear, a quadratic and a network model; the next 20 % choose among them by
    their mean squared error one step ahead, in each output's own standard deviations, and give the residuals that are
    drawn as chance; the last 20 % are only looked at for the errors.

    Args:
        problem: its features and signals must be columns of the log.
        log: episodes in order of time.
        outside: features that no action changes; they are replayed from the log's episodes, the rest is fitted.
        seed: of the network.
        interval: time between decisions.

    Raises:
        EvidenceError: too few episodes or rows, or a missing column.
    """
    unknown = sorted(set(outside) - set(problem.feature_names))
    if unknown:
        raise refused(f"some of the features {list(problem.feature_names)}", repr(unknown[0]))
    rows, parts = rows_of(problem, log), split_episodes(log)
    fit, choose, held_out = (rows_in(rows, log, part) for part in parts)
    if min(len(fit.at), len(choose.at), len(held_out.at)) < ROWS // 4 or len(rows.at) < ROWS:
        raise refused(f"at least {ROWS} rows with a next one, {ROWS // 4} in each part", f"{len(rows.at)}")
    dynamics = _best(problem, fit, choose, seed)
    residuals = choose.outputs - dynamics.predict(choose.inputs)
    world = FittedSimulator(problem, dynamics, residuals, log, parts, outside, interval)
    return Fitted(world, errors_of(world, fit, held_out))


def _best(problem: Problem, fit: Rows, choose: Rows, seed: int) -> Dynamics:
    plain = plain_inputs(len(problem.observation), problem.action)
    tried = [fit_dynamics(kind, fit.inputs, fit.outputs, plain, seed) for kind in KINDS]
    return min(tried, key=lambda one: _loss(one, choose))


def _loss(dynamics: Dynamics, rows: Rows) -> float:
    apart: Floats = (dynamics.predict(rows.inputs) - rows.outputs) / dynamics.out_scale
    return float(np.mean(apart**2))
