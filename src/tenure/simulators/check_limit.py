"""Contract test of the time limit: the problem's horizon cuts episodes off; a simulator does not end them there."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.simulator import Step
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put
from tenure.simulators.check_case import Answer, Break, Case, Kept, Undecided

LONGEST = 10_000
"""Steps of an episode that are still walked to the end."""


def time_limit(case: Case) -> Answer:
    """Worlds still going one step before the horizon do not all end at it, unless a feature tells when they end.

    An end that can be seen coming is the world's own, as a deadline is; one that cannot is a time limit, and to learn
    that nothing is worth anything after it is wrong.

    Source: Pardo, Tavakoli, Levdik and Kormushev (2018), "Time limits in reinforcement learning".
    """
    horizon = case.problem.horizon
    if horizon == 1:
        return Kept("every decision is an episode of its own")
    if horizon > LONGEST:
        return Undecided(f"the horizon of {horizon} steps is too long to be walked")
    reached, ended, seen = _last_step(case, horizon)
    if reached < max(2, case.n // 2) or ended < reached:
        return Kept(f"{reached} of {case.n} worlds took step {horizon}, the horizon's last; {ended} ended there")
    clock = _clock(seen)
    if clock is not None:
        name = case.problem.observation[clock].name
        return Kept(f"worlds end at step {horizon}, the problem's horizon, and the feature {name!r} tells when")
    return Break(
        f"'terminated' is true in all {reached} worlds that took step {horizon}, the last of the problem's horizon, "
        "and no feature tells when",
        "return False there: the horizon cuts the episode off, and what is cut off still has a value; where worlds "
        "really end then, add a feature with the steps left",
    )


def _last_step(case: Case, horizon: int) -> tuple[int, int, Floats]:
    """How many worlds took the horizon's last step, how many ended with it, and what they saw on the way.

    What was seen is [steps, worlds, features].
    """
    worlds, choices, chance = (np.random.default_rng([case.seed, 7, stream]) for stream in range(3))
    state, alive, seen = case.simulator.reset(case.n, worlds, case.level), np.ones(case.n, dtype=bool), []
    for _ in range(horizon):
        seen.append(np.array(case.simulator.observe(state)))
        allowed = allowed_actions(case.problem, case.simulator, state, seen[-1])
        step = case.simulator.step(state, random_actions(case.problem, case.n, choices, allowed), chance)
        reached, ended = alive, _ended(step, case.n)
        alive, at = alive & ~ended, np.flatnonzero(ended)
        state = put(step.state, at, case.simulator.reset(len(at), worlds, case.level)) if len(at) else step.state
    return int(reached.sum()), int((reached & ended).sum()), np.array(seen)[:, reached]


def _clock(seen: Floats) -> int | None:
    """The first feature that goes up or down evenly, by the same values in every world; from [steps, worlds, features].

    >>> _clock(np.array([[[7.0, 3.0], [9.0, 3.0]], [[7.5, 2.0], [1.0, 2.0]], [[7.0, 1.0], [1.0, 1.0]]]))
    1
    """
    even = np.isclose(np.diff(seen, n=2, axis=0), 0, atol=1e-4).all(axis=(0, 1))
    moving = (np.abs(seen[-1] - seen[0]) > 1e-4 * len(seen)).all(axis=0)
    common = (seen == seen[:, :1]).all(axis=(0, 1))
    found = np.flatnonzero(even & moving & common)
    return int(found[0]) if len(found) else None


def _ended(step: Step, n: int) -> Bools:
    flags = np.asarray(step.terminated)
    return flags.astype(bool) if flags.shape == (n,) else np.zeros(n, dtype=bool)
