"""Worlds in which a guide took the first decisions of each episode, ever fewer of them as a learner learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Ints
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State
from tenure.simulators.actions import allowed_actions
from tenure.simulators.batch import put, size, take


@dataclass(frozen=True)
class JumpStart:
    """How much of an episode the guide takes: a number of decisions drawn evenly up to a share of the horizon.

    Args:
        guide: takes them; its decisions are no part of what is learned from.
        share: of the horizon at the start of training, in (0, 1); falls evenly to 0.
        fades_over: decisions of training, over all worlds, until it is 0.

    Source: Uchendu et al. (2022), "Jump-start reinforcement learning", whose guide takes ever fewer steps; the even
    draw is theirs too ("random-switching").
    """

    guide: Policy
    share: float
    fades_over: int

    def lengths(self, horizon: int, n: int, done: int, rng: np.random.Generator) -> Ints:
        """Decisions the guide takes in each of n worlds, int64 [n], once so many decisions of training are done."""
        most = int(self.share * max(1 - done / self.fades_over, 0.0) * horizon)
        return rng.integers(0, min(most, horizon - 1) + 1, n)

    def led(
        self, problem: Problem, simulator: Simulator, state: State, lengths: Ints, rng: np.random.Generator
    ) -> tuple[State, Ints]:
        """Fresh worlds after the guide's decisions, and how many it took in each; int64 [n].

        A world that ends by itself under the guide begins where it stood just before.

        Args:
            problem, simulator: of the worlds.
            state: fresh.
            lengths: decisions to take in each.
            rng: chance of the worlds and of the guide's draws.
        """
        age, going = np.zeros(size(state), dtype=np.int64), np.flatnonzero(lengths > 0)
        while len(going):
            here = take(state, going)
            seen = simulator.observe(here)
            allowed = allowed_actions(problem, simulator, here, seen)
            step = simulator.step(here, self.guide.propose(seen, allowed, rng.random(len(going))).action, rng)
            on = ~step.terminated
            going = going[on]
            state = put(state, going, take(step.state, on)) if len(going) else state
            age[going] += 1
            going = going[age[going] < lengths[going]]
        return state, age
