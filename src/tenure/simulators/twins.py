"""What one decision changes: the same world twice, once with the policy's action, once with the incumbent's.

The worlds of both twins meet the same chance, and the policy takes every later decision in both. So what they differ
in is one decision, and "at least as good as the incumbent's" is an event that can be counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.logged import Hashes
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator, State
from tenure.evaluation.shadow.calibration import Calibration, calibration
from tenure.evaluation.shadow.log import hashed
from tenure.simulators.actions import Actions, allowed_actions
from tenure.simulators.batch import put, size, take
from tenure.simulators.walk import given_step

GOOD = "the decision brought at least as much reward as the incumbent's would have in its place"


@dataclass(frozen=True)
class Twins:
    """Situations a policy came into, and how its decision there turned out.

    Args:
        observation: what it saw; float32 [n, features].
        confidence: how sure it said it was, in [0, 1]; [n].
        gain: discounted reward of its action less that of the incumbent's; [n]. 0 where both do the same.
        unit: hash of what is independent, a world or a day that worlds share; [n].
    """

    observation: Floats
    confidence: Floats
    gain: Floats
    unit: Hashes

    @property
    def good(self) -> Bools:
        """Whether the decision was at least as good as the incumbent's; [n]."""
        return self.gain >= 0

    def said(self, confidence: Floats) -> Twins:
        """The same situations with another confidence."""
        return Twins(self.observation, confidence, self.gain, self.unit)


@dataclass(frozen=True)
class Reliability:
    """Whether a confidence can be believed.

    Args:
        calibration: the confidence against what came of it, with the expected calibration error.
        good: share of decisions at least as good as the incumbent's, in [0, 1].
        skill: share of the squared error of always saying `good` that the confidence takes away, at most 1; 0 or less:
            it tells no situation from another.

    Source: Brier (1950), "Verification of forecasts expressed in terms of probability".
    """

    calibration: Calibration
    good: float
    skill: float

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**self.calibration.as_dict(), "share_good": self.good, "skill": self.skill}


def reliability(twins: Twins) -> Reliability:
    """The confidence of situations against how they turned out.

    Raises:
        EvidenceError: as `calibration`.
    """
    found = calibration(twins.confidence, twins.good, twins.unit, meaning=GOOD)
    good = float(twins.good.mean())
    alone = good * (1 - good)
    error = float(((twins.confidence - twins.good) ** 2).mean())
    return Reliability(found, good, 1 - error / alone if alone else 0.0)


def twins(
    problem: Problem,
    simulator: Simulator,
    policy: Policy,
    incumbent: Policy,
    panel: Panel,
    *,
    within: int,
    situations: int,
    seed: int = 0,
) -> Twins:
    """Let a policy decide in every world of a panel, and try the incumbent's action in its place every few steps.

    Args:
        problem: states reward, discount and actions.
        simulator: steps the worlds.
        policy: decides; one that is shown plain observations.
        incumbent: whose action is tried.
        panel: the worlds; nothing is simulated beyond its last step.
        within: decisions over which the reward is added up, the first included; at least 1.
        situations: about how many are wanted; steps are taken at equal distances.
        seed: of all chance.
    """
    starts = range(max(1, panel.steps - within + 1))
    every = max(1, len(starts) * size(panel.state) // max(1, situations))
    found = [
        _branched(problem, simulator, (policy, incumbent), here, min(within, panel.steps), [seed, 1, here.index])
        for here in _walk(problem, simulator, policy, panel, seed)
        if here.index in starts and here.index % every == 0
    ]
    rows = [np.concatenate(column) for column in zip(*found, strict=True)]
    observation, confidence, gain, index, world = rows
    return Twins(observation, confidence, gain, _units(panel, index, world))


@dataclass(frozen=True)
class _Here:
    """Worlds at one step of a walk: their state, who still lives, what is seen and allowed, and the policy's draw."""

    index: int
    state: State
    alive: Bools
    observation: Floats
    allowed: Bools | None
    draw: Floats


def _walk(problem: Problem, simulator: Simulator, policy: Policy, panel: Panel, seed: int) -> Iterator[_Here]:
    state, alive = panel.state, np.ones(size(panel.state), dtype=bool)
    for index in range(panel.steps):
        if not alive.any():
            return
        chance = np.random.default_rng([seed, 0, index])
        observation = simulator.observe(state)
        allowed = allowed_actions(problem, simulator, state, observation)
        draw = chance.random(len(observation))
        yield _Here(index, state, alive, observation, allowed, draw)
        action = policy.propose(observation, allowed, draw).action
        state, _, alive = _stepped(problem, simulator, state, action, alive, chance)


def _branched(
    problem: Problem,
    simulator: Simulator,
    deciders: tuple[Policy, Policy],
    here: _Here,
    within: int,
    seed: list[int],
) -> tuple[Floats, Floats, Floats, Any, Any]:
    """Observation, confidence, gain, step and world of every living world; twins are stepped where actions differ."""
    ours, theirs = (one.propose(here.observation, here.allowed, here.draw) for one in deciders)
    differ = here.alive & _other(ours.action, theirs.action)
    gain = np.zeros(len(differ))
    if differ.any():
        state = take(here.state, differ)
        mine, other = (
            _gained(problem, simulator, deciders[0], state, one.action[differ], within, seed) for one in (ours, theirs)
        )
        gain[differ] = mine - other
    world = np.flatnonzero(here.alive)
    index = np.full(len(world), here.index)
    return here.observation[world], np.asarray(ours.confidence)[world], gain[world], index, world


def _other(one: Actions, other: Actions) -> Bools:
    same = np.asarray(one == other)
    return np.asarray(~(same.all(axis=1) if same.ndim == 2 else same))


def _gained(
    problem: Problem, simulator: Simulator, policy: Policy, state: State, action: Actions, within: int, seed: list[int]
) -> Floats:
    """Discounted reward of an action and of what the policy does after it; [worlds]."""
    alive, total, weight = np.ones(size(state), dtype=bool), np.zeros(size(state)), 1.0
    for step in range(within):
        chance = np.random.default_rng([*seed, step])
        if step:
            observation = simulator.observe(state)
            allowed = allowed_actions(problem, simulator, state, observation)
            action = policy.propose(observation, allowed, chance.random(len(observation))).action
        state, reward, alive = _stepped(problem, simulator, state, action, alive, chance)
        total, weight = total + weight * reward, weight * problem.discount
    return total


def _stepped(
    problem: Problem, simulator: Simulator, state: State, action: Actions, alive: Bools, chance: np.random.Generator
) -> tuple[State, Floats, Bools]:
    """The next state, the reward and who still lives; worlds that ended keep their last living state and earn 0."""
    step = given_step(simulator.step(state, action, chance))
    reward = np.where(alive, problem.reward(step.signals), 0.0)
    left = alive & ~step.terminated
    kept = step.state if left.all() else put(step.state, ~left, take(state, ~left))
    return kept, reward, left


def _units(panel: Panel, index: Any, world: Any) -> Hashes:
    if panel.independent:
        return hashed([panel.worlds[one] for one in world])
    return hashed([str((panel.started_at + int(one) * panel.interval).date()) for one in index])


def fresh_panel(simulator: Simulator, worlds: int, steps: int, rng: np.random.Generator, level: str) -> Panel:
    """Training worlds as a panel: each drawn by itself."""
    names = tuple(f"world {number}" for number in range(worlds))
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return Panel(simulator.reset(worlds, rng, level), steps, names, start, timedelta(hours=1), independent=True)
