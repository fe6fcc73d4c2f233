"""How fast a simulator is, before anybody trains on it."""

from __future__ import annotations

import numpy as np

from tenure.core.clock import Clock
from tenure.core.errors import EvidenceError
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put


def steps_per_second(problem: Problem, simulator: Simulator, n: int, steps: int, clock: Clock) -> float:
    """World steps per second under random allowed actions, observing each; resets are part of the time.

    Args:
        problem: states the actions.
        simulator: what to measure.
        n: worlds at once.
        steps: batch steps; n * steps world steps in all.
        clock: measures the time.

    Raises:
        EvidenceError: the clock did not move.
    """
    rng = np.random.default_rng(0)
    state = simulator.reset(n, rng)
    started = clock.monotonic()
    for _ in range(steps):
        allowed = allowed_actions(problem, simulator, state, simulator.observe(state))
        step = simulator.step(state, random_actions(problem, n, rng, allowed), rng)
        ended = np.flatnonzero(step.terminated)
        state = put(step.state, ended, simulator.reset(len(ended), rng)) if len(ended) else step.state
    elapsed = clock.monotonic() - started
    if elapsed <= 0:
        raise EvidenceError(
            expected="a measurable time",
            found=f"{elapsed} s for {n * steps} steps",
            where="steps_per_second",
            fix="take more steps, or a clock that moves",
        )
    return n * steps / elapsed
