"""In a simulator nothing need be inferred: two actions from the same world, and both futures are looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.core.project import Project
from tenure.core.simulator import State
from tenure.core.spaces import Discrete
from tenure.design.assess.thresholds import ALPHA, CERTAIN, LATER_SHARE
from tenure.simulators.actions import allowed_actions, nearest_allowed, random_actions
from tenure.simulators.batch import put, take

WORLDS = 600
"""Pairs of twins."""
WARM_UP = 12
"""Decisions of the incumbent before the twins part, at most a third of the horizon."""
AHEAD = 60
"""Decisions of the incumbent after it, at most what is left of the horizon."""
SEED = 1971
"""Of all chance."""


@dataclass(frozen=True)
class Twins:
    """Mean products of differences between twins in two futures each, per pair: squared effects without their noise.

    Args:
        moved: next situation, in variances of each feature, summed.
        now: this decision's reward, squared.
        later: discounted later rewards, squared.
    """

    moved: Estimate
    now: Estimate
    later: Estimate

    @property
    def share(self) -> float:
        """Part of the action's worth that comes later, by root mean square, in [0, 1]."""
        return _share(self.later.value, self.now.value)


def twins(project: Project, discount: float) -> Twins:
    """Part twins and follow both under the incumbent, in two futures of common chance.

    A difference is an effect plus noise; noise of two futures is independent, so the mean product of the two
    differences is the mean squared effect. Where the action changes nothing, both are exactly 0.

    Args:
        project: problem, simulator and incumbent, with labelled actions.
        discount: weight of the next decision's value, in (0, 1).

    Source: common random numbers, Glasserman and Yao (1992); products of independent halves, Cochran (1977), 14.
    """
    problem = project.problem
    start = _warmed(project, min(WARM_UP, problem.horizon // 3))
    one, other = _two_actions(project, start)
    ahead = min(AHEAD, max(1, problem.horizon - 1))
    futures = [[_future(project, start, action, ahead, discount, seed) for action in (one, other)] for seed in (0, 1)]
    differ = [[a - b for a, b in zip(*pair, strict=True)] for pair in futures]
    moved, now, later = (_product(first, second) for first, second in zip(*differ, strict=True))
    return Twins(moved, now, later)


def _warmed(project: Project, steps: int) -> State:
    rng = np.random.default_rng(SEED)
    state = project.simulator.reset(WORLDS, rng)
    for _ in range(steps):
        state, _, ended = _step(project, state, None, rng)
        fresh = project.simulator.reset(int(ended.sum()), rng) if ended.any() else None
        state = state if fresh is None else put(state, ended, fresh)
    return state


def _step(project: Project, state: State, action: Ints | None, rng: np.random.Generator) -> tuple[State, Floats, Bools]:
    """The incumbent's decision, or a given one: next state, reward, ended."""
    seen = project.simulator.observe(state)
    allowed = allowed_actions(project.problem, project.simulator, state, seen)
    draw = rng.random(len(seen))
    taken = project.incumbent.propose(seen, allowed, draw).action if action is None else action
    step = project.simulator.step(state, taken, rng)
    return step.state, project.problem.reward(step.signals), step.terminated


def _two_actions(project: Project, state: State) -> tuple[Ints, Ints]:
    """Two actions of each world, drawn from those allowed; different wherever two are."""
    rng = np.random.default_rng(SEED + 1)
    seen = project.simulator.observe(state)
    allowed = allowed_actions(project.problem, project.simulator, state, seen)
    assert isinstance(project.problem.action, Discrete)
    one: Ints = np.asarray(random_actions(project.problem, len(seen), rng, allowed))
    left = np.ones((len(seen), project.problem.action.size), dtype=bool) if allowed is None else allowed.copy()
    left[np.arange(len(seen)), one] &= left.sum(axis=1) == 1
    other: Ints = np.asarray(random_actions(project.problem, len(seen), rng, left))
    return one, nearest_allowed(other, left)


def _future(
    project: Project, state: State, action: Ints, ahead: int, discount: float, seed: int
) -> tuple[Floats, Floats, Floats]:
    """The next situation in deviations, this reward and the discounted later ones."""
    state, now, ended = _step(project, state, action, np.random.default_rng([SEED, seed, 0]))
    seen = project.simulator.observe(state).astype(float)
    spread = seen.std(axis=0)
    following = np.where(ended[:, None], 0.0, seen / np.where(spread > 1e-9, spread, 1.0))
    following, later, alive = np.column_stack([following, ended]), np.zeros(len(now)), ~ended
    for index in range(1, ahead + 1):
        before = state
        state, reward, over = _step(project, state, None, np.random.default_rng([SEED, seed, index]))
        later += np.where(alive, discount**index * reward, 0.0)
        alive &= ~over
        if not alive.any():
            break
        state = state if alive.all() else put(state, ~alive, take(before, ~alive))
    return following, now[:, None], later[:, None]


def _product(first: Floats, second: Floats) -> Estimate:
    score = (first * second).sum(axis=1)
    n, value = len(score), float(score.mean())
    radius = float(stats.t.ppf(1 - ALPHA / 2, n - 1)) * float(score.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, value - radius, value + radius, n, float(n), "products of twin differences", "world", ALPHA)


def _p(found: Estimate) -> float:
    """One-sided p of no effect."""
    error = (found.high - found.value) / float(stats.t.ppf(1 - ALPHA / 2, found.n - 1))
    return float(stats.t.sf(found.value / error, found.n - 1)) if error > 0 else 1.0


def _share(later: float, now: float) -> float:
    then, at_once = math.sqrt(max(later, 0.0)), math.sqrt(max(now, 0.0))
    return then / (then + at_once) if then > 0 else 0.0


def sequential_twins(found: Twins) -> tuple[list[Finding], bool | None]:
    """Two findings, and whether the problem is one of sequences; None where too much chance hides it."""
    moves = _p(found.moved) < CERTAIN
    pays = _p(found.later) < CERTAIN and found.share >= LATER_SHARE
    little = found.later.high <= 0 or _share(found.later.high, found.now.value) < LATER_SHARE
    moved = Verdict.PASS if moves else Verdict.FAIL if found.moved.high <= 0 else Verdict.INCONCLUSIVE
    paid = Verdict.PASS if pays else Verdict.FAIL if little or moved is Verdict.FAIL else Verdict.INCONCLUSIVE
    how = "parts" if moves else "does not visibly part"
    next_words = f"another action {how} the next situation of the same world (p = {_p(found.moved):.2g})"
    paid_words = f"{100 * found.share:.0f} % of what an action moves comes later (p = {_p(found.later):.2g})"
    findings = [
        Finding("next_state", moved, next_words, found.moved),
        Finding("later_reward", paid, paid_words, found.later),
    ]
    return findings, {Verdict.PASS: True, Verdict.FAIL: False}.get(max(moved, paid))
