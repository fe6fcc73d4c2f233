"""A constrained problem that can be solved by hand: run fast where it pays most, but not too often.

A step shows how much a fast run would make, x, uniform in [0, 1]; slow makes nothing. Fast heats by 1, and the mean
heat may be 0.4 at most. The best is to run fast above x = 0.6: the mean heat is then 0.4, the mean made is the integral
of x from 0.6 to 1, (1 - 0.36) / 2 = 0.32, and the weight under which this is the best without a limit too is 0.6.
"""

from __future__ import annotations

from pathlib import Path

from tenure.core.project import Project, load_project

THRESHOLD, MOST, MADE = 0.6, 0.4, 0.32

PROBLEM = """
from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Limit, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="hot",
    about="Fast or slow.",
    observation=(Feature("x", "units", 0, 1),),
    action=Discrete(("slow", "fast")),
    signals=(Signal("made", "units", 0, 1), Signal("heat", "runs", 0, 1), Signal("lost", "units", 0, 1)),
    reward=Reward((Term("made", 1.0, "$/unit", "it sells"),)),
    kpis=(KPI("lost", "units", "lower", {"lost": 1.0}), KPI("heat", "runs", "lower", {"heat": 1.0})),
    limits=(Limit("heat", "heat", 0.4, "it melts", held_by="lagrange"),),
    horizon=20,
    discount=0.9,
)

@dataclass(frozen=True)
class Above:
    threshold: float
    version: str = "above"

    def propose(self, observation, allowed, draw):
        fast = (observation[:, 0] > self.threshold).astype(np.int64)
        return Proposal(fast, np.ones(len(fast)))

incumbent = Above(0.9)
drafts = {"heat": Reward((Term("heat", 1.0, "$/run", "a draft that pays for heat"),))}
"""
SCENARIOS = """
from tenure import Behaviour, Order

behaviours = (Behaviour("fast", always="fast"), Behaviour("slow", always="slow"))
orders = (Order("fast > slow", because="what is made sells"),)
"""
BOUND = """
import numpy as np

def bound(panel):
    worlds = len(panel.worlds)
    return {"made": np.full(worlds, 20.0), "heat": np.full(worlds, 20.0), "lost": np.zeros(worlds)}
"""
SETTINGS = """
[train]
steps = 2048
worlds = 32
rollout = 32
batch = 256
checkpoint_every = 8
net = [8]
"""
SIMULATOR = """
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure import Panel, Step

@dataclass(frozen=True)
class Offer:
    x: np.ndarray

class Hot:
    version = "hot-1"
    levels = {"normal": 1.0, "dear": 0.5}

    def reset(self, n, rng, level="normal"):
        return Offer(rng.random(n))

    def panel(self, split, first_day=0, days=None):
        state = Offer(np.random.default_rng(len(split)).random(200))
        names = tuple(f"world-{number}" for number in range(200))
        return Panel(state, 20, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1), independent=True)

    def observe(self, state):
        return state.x[:, None].astype(np.float32)

    def step(self, state, action, rng):
        fast = action.astype(float)
        signals = {"made": fast * state.x, "heat": fast, "lost": (1 - fast) * state.x}
        return Step(Offer(rng.random(len(action))), signals, np.zeros(len(action), dtype=bool))

simulator = Hot()
"""


FILES = {
    "problem.py": PROBLEM,
    "simulator.py": SIMULATOR,
    "scenarios.py": SCENARIOS,
    "bound.py": BOUND,
    "tenure.toml": SETTINGS,
}


def hot_project(folder: Path, draft: str = "") -> Project:
    """The folder of that problem, or one of its drafts."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return load_project(f"{folder}:{draft}" if draft else folder)
