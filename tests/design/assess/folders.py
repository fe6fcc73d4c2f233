"""Project folders whose right answer is known, drawn from families: a seed gives parameters, the family the answer.

All five share one small file layout; a family says how its world starts, what a step does and what decides today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Rng = np.random.Generator

PROBLEM = '''"""{about}"""

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="drawn",
    about="{about}",
    observation=tuple(Feature(f"x{{k}}", "number", -100, 100) for k in range({features})),
    action=Discrete(tuple(f"a{{k}}" for k in range({actions}))),
    signals=(Signal("income", "EUR", -1000, 1000),),
    reward=Reward((Term("income", 1.0, "EUR/EUR", "what it earns"),)),
    kpis=(KPI("income", "EUR per decision", "higher", {{"income": 1}}),),
    horizon={horizon},
)


@dataclass(frozen=True)
class Today:
    version: str = "today"

    def propose(self, observation, allowed, draw):
        x, n = observation.astype(float), len(observation)
        return Proposal(np.asarray({today}, dtype=np.int64), np.ones(n))


incumbent = Today()
'''

SIMULATOR = '''"""The world of this folder."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure import Panel, Step

{constants}
FIRST = {{"train": 0, "selection": 1, "held_out": 2}}


@dataclass(frozen=True)
class World:
    x: np.ndarray


class Drawn:
    version = "1"
    levels = {{"normal": None}}

    def reset(self, n, rng, level="normal"):
        return World({start})

    def panel(self, split, first_day=0, days=None):
        state = self.reset(128, np.random.default_rng(FIRST[split]))
        names = tuple(f"world-{{k:03d}}" for k in range(128))
        return Panel(state, {horizon}, names, datetime(2025, 1, 1, tzinfo=UTC), timedelta(hours=1), independent=True)

    def observe(self, state):
        return state.x.astype(np.float32)

    def step(self, state, action, rng):
        x, n = state.x, len(state.x)
        rows = np.arange(n)
{step}
        return Step(World(new), {{"income": np.asarray(income, dtype=float)}}, np.zeros(n, dtype=bool))


