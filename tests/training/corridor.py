"""A corridor that dynamic programming solves by hand, and logs of timid and of good walkers in it.

Cells 0 to 4; a step left or right costs 0.1, standing at 4 pays 1, standing at 0 pays 0.3, standing elsewhere nothing.
With a discount of 0.9, walking right is best everywhere: even from 0 it is worth 0.9 ** 4 / 0.1 less the four steps,
6.22, against 0.3 / 0.1 = 3 for standing there. Over 20 decisions from a start in each cell alike, 18 at the end less 2
steps make (18 - 0.2) / 20 = 0.89 per decision; all walking left make (18 * 0.3 - 0.2) / 20 = 0.26.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Policy, Proposal
from tenure.core.project import Project, load_project
from tenure.core.spaces import Discrete
from tenure.core.trajectories import from_trace
from tenure.simulators.rollout import run

BEST, TIMID, END = 0.89, 0.26, 4
LEFT, STAY, RIGHT = 0, 1, 2

PROBLEM = """
from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="corridor",
    about="Left or right.",
    observation=(Feature("cell", "cells", 0, 4),),
    action=Discrete(("left", "stay", "right")),
    signals=(Signal("paid", "$", 0, 1), Signal("moved", "cells", 0, 1), Signal("end", "decisions", 0, 1)),
    reward=Reward((Term("paid", 1.0, "$/$", "it pays"), Term("moved", -0.1, "$/cell", "steps tire"))),
    kpis=(KPI("gained", "$", "higher", {"paid": 1.0, "moved": -0.1}),
        KPI("at the end", "share", "higher", {"end": 1.0})),
    horizon=20,
    discount=0.9,
)

@dataclass(frozen=True)
class Timid:
    version: str = "timid"

    def propose(self, observation, allowed, draw):
        return Proposal((observation[:, 0] == 0).astype(np.int64), np.ones(len(observation)))

incumbent = Timid()
"""
SCENARIOS = """
from tenure import Behaviour, Order

behaviours = (Behaviour("stay", always="stay"), Behaviour("left", always="left"))
orders = (Order("stay > left", because="what pays counts"),)
"""
SIMULATOR = """
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure import Panel, Step

@dataclass(frozen=True)
class Walker:
    cell: np.ndarray

class Corridor:
    version = "corridor-1"
    levels = {"normal": None}

    def reset(self, n, rng, level="normal"):
        return Walker(rng.integers(0, 5, n))

    def panel(self, split, first_day=0, days=None):
        names = tuple(f"world-{number}" for number in range(210))
        return Panel(Walker(np.arange(210) % 5), 20, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1),
            independent=True)

    def observe(self, state):
        return state.cell[:, None].astype(np.float32)

    def step(self, state, action, rng):
        cell = np.clip(state.cell + action - 1, 0, 4)
        stood = action == 1
        paid = np.where(stood & (state.cell == 4), 1.0, np.where(stood & (state.cell == 0), 0.3, 0.0))
        signals = {"paid": paid, "moved": (~stood).astype(float), "end": (cell == 4).astype(float)}
        return Step(Walker(cell), signals, np.zeros(len(action), dtype=bool))

simulator = Corridor()
"""


def corridor(folder: Path) -> Project:
    """The folder of that problem."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "problem.py").write_text(PROBLEM)
    (folder / "simulator.py").write_text(SIMULATOR)
    (folder / "scenarios.py").write_text(SCENARIOS)
    return load_project(folder)


@dataclass(frozen=True)
class Mixed:
    """Of ten worlds with one start five are walked by the timid rule, three by a good one and two at random; a fifth of
    the decisions of all are random."""

    version: str = "mixed"

    def distribution(self, observation: Floats) -> Floats:
        """Of one row per world, in order; [n, 3]."""
        walker = np.arange(len(observation)) // (END + 1) % 10
        cell = observation[:, 0]
        own = np.where(walker < 5, np.where(cell == 0, STAY, LEFT), np.where(cell == END, STAY, RIGHT))
        certain = np.where(walker < 8, 0.8, 0.0)[:, None]
        return np.asarray(certain * np.eye(3)[own] + (1 - certain) / 3)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        share = self.distribution(observation)
        action = (share.cumsum(axis=1) > draw[:, None]).argmax(axis=1)
        return Proposal(action, share[np.arange(len(action)), action], share)


@dataclass(frozen=True)
class Expert:
    """Right, and at the end stay."""

    version: str = "expert"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.where(observation[:, 0] == END, STAY, RIGHT), np.ones(len(observation)))


def log_of(project: Project, policy: Policy, path: Path, seed: int = 0) -> Path:
    """What a policy did in 210 worlds as a table with propensities; gives the path."""
    problem, propensities = project.problem, list[Floats]()

    class Recorded:
        version = policy.version

        def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
            proposal = policy.propose(observation, allowed, draw)
            propensities.append(proposal.confidence)
            return proposal

    trace = run(problem, project.simulator, Recorded(), project.simulator.panel("train"), seed=seed).trace
    log, shares = from_trace(trace, problem.feature_names), np.array(propensities).T.ravel()
    assert isinstance(problem.action, Discrete)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["episode_id", "step", "action", "propensity", "cell", "paid", "moved", "end", "reward"])
        for row in range(len(log)):
            paid, moved, end = (log.signals[name][row] for name in ("paid", "moved", "end"))
            episode, label = log.world[log.episode[row]], problem.action.labels[int(log.action[row])]
            cell = log.observation[row, 0]
            rows.writerow([episode, log.step[row], label, shares[row], cell, paid, moved, end, paid - 0.1 * moved])
    return path
