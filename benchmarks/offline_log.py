"""A log to learn from, of a case whose rules take turns; `python -m benchmarks.offline_log alarms log.csv`.

Each decision is the incumbent's or a rule's, one as likely as the other, and uniformly random with a share of a fifth;
the propensity is the exact probability of the action over all of that. The worlds are training worlds, so nothing that
is learned from such a log has seen the selection data.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Policy, Proposal
from tenure.core.project import load_project
from tenure.core.simulator import Panel
from tenure.core.spaces import Discrete
from tenure.core.trajectories import from_trace
from tenure.simulators.rollout import run
from tenure.store.bundles import sampled

RANDOM = 0.2
WORLDS, SEED = 200, 0


@dataclass
class Turns:
    """The policies' mean, with a share of uniform draws among what is allowed; it keeps the propensities."""

    policies: Sequence[Policy]
    actions: int
    version: str = "turns"
    propensities: list[Floats] = field(default_factory=list)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """An action by the draw, with its probability."""
        taken = [policy.propose(observation, allowed, draw).action for policy in self.policies]
        mean = np.mean([np.eye(self.actions)[each] for each in taken], axis=0)
        may = np.ones((len(draw), self.actions)) if allowed is None else allowed.astype(float)
        proposal = sampled((1 - RANDOM) * mean + RANDOM * may / may.sum(axis=1, keepdims=True), draw)
        self.propensities.append(proposal.confidence)
        return proposal


def write(case: str, path: Path) -> int:
    """Write the log of 200 training worlds over one horizon; gives the number of decisions."""
    project = load_project(case)
    problem, simulator = project.problem, project.simulator
    assert isinstance(problem.action, Discrete), "labels"
    like = simulator.panel("selection", 0, 1)
    state: Any = simulator.reset(WORLDS, np.random.default_rng(SEED))
    panel = Panel(state, problem.horizon, tuple(f"w{n:03d}" for n in range(WORLDS)), like.started_at, like.interval)
    policy = Turns([project.incumbent, *project.rules.values()], problem.action.size)
    trace = run(problem, simulator, policy, panel, seed=SEED).trace
    log, alive = from_trace(trace, problem.feature_names), trace.alive.T
    propensity, signals = np.array(policy.propensities).T[alive], sorted(problem.signal_names)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["episode_id", "step", "action", "propensity", *problem.feature_names, *signals])
        for row in range(len(log)):
            seen, got = log.observation[row].tolist(), [log.signals[name][row] for name in signals]
            who = [log.world[log.episode[row]], log.step[row], problem.action.labels[log.action[row]]]
            rows.writerow([*who, propensity[row], *seen, *got])
    return len(log)


def main(words: Sequence[str]) -> None:
    """Write what is asked for."""
    case, place = words
    sys.stdout.write(f"{write(case, Path(place)):,} decisions\n")


if __name__ == "__main__":
    main(sys.argv[1:])