simulator = Drawn()
'''


@dataclass(frozen=True)
class Folder:
    """The pieces in which families differ, as Python text."""

    about: str
    features: int
    actions: int
    horizon: int
    today: str
    constants: str
    start: str
    step: str

    def write(self, folder: Path) -> Path:
        """A project folder."""
        folder.mkdir(parents=True, exist_ok=True)
        fields = vars(self) | {"step": "\n".join(f"        {line}" for line in self.step.strip().splitlines())}
        (folder / "problem.py").write_text(PROBLEM.format(**fields))
        (folder / "simulator.py").write_text(SIMULATOR.format(**fields))
        (folder / "tenure.toml").write_text("")
        return folder


def _constant(name: str, values: object) -> str:
    return f"{name} = np.array({np.round(np.asarray(values), 4).tolist()})\n"


def plant(rng: Rng) -> Folder:
    """Three values drift from their targets; every action pushes all of them, each in its own way."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    push = rng.uniform(0.5, 0.8) * np.vstack([np.zeros(3), turn, -turn.sum(axis=0)])
    return Folder(
        about="Which valve to open", features=3, actions=5, horizon=40, today="np.zeros(n)",
        constants=_constant("PUSH", push) + _constant("COST", [0.0, *rng.uniform(0.02, 0.1, 4)]),
        start="rng.normal(size=(n, 3))",
        step="""
income = 5.0 - (x**2).sum(axis=1) / 3 - COST[action]
new = 0.95 * x + PUSH[action] + rng.normal(scale=0.3, size=x.shape)
""",
    )  # fmt: skip


def near_bandit_offers(rng: Rng) -> Folder:
    """Offers pay now by a taste that is drawn anew each time, and the hard ones use up goodwill."""
    taste = rng.uniform(1.2, 1.5) * np.linalg.qr(rng.normal(size=(6, 5)))[0]
    burn = [0.0, *rng.uniform(0.1, 0.2, 2), *rng.uniform(0.4, 0.6, 3)]
    return Folder(
        about="Which offer to make", features=7, actions=6, horizon=40, today="np.full(n, 1)",
        constants=_constant("TASTE", taste) + _constant("BURN", burn),
        start="np.column_stack([rng.normal(size=(n, 6)), rng.random(n)])",
        step="""
pay = np.column_stack([np.zeros(n), 1.0 + x[:, :6] @ TASTE])
income = x[:, 6] * pay[rows, action] + rng.normal(scale=0.1, size=n)
goodwill = np.clip(x[:, 6] * (1 - BURN[action]) + 0.08, 0, 1)
new = np.column_stack([rng.normal(size=(n, 6)), goodwill])
""",
    )  # fmt: skip


def near_rule_machines(rng: Rng) -> Folder:
    """Five machines wear out; one of them can be repaired at a time. One machine alone would need a threshold only."""
    pace = rng.uniform(0.06, 0.12, 5)
    harm = rng.uniform(2.0, 4.0, 5)
    return Folder(
        about="Which machine to repair", features=5, actions=6, horizon=40, today="np.where(x[:, 0] > 0.8, 1, 0)",
        constants=_constant("PACE", pace) + _constant("HARM", harm) + f"FEE = {rng.uniform(0.5, 1.0):.4f}\n",
        start="rng.random((n, 5))",
        step="""
income = 5.0 - (HARM * x**3).sum(axis=1) - FEE * (action > 0)
new = np.minimum(x + rng.exponential(PACE, x.shape), 1.5)
new[rows[action > 0], action[action > 0] - 1] = 0.0
""",
    )  # fmt: skip


def near_online_grid(rng: Rng) -> Folder:
    """A robot on a small floor with pits: sequential, yet tiny and without chance, so value iteration solves it."""
    size = int(rng.integers(5, 7))
    pits = (rng.random((size, size)) < 0.2).astype(float)
    pits[size - 1, size - 1] = 0.0
    return Folder(
        about="Where to step", features=2, actions=4, horizon=25, today="np.arange(n) * 0 + (x[:, 0] > 1)",
        constants=_constant("PITS", pits) + f"SIZE = {size}\n"
        + "MOVES = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])\n",
        start="rng.integers(0, SIZE, (n, 2)).astype(float)",
        step="""
new = np.clip(x + MOVES[action], 0, SIZE - 1)
at = new.astype(int)
home = (at == SIZE - 1).all(axis=1)
income = np.where(home, 1.0, -0.1) - 0.5 * PITS[at[:, 0], at[:, 1]]
""",
    )  # fmt: skip


def near_online_visitors(rng: Rng) -> Folder:
    """Visitors come and go by themselves, one after the other; what is shown to one changes nothing for the next."""
    taste = rng.uniform(1.0, 1.5) * np.linalg.qr(rng.normal(size=(5, 4)))[0]
    return Folder(
        about="What to show", features=5, actions=4, horizon=40, today="np.zeros(n)",
        constants=_constant("TASTE", taste) + f"KEEP = {rng.uniform(0.5, 0.9):.4f}\n",
        start="rng.normal(size=(n, 5))",
        step="""
income = 1.0 + (x @ TASTE)[rows, action] + rng.normal(scale=0.5, size=n)
new = KEEP * x + np.sqrt(1 - KEEP**2) * rng.normal(size=x.shape)
""",
    )  # fmt: skip


FOLDERS: Mapping[str, tuple[str, Callable[[Rng], Folder]]] = {
    "plant": ("online_rl", plant),
    "near_bandit_offers": ("online_rl", near_bandit_offers),
    "near_rule_machines": ("online_rl", near_rule_machines),
    "near_online_grid": ("rule_or_solver", near_online_grid),
    "near_online_visitors": ("bandit", near_online_visitors),
}
"""By name: the right answer, and what draws the folder."""
