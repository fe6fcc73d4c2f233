"""The log's own actions through the simulator, on the log's own course: does it bring what they brought?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import DataError
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.core.trace import Trace
from tenure.core.trajectories import Trajectories
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.differences import STEPS, Difference
from tenure.simulators.fidelity.hooks import replay_panel
from tenure.simulators.fidelity.sample import Unit, sample_of
from tenure.simulators.rollout import run

ABOUT = "mean when the log's actions are replayed (in standard deviations of the log)"


class _AsLogged:
    """Proposes what the log did, step after step; asked once per step, as `run` does."""

    version = "as logged"

    def __init__(self, actions: Any) -> None:
        self._actions = iter(actions)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        return Proposal(next(self._actions), np.ones(len(observation)))


def replayed_log(problem: Problem, simulator: Any, log: Trajectories, seed: int = 0) -> Trace:
    """The simulator on the log's course, given the log's actions; [steps, episodes] of everything.

    Raises:
        DataError: the simulator cannot replay this log (`Replayable.replayed`).
    """
    panel = replay_panel(simulator, log)
    if panel.steps * len(panel.worlds) != len(log):
        raise DataError(
            expected=f"{len(log)} decisions, {len(panel.worlds)} episodes of one length",
            found=f"a panel of {panel.steps} steps and {len(panel.worlds)} worlds",
            where="`replayed` of the project's simulator",
            fix="give one world per episode, over its steps",
        )
    actions = np.swapaxes(np.asarray(log.action).reshape(len(panel.worlds), panel.steps, *log.action.shape[1:]), 0, 1)
    return run(problem, simulator, _AsLogged(actions), panel, seed=seed).trace


def compared(
    problem: Problem, simulator: Simulator, log: Trajectories, unit: Unit, seed: int = 0
) -> tuple[list[Difference], list[dict[str, Any]]]:
    """How far each field strays from the log under its own actions: the mean, and the error by horizon.

    Args:
        problem, simulator: the simulator has `replayed`.
        log: with episodes of one length.
        unit: what the interval of the mean counts.
        seed: of the simulator's chance.

    Raises:
        DataError: as `replayed_log`.
    """
    trace = replayed_log(problem, simulator, log, seed)
    assert trace.observation is not None
    sample = sample_of(log, (), (), unit)
    made = {name: trace.observation[:, :, k] for k, name in enumerate(problem.feature_names)} | dict(trace.signals)
    real = {name: log.feature(name) for name in problem.feature_names} | dict(log.signals)
    shape = (len(trace.worlds), trace.steps)
    found, by_steps = [], []
    for name in [name for name in made if name in real and np.isfinite(real[name]).any()]:
        error = np.asarray(made[name], dtype=np.float64).T - real[name].reshape(shape)
        scale = float(np.nanstd(real[name])) or 1.0
        found.append(_difference(name, (error / scale).ravel(), sample.cluster, sample.clusters))
        by_steps.append({"field": name, "by_steps": _growing(error / scale)})
    return found, by_steps


def _difference(field: str, error: Floats, cluster: Any, clusters: int) -> Difference:
    known = np.isfinite(error)
    n = max(int(known.sum()), 1)
    mean = float(error[known].sum()) / n
    each = np.bincount(cluster[known], weights=error[known] - mean, minlength=clusters)
    doubt = limits.SURE * math.sqrt(clusters / max(clusters - 1, 1) * float((each**2).sum())) / n
    value = abs(mean)
    return Difference("replay", field, ABOUT, value, max(0.0, value - doubt), value + doubt, limits.ASPECTS["replay"])


def _growing(error: Floats, steps: Sequence[int] = STEPS) -> dict[str, float]:
    """Root mean squared error after so many steps; [episodes, steps]."""
    with np.errstate(invalid="ignore"):
        at = {
            k: np.sqrt(np.nanmean(error[:, k] ** 2))
            for k in steps
            if k < error.shape[1] and np.isfinite(error[:, k]).any()
        }
    return {str(k): float(value) for k, value in at.items()}
