"""Two small worlds in which the newest observation is not enough, worked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core import KPI, Discrete, Feature, Panel, Problem, Reward, Signal, Split, Step, Term
from tenure.core.arrays import Floats, Ints
from tenure.core.project import Project

STEPS, WORLDS = 20, 200


def recall_problem() -> Problem:
    """Say what was asked for."""
    return Problem(
        name="recall",
        about="Name a bit that is not shown any more, or a sign that noise hides.",
        observation=(Feature("shown", "", low=-20, high=20),),
        action=Discrete(("no", "yes")),
        signals=(Signal("right", "", 0, 1),),
        reward=Reward((Term("right", 1.0, "points", "the task"),)),
        kpis=(KPI("right", "share", "higher", {"right": 1.0}),),
        horizon=STEPS,
        discount=0.9,
    )


@dataclass(frozen=True)
class Shown:
    """What is shown now, and what is asked for."""

    shown: Floats
    asked: Ints


@dataclass(frozen=True)
class Recall:
    """Each step shows a fair bit and asks for the one before it: half are right without a memory, all with one step."""

    version: str = "recall"
    levels: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", {"normal": None})

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Shown:
        first = rng.integers(0, 2, n)
        return Shown(first.astype(np.float32), first)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        seed = {"train": 1, "selection": 2, "held_out": 3}[split]
        state = self.reset(WORLDS, np.random.default_rng(seed))
        names = tuple(str(world) for world in range(WORLDS))
        return Panel(state, STEPS, names, datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1), independent=True)

    def observe(self, state: Shown) -> Floats:
        return state.shown[:, None].astype(np.float32)

    def step(self, state: Shown, action: Ints, rng: np.random.Generator) -> Step:
        right = (action == state.asked).astype(float)
        n = len(action)
        return Step(self.after(state, rng), {"right": right}, np.zeros(n, dtype=bool))

    def after(self, state: Shown, rng: np.random.Generator) -> Shown:
        """The bit that was shown is asked for next."""
        return Shown(rng.integers(0, 2, len(state.asked)).astype(np.float32), state.shown.astype(np.int64))


@dataclass(frozen=True)
class Noisy(Recall):
    """A sign, the same for a whole world, under noise of deviation 2: one look is right in 69 of 100."""

    version: str = "noisy"

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Shown:
        sign = rng.integers(0, 2, n)
        return Shown(self.seen(sign, rng), sign)

    def after(self, state: Shown, rng: np.random.Generator) -> Shown:
        return Shown(self.seen(state.asked, rng), state.asked)

    def seen(self, sign: Ints, rng: np.random.Generator) -> Floats:
        """The sign as -1 or 1, under noise."""
        return np.clip(2.0 * sign - 1 + rng.normal(0, 2, len(sign)), -20, 20).astype(np.float32)


def recall_project(simulator: Recall) -> Project:
    """Either world as a project; its incumbent always says yes."""
    from tests.simulators.worlds import Always

    project = Project(Path(__file__).parent)
    vars(project).update(problem=recall_problem(), simulator=simulator, incumbent=Always(1), rules={}, bound=None)
    return project
