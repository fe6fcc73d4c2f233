"""One policy over a panel of worlds: every policy meets the same worlds and the same chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import ProjectError
from tenure.core.history import remembering
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator, State, Step
from tenure.core.spaces import Box
from tenure.core.trace import Trace
from tenure.simulators.actions import Actions, allowed_actions
from tenure.simulators.batch import put, size, take
from tenure.simulators.walk import given_step

NO_ACTION = -1
"""What the trace holds as the action of a world that has ended by itself; NaN where actions are a `Box`."""


@dataclass(frozen=True)
class Run:
    """A trace, and the worlds as they stood after its last step."""

    trace: Trace
    state: State


@dataclass(frozen=True)
class _Row:
    observation: Floats
    action: Actions
    step: Step


def run(
    problem: Problem,
    simulator: Simulator,
    policy: Policy,
    panel: Panel,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Let a policy decide in every world of a panel.

    The chance of step t is a function of `seed` and t alone, so two policies compared with one seed meet the
    same chance however much of it either uses up. A world that ends by itself stands still from then on, as it
    was before its last step: its signals are 0 and its action is -1, or NaN in a `Box`.

    Args:
        problem: states actions and constraints.
        simulator: steps the worlds.
        policy: decides; one uniform draw per world and step. One with a `history` is shown windows.
        panel: the worlds and how many decisions each takes.
        seed: of all chance.
        progress: called with (steps done, steps in all) after every step.

    Raises:
        ProjectError: names and worlds of the panel differ in number, the policy proposes an action that is not
            allowed or lies out of its bounds, or the simulator leaves a world without one.
    """
    n, policy = size(panel.state), remembering(policy)
    _check_names(panel, n)
    state, over, rows = panel.state, np.zeros(n, dtype=bool), []
    for index in range(panel.steps):
        chance = np.random.default_rng([seed, index])
        row = _decide(problem, simulator, policy, state, chance)
        rows.append(_silenced(row, over))
        # An ended world keeps its last living state: stepping on from an end is undefined.
        over = over | row.step.terminated
        state = put(row.step.state, over, take(state, over)) if over.any() else row.step.state
        if progress is not None:
            progress(index + 1, panel.steps)
    return Run(_trace(problem, panel, n, rows), state)


def _decide(problem: Problem, simulator: Simulator, policy: Policy, state: State, chance: np.random.Generator) -> _Row:
    observation = simulator.observe(state)
    allowed = allowed_actions(problem, simulator, state, observation)
    action = policy.propose(observation, allowed, chance.random(len(observation))).action
    if isinstance(problem.action, Box):
        _check_bounds(policy, action, problem.action)
    if allowed is not None:
        _check_legal(policy, action, allowed)
    return _Row(observation, action, given_step(simulator.step(state, action, chance)))


def _silenced(row: _Row, over: Bools) -> _Row:
    if not over.any():
        return row
    signals = {name: np.where(over, 0.0, values) for name, values in row.step.signals.items()}
    step = Step(row.step.state, signals, row.step.terminated)
    vectors = row.action.ndim == 2
    action = np.where(over[:, None], np.nan, row.action) if vectors else np.where(over, NO_ACTION, row.action)
    return _Row(row.observation, action, step)


def _trace(problem: Problem, panel: Panel, n: int, rows: list[_Row]) -> Trace:
    shape = (panel.steps, n)
    names = sorted(problem.signal_names)
    signals = {name: np.array([row.step.signals[name] for row in rows], dtype=float).reshape(shape) for name in names}
    features = (*shape, len(problem.observation))
    return Trace(
        signals=signals,
        action=_actions(problem, rows, shape),
        observation=np.array([row.observation for row in rows], dtype=np.float32).reshape(features),
        worlds=panel.worlds,
        started_at=panel.started_at,
        interval=panel.interval,
    )


def _actions(problem: Problem, rows: list[_Row], shape: tuple[int, int]) -> Actions:
    taken = [row.action for row in rows]
    if isinstance(problem.action, Box):
        return np.array(taken, dtype=np.float64).reshape(*shape, problem.action.size)
    return np.array(taken, dtype=np.int64).reshape(shape)


def _check_names(panel: Panel, n: int) -> None:
    if len(panel.worlds) != n:
        raise ProjectError(
            expected=f"{n} names, one for each world of the state",
            found=f"{len(panel.worlds)}",
            where="Panel.worlds",
            fix="mend the simulator's `panel`",
        )


def _check_bounds(policy: Policy, action: Actions, space: Box) -> None:
    wrong = np.flatnonzero(~space.holds(action))
    if len(wrong):
        world = wrong[0]
        raise ProjectError(
            expected=f"finite numbers from {list(space.low)} to {list(space.high)}",
            found=f"{action[world].tolist()}",
            where=f"policy {policy.version!r}, world {world}",
            fix="mend the policy's `propose`; `check_policy` shows such a break",
        )


def _check_legal(policy: Policy, action: Ints, allowed: Bools) -> None:
    illegal = np.flatnonzero(~allowed[np.arange(len(action)), action])
    if len(illegal):
        world = illegal[0]
        raise ProjectError(
            expected=f"one of the allowed actions {np.flatnonzero(allowed[world]).tolist()}",
            found=f"{action[world]}",
            where=f"policy {policy.version!r}, world {world}",
            fix="mend the policy's `propose`; `check_policy` shows such a break",
        )
