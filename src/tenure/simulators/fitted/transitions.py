"""A log as rows of what was seen and done, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import EvidenceError
from tenure.core.problem import Problem
from tenure.core.trajectories import Trajectories
from tenure.simulators.fitted.dynamics import encoded

EPISODES = 5
"""Fewest episodes: three parts must hold one each, and one held out says little."""
ROWS = 200
"""Fewest rows with a next one; ridge regression on fewer is a guess."""
PARTS = (0.6, 0.8)
"""Shares of the episodes, in order, that the fit ends at, and that the choice of the model ends at."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that have a next one in the same episode and nothing missing.

    Args:
        at: number of each row in the log; int64 [n].
        inputs: see `encoded`; [n, inputs].
        outputs: change of each feature, then each signal; [n, features + signals].
    """

    at: Ints
    inputs: Floats
    outputs: Floats


def rows_of(problem: Problem, log: Trajectories) -> Rows:
    """Rows of a log.

    Raises:
        EvidenceError: the log lacks a feature or a signal of the problem.
    """
    observation, signals = columns_of(problem, log)
    at = np.flatnonzero(log.following >= 0)
    change = observation[log.following[at]] - observation[at]
    inputs = encoded(observation[at], log.action[at], problem.action)
    outputs = np.concatenate([change, signals[at]], axis=1)
    whole = np.isfinite(inputs).all(axis=1) & np.isfinite(outputs).all(axis=1)
    return Rows(at[whole], inputs[whole], outputs[whole])


def columns_of(problem: Problem, log: Trajectories) -> tuple[Floats, Floats]:
    """Features in the problem's order, [n, features], and signals in its order, [n, signals].

    Raises:
        EvidenceError: one is missing.
    """
    missing = [name for name in problem.feature_names if name not in log.names]
    missing += [signal.name for signal in problem.signals if signal.name not in log.signals]
    if missing:
        raise refused(f"features {list(problem.feature_names)} and every signal", f"no {missing[0]!r}")
    observation = np.stack([log.feature(name) for name in problem.feature_names], axis=1)
    signals = np.stack([log.signals[signal.name] for signal in problem.signals], axis=1)
    return observation.astype(np.float64), signals.astype(np.float64)


def split_episodes(log: Trajectories) -> tuple[Ints, Ints, Ints]:
    """Numbers of the episodes to fit on, to choose by, and to be judged by: the first, middle and last in order.

    Raises:
        EvidenceError: too few of them.
    """
    if log.episodes < EPISODES:
        raise refused(f"at least {EPISODES} episodes", f"{log.episodes}")
    first, second = (max(1, round(share * log.episodes)) for share in PARTS)
    numbers = np.arange(log.episodes)
    return numbers[:first], numbers[first:second], numbers[second:]


def refused(expected: str, found: str) -> EvidenceError:
    """The error about a log that no simulator can be fitted to."""
    fix = "collect more, or write the simulator by hand"
    return EvidenceError(expected=expected, found=found, where="the log a simulator is fitted to", fix=fix)


def rows_in(rows: Rows, log: Trajectories, episodes: Any) -> Rows:
    """Those of some episodes."""
    kept = np.isin(log.episode[rows.at], episodes)
    return Rows(rows.at[kept], rows.inputs[kept], rows.outputs[kept])
