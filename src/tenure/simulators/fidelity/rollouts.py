"""The simulator begun where the log was, under the log's own actions: how does its error grow with every step?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.core.simulator import Step
from tenure.core.spaces import Box
from tenure.core.trajectories import Trajectories
from tenure.simulators.actions import Actions, allowed_actions
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.differences import STEPS, Difference
from tenure.simulators.fidelity.hooks import begun_at
from tenure.simulators.fidelity.sample import Unit, sample_of

STARTS = 1000
"""Most logged decisions that roll-outs begin at."""
JUDGED = (8, 4, 2, 1)
"""Steps after which a field is judged: the first of these that the log has in a row; 8 as in the aspect `horizon`."""


@dataclass(frozen=True, eq=False)
class _Course:
    """Roll-outs side by side.

    Args:
        values: of each field after so many steps, NaN once a roll-out has no counterpart; [starts] by step.
    """

    values: Mapping[int, Mapping[str, Floats]]


def rolled(
    problem: Problem, simulator: Any, log: Trajectories, unit: Unit, seed: int = 0
) -> tuple[list[Difference], list[dict[str, Any]]]:
    """How far each field is from the log so many steps after a logged state, given the log's actions.

    Two roll-outs of one start differ by the simulator's own chance. Were the log another one of them, its squared
    distance would be theirs; what it has beyond that is judged, in whole independent units.

    Args:
        problem, simulator: the simulator has `from_observation` (`core.simulator.Resumable`).
        log: real decisions.
        unit: what the interval counts.
        seed: of the starts and of the simulator's chance.

    Returns:
        A difference per field, and by horizon its error beside the distance of two roll-outs of one start; nothing of
        a log in which no decision follows another.

    Raises:
        DataError: the simulator does not show what it was begun with.
    """
    judged, starts = _starts(problem, log, seed)
    if not len(starts):
        return [], []
    one, other = (_course(problem, simulator, log, starts, [seed, stream]) for stream in (11, 12))
    real = {steps: _real(problem, log, _later(log, starts, steps)) for steps in STEPS}
    sample = sample_of(log, (), (), unit)
    found, growth = [], []
    for field in one.values[1]:
        scale, pairs = _scale(problem, log, field), {}
        for steps in STEPS:
            mine, again, theirs = (each[steps][field] / scale for each in (one.values, other.values, real))
            pairs[steps] = (mine - theirs, mine - again)
        found.append(_difference(field, judged, *pairs[judged], sample.cluster[starts], sample.clusters))
        growth.append({"field": field, "by_steps": _told(pairs, 0), "own_chance": _told(pairs, 1)})
    return [each for each in found if each is not None], growth


def _starts(problem: Problem, log: Trajectories, seed: int) -> tuple[int, Ints]:
    """Steps to judge after, and rows, at most `STARTS`, with everything seen and so many steps to come; in order."""
    seen = np.isfinite(_seen(problem, log, np.arange(len(log)))).all(axis=1)
    rng = np.random.default_rng([seed, 10])
    for steps in JUDGED:
        whole = np.flatnonzero(seen & (_later(log, np.arange(len(log)), steps) >= 0))
        if len(whole):
            return steps, np.sort(rng.choice(whole, min(STARTS, len(whole)), replace=False))
    return 0, np.zeros(0, dtype=np.int64)


def _seen(problem: Problem, log: Trajectories, rows: Ints) -> Floats:
    return np.column_stack([log.feature(name)[rows] for name in problem.feature_names]).astype(np.float32)


def _later(log: Trajectories, rows: Ints, steps: int) -> Ints:
    """The row so many steps later, -1 where there is none."""
    for _ in range(steps):
        rows = np.where(rows >= 0, log.following[rows], -1)
    return rows


def _course(problem: Problem, simulator: Any, log: Trajectories, starts: Ints, seed: list[int]) -> _Course:
    seen = _seen(problem, log, starts)
    state = begun_at(simulator, seen, np.random.default_rng(seed))
    _check_begun(problem, seen, simulator.observe(state))
    alive, row, values = np.ones(len(starts), dtype=bool), starts, {}
    for steps in range(1, max(STEPS) + 1):
        action, legal = _action(problem, simulator, log, state, row)
        step: Step = simulator.step(state, action, np.random.default_rng([*seed, steps]))
        alive = alive & legal
        signals = {name: np.where(alive, step.signals[name], np.nan) for name in sorted(problem.signal_names)}
        state, alive, row = step.state, alive & ~step.terminated, _later(log, row, 1)
        if steps in STEPS:
            values[steps] = signals | _features(problem, simulator.observe(state), alive)
    return _Course(values)


def _action(problem: Problem, simulator: Any, log: Trajectories, state: Any, row: Ints) -> tuple[Actions, Bools]:
    """What the log did, and where the simulator allows it; past the log's end, whatever was done first."""
    action = np.asarray(log.action)[np.maximum(row, 0)]
    allowed = allowed_actions(problem, simulator, state, simulator.observe(state))
    if isinstance(problem.action, Box) or allowed is None:
        return action, row >= 0
    legal = allowed[np.arange(len(row)), action]
    return np.where(legal, action, allowed.argmax(axis=1)), legal & (row >= 0)


