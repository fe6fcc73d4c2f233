"""The smallest world of vectors: name two numbers that depend on the one that is shown; worked by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core import KPI, Box, Feature, Panel, Problem, Proposal, Reward, Signal, Split, Step, Term
from tenure.core.arrays import Bools, Floats
from tenure.core.project import Project

STEPS, WORLDS = 10, 100


def steer_problem() -> Problem:
    """Shown x, the best is (x, 5 - 5 x); the centre misses by 1/12 + 25/12 over 1 and 25, a sixth on average."""
    return Problem(
        name="steer",
        about="Name two numbers.",
        observation=(Feature("x", "", low=0, high=1),),
        action=Box(("a", "b"), ("", ""), (0.0, 0.0), (1.0, 5.0)),
        signals=(Signal("miss", "", 0, 2),),
        reward=Reward((Term("miss", -1.0, "points", "the task"),)),
        kpis=(KPI("miss", "squared shares of the ranges", "lower", {"miss": 1.0}),),
        horizon=STEPS,
        discount=0.5,
    )


@dataclass(frozen=True)
class Shown:
    """What is shown."""

    x: Floats


@dataclass(frozen=True)
class Steer:
    """Draws x anew each step."""

    version: str = "steer"
    levels: dict[str, Any] = field(default_factory=lambda: {"normal": None})

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Shown:
        return Shown(rng.random(n))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        seed = {"train": 1, "selection": 2, "held_out": 3}[split]
        names = tuple(str(world) for world in range(WORLDS))
        state = self.reset(WORLDS, np.random.default_rng(seed))
        return Panel(state, STEPS, names, datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1), independent=True)

    def observe(self, state: Shown) -> Floats:
        return state.x[:, None].astype(np.float32)

    def step(self, state: Shown, action: Floats, rng: np.random.Generator) -> Step:
        miss = (action[:, 0] - state.x) ** 2 + (action[:, 1] / 5 - (1 - state.x)) ** 2
        return Step(self.reset(len(miss), rng), {"miss": miss}, np.zeros(len(miss), dtype=bool))


@dataclass(frozen=True)
class Centre:
    """Always the middle of both ranges."""

    version: str = "centre"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        n = len(observation)
        return Proposal(np.tile([0.5, 2.5], (n, 1)), np.ones(n))


def steer_project(folder: Path) -> Project:
    """The world as a project without files."""
    project = Project(folder)
    vars(project).update(problem=steer_problem(), simulator=Steer(), incumbent=Centre(), rules={}, bound=None)
    return project
