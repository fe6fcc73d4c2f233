"""A small world whose best value is known by hand, to be broken by one setting.

Ten decisions; `now` pays 0.2 at once, every `wait` 1 at the end of the episode. Always `now` earns 0.2 per decision,
always `wait` 1.0. To a discount of 0.1 a `wait` with k decisions to go is worth 0.1 ** k, more than 0.2 at the last one
only: (9 * 0.2 + 1) / 10 = 0.28.
"""

from __future__ import annotations

from pathlib import Path

from tenure.core.project import Project, load_project
from tenure.training import PPOSettings

GOOD, HASTY = 1.0, 0.28
SETTINGS = PPOSettings(
    steps=8_192, worlds=64, rollout=10, batch=640, epochs=6, checkpoint_every=12, net=(16,), learning_rate=0.01,
    entropy=0.02, baseline=False,
)  # fmt: skip

PROBLEM = """
from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="walk",
    about="Take little now, or wait for much.",
    observation=(Feature("time", "decisions", 0, 10), Feature("kept", "share", 0, 1)),
    action=Discrete(("now", "wait")),
    signals=(Signal("paid", "$", 0, 10), Signal("haste", "$", 0, 1)),
    reward=Reward((Term("paid", {pays}, "$/$", "it pays"), Term("haste", {haste}, "$/$", "now is now"))),
    kpis=(KPI("gained", "$", "higher", {{"paid": 1.0, "haste": 1.0}}),),
    horizon=10,
    discount=0.99,
)

@dataclass(frozen=True)
class Hasty:
    version: str = "hasty"

    def propose(self, observation, allowed, draw):
        return Proposal((draw < 0.2).astype(np.int64), np.ones(len(observation)))

incumbent = Hasty()
"""
SIMULATOR = """
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure import Panel, Step

@dataclass(frozen=True)
class Walk:
    time: np.ndarray
    waited: np.ndarray

class Walks:
    version = "walk-1"
    levels = {"normal": None}

    def reset(self, n, rng, level="normal"):
        return Walk(np.zeros(n), np.zeros(n))

    def panel(self, split, first_day=0, days=None):
        names = tuple(f"world-{number}" for number in range(64))
        return Panel(self.reset(64, None), 10, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1),
            independent=True)

    def observe(self, state):
        return np.stack([state.time, state.waited / np.maximum(state.time, 1)], axis=1).astype(np.float32)

    def step(self, state, action, rng):
        time, waited = state.time + 1, state.waited + action
        paid = np.where(time == 10, waited, 0.0)
        signals = {"paid": paid, "haste": 0.2 * (action == 0)}
        return Step(Walk(time, waited), signals, np.zeros(len(action), dtype=bool))

simulator = Walks()
"""
BOUND = """
import numpy as np

def bound(panel):
    return {"paid": np.full(len(panel.worlds), 10.0), "haste": np.zeros(len(panel.worlds))}
"""


def walk(folder: Path, pays: float = 1.0, haste: float = 1.0) -> Project:
    """The folder of that problem.

    Args:
        folder: made where it is missing.
        pays, haste: weights of the reward; 1 each is what the KPI counts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "problem.py").write_text(PROBLEM.format(pays=pays, haste=haste))
    (folder / "simulator.py").write_text(SIMULATOR)
    (folder / "bound.py").write_text(BOUND)
    return load_project(folder)
