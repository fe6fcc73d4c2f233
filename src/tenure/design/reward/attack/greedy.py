"""Lookahead in copies of the worlds: the best next reward, and the best reward if the incumbent goes on from there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Proposal
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.core.simulator import Panel, Simulator, State, Step
from tenure.core.trace import Trace
from tenure.design.reward.attack.hunt import Candidate, Hunt
from tenure.design.reward.conduct import SEED
from tenure.simulators.batch import take
from tenure.simulators.rollout import run

MOST_FOLLOW = 12
"""Steps the incumbent goes on for after a tried action, at most."""
TIE = 1e-9
"""Share of the values' size below which the choice is left to chance, so that no index is favoured."""


@dataclass
class _Window:
    """A simulator through which somebody else sees the state that was observed last."""

    simulator: Simulator
    state: State = None

    def observe(self, state: State) -> Floats:
        self.state = state
        return self.simulator.observe(state)

    def step(self, state: State, action: Ints, rng: np.random.Generator) -> Step:
        return self.simulator.step(state, action, rng)

    def __getattr__(self, name: str) -> object:
        return getattr(self.simulator, name)  # mask, where there is one


@dataclass
class _Lookahead:
    """Tries every allowed action in a copy of each world and takes the best."""

    project: Project
    window: _Window
    reward: Reward
    panel: Panel
    follow: int
    chance: np.random.Generator
    version: str = "lookahead"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """The action of the highest value in every row."""
        labels = getattr(self.project.problem.action, "labels", ())
        legal = np.ones((len(observation), len(labels)), dtype=bool) if allowed is None else allowed
        worlds, actions = np.nonzero(legal)
        value = np.full(legal.shape, -np.inf)
        value[worlds, actions] = self._values(take(self.window.state, worlds), actions)
        return Proposal(value.argmax(axis=1), np.ones(len(value)))

    def _values(self, state: State, action: Ints) -> Floats:
        step = self.project.simulator.step(state, action, self.chance)
        value = np.array(self.reward(step.signals))
        alive = ~step.terminated
        if self.follow and alive.any():
            value[alive] += self._followed(take(step.state, alive), int(alive.sum()))
        return np.asarray(value + TIE * (np.abs(value).mean() + TIE) * self.chance.random(len(value)))

    def _followed(self, state: State, n: int) -> Floats:
        """What the incumbent earns from there."""
        panel = replace(self.panel, state=state, steps=self.follow, worlds=("",) * n)
        seed = int(self.chance.integers(2**31))
        project = self.project
        trace = run(project.problem, project.simulator, project.incumbent, panel, seed=seed).trace
        return np.asarray(self.reward(trace.signals).sum(axis=0))


def greedy(hunt: Hunt) -> Iterable[Candidate]:
    """The action with the best next reward, by the whole reward and by each term."""
    for name, reward in hunt.rewards().items():
        yield Candidate(f"greedy for {name}", partial(_play, hunt, reward, False))


def improved_incumbent(hunt: Hunt) -> Iterable[Candidate]:
    """The action with the best reward if the incumbent decides from then on: one step of policy iteration.

    Starts where today's rule already is, so that a small slack of the reward shows even where nothing cheap could
    learn the whole task. Source: the rollout algorithm, Tesauro and Galperin (1996).
    """
    if hunt.project.problem.horizon > 1:
        reward = hunt.project.problem.reward
        yield Candidate("incumbent with lookahead", partial(_play, hunt, reward, True))


def _play(hunt: Hunt, reward: Reward, ahead: bool, panel: Panel) -> Trace:
    project, window = hunt.project, _Window(hunt.project.simulator)
    tried = len(panel.worlds) * hunt.actions.size * panel.steps
    follow = min(MOST_FOLLOW, max(hunt.effort.lookahead // tried, 1), panel.steps - 1) if ahead else 0
    policy = _Lookahead(project, window, reward, panel, follow, np.random.default_rng([hunt.seed, SEED]))
    return run(project.problem, window, policy, panel, seed=SEED).trace  # type: ignore[arg-type]