def _features(problem: Problem, seen: Floats, alive: Bools) -> dict[str, Floats]:
    return {
        name: np.where(alive, seen[:, k].astype(np.float64), np.nan) for k, name in enumerate(problem.feature_names)
    }


def _real(problem: Problem, log: Trajectories, after: Ints) -> dict[str, Floats]:
    """Signals of the step that led to a row, and the features seen in it; NaN where there is none."""
    there = after >= 0
    before = np.where(there, after - 1, 0)
    signals = {name: np.where(there, log.signals[name][before], np.nan) for name in sorted(problem.signal_names)}
    return signals | {name: np.where(there, log.feature(name)[after], np.nan) for name in problem.feature_names}


def _scale(problem: Problem, log: Trajectories, field: str) -> float:
    values = log.signals[field] if field in problem.signal_names else log.feature(field)
    return (float(np.nanstd(values)) if np.isfinite(values).any() else 0.0) or 1.0


def _difference(
    field: str, steps: int, error: Floats, chance: Floats, cluster: Ints, clusters: int
) -> Difference | None:
    """The root of the mean squared error that chance does not explain."""
    known = np.isfinite(error) & np.isfinite(chance)
    n = int(known.sum())
    if not n:
        return None
    beyond = error[known] ** 2 - chance[known] ** 2
    each = np.bincount(cluster[known], weights=beyond - beyond.mean(), minlength=clusters)
    doubt = limits.SURE * math.sqrt(clusters / max(clusters - 1, 1) * float((each**2).sum())) / n
    value, low, high = (math.sqrt(max(0.0, float(beyond.mean()) + d)) for d in (0.0, -doubt, doubt))
    about = f"{steps} step(s) from where the log was, beyond its own chance (in standard deviations of the log)"
    return Difference("rollout", field, about, value, low, high, limits.ASPECTS["rollout"])


def _told(pairs: Mapping[int, tuple[Floats, Floats]], which: int) -> dict[str, float]:
    """Root mean squared distance after so many steps, where the log goes on so long."""
    known = {steps: pair[which][np.isfinite(pair[0])] for steps, pair in pairs.items()}
    return {str(steps): float(np.sqrt((each**2).mean())) for steps, each in known.items() if len(each)}


def _check_begun(problem: Problem, asked: Floats, seen: Floats) -> None:
    apart = ~np.isclose(asked, seen, rtol=1e-4, atol=1e-5)
    if not apart.any():
        return
    row, column = (int(each[0]) for each in np.nonzero(apart))
    name = problem.feature_names[column]
    raise DataError(
        expected=f"worlds in which the logged situation is seen, {name!r} {asked[row, column]:g}",
        found=f"{seen[row, column]:g}, in {int(apart[:, column].sum())} of {len(asked)} worlds",
        where="`from_observation` of the project's simulator",
        fix="put what is given into the state; draw only what cannot be seen",
    )
