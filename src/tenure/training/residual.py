"""Training an adjustment of the incumbent: the project as a learner of adjustments sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.residual import Residual
from tenure.core.simulator import Panel, Simulator, Split, State, Step
from tenure.core.spaces import Box, Discrete
from tenure.simulators.actions import allowed_actions


@dataclass(frozen=True)
class NoAdjustment:
    """Leaves the incumbent's action as it is; in worlds of adjustments it *is* the incumbent.

    Args:
        residual: bound of the adjustments.
        action: space of the problem's actions.
    """

    residual: Residual
    action: Discrete | Box
    version: str = "no-adjustment"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """No adjustment, for certain."""
        n = len(observation)
        return Proposal(self.residual.none(n, self.action), np.ones(n))


@dataclass(frozen=True)
class AdjustedWorlds:
    """A simulator whose actions are adjustments of the incumbent's; everything else is the simulator's own.

    Args:
        problem: with the actions that are really taken.
        simulator: of that problem.
        incumbent: decides first; its draw is taken from the worlds' chance.
        residual: bound of the adjustments.
    """

    problem: Problem
    simulator: Simulator
    incumbent: Policy
    residual: Residual

    @property
    def version(self) -> str:
        """Of the simulator, the incumbent and the bound."""
        told = f"{self.simulator.version}, {self.incumbent.version}, {self.residual}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    @property
    def levels(self) -> Mapping[str, Any]:
        """The simulator's."""
        return self.simulator.levels

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> State:
        """n fresh worlds."""
        return self.simulator.reset(n, rng, level)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """The simulator's."""
        return self.simulator.panel(split, first_day, days)

    def observe(self, state: State) -> Floats:
        """What the incumbent and the learner see; float32 [n, features]."""
        return self.simulator.observe(state)

    def step(self, state: State, action: Any, rng: np.random.Generator) -> Step:
        """The incumbent decides, the adjustment [n] or [n, numbers] is applied, and the worlds go on."""
        observation = self.simulator.observe(state)
        allowed = allowed_actions(self.problem, self.simulator, state, observation)
        base = self.incumbent.propose(observation, allowed, rng.random(len(observation))).action
        taken = self.residual.applied(self.problem.action, base, action, allowed)
        return self.simulator.step(state, taken, rng)
