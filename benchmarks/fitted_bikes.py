"""Errors and speed of a simulator fitted to a log of the bikes case; `python benchmarks/fitted_bikes.py`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np

from tenure import Proposal
from tenure.cases.bikes.problem import incumbent, problem
from tenure.cases.bikes.simulator import simulator
from tenure.core.arrays import Bools, Floats
from tenure.core.clock import SystemClock
from tenure.core.trajectories import Trajectories, from_trace
from tenure.simulators import run, steps_per_second
from tenure.simulators.fitted import fit_simulator

WORLDS, HOURS = 200, 72


@dataclass(frozen=True)
class Varied:
    """The incumbent, three times in ten with up to four bikes more or fewer."""

    version: str = "varied"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        proposal = incumbent.propose(observation, allowed, draw)
        extra = np.where(draw < 0.3, (draw / 0.3 * 9).astype(np.int64) - 4, 0)
        return replace(proposal, action=np.clip(proposal.action + extra, 0, 24))


def log() -> Trajectories:
    """What the varied incumbent met in training worlds."""
    panel = simulator.panel("train", 0, 1)
    state = simulator.reset(WORLDS, np.random.default_rng(0))
    worlds = replace(panel, state=state, steps=HOURS, worlds=tuple(f"world-{number}" for number in range(WORLDS)))
    return from_trace(run(problem, simulator, Varied(), worlds).trace, problem.feature_names)


def main() -> None:
    """Print errors and speed."""
    outside = tuple(name for name in problem.feature_names if name not in ("stock", "on_the_way"))
    found = fit_simulator(problem, log(), outside)
    say = sys.stdout.write
    say(f"simulator {simulator.version}; {found.sentence}\n")
    for one in found.errors.one_step:
        say(f"one step ahead, {one.name}: {one.error:.2f}, naive {one.naive:.2f}\n")
    for far in found.errors.roll_out:
        say(f"{far.steps} steps ahead: {far.error:.2f} standard deviations, naive {far.naive:.2f}\n")
    speed = steps_per_second(problem, found.simulator, 1024, 50, SystemClock())
    say(f"{speed:,.0f} steps/s at 1,024 worlds\n")


if __name__ == "__main__":
    main()
