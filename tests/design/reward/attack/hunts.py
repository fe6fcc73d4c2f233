"""A hunt in a world that can be worked by hand: the walk along a line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.design.reward.hackable.family import Built, Parts
from tests.simulators.worlds import EndlessWalk, line_problem

from tenure.core import Reward, Term
from tenure.design.reward.attack.hunt import Effort, Hunt
from tenure.design.reward.conduct import Always

SMALL = Effort(lookahead=100_000, restarts=2, population=16, worlds=4, generations=8, ppo_steps=4096)


def line_hunt(simulator: Any = None, seed: int = 0, horizon: int = 5, **weights: float) -> Hunt:
    """A few steps on the line; the incumbent stays where it is. Weights replace the line's own reward."""
    problem = line_problem(horizon)
    if weights:
        terms = tuple(Term(name, weight, "points", "as tested") for name, weight in weights.items())
        problem = replace(problem, reward=Reward(terms))
    parts = Parts(problem, EndlessWalk() if simulator is None else simulator, Always(1, "stays"))
    return Hunt(Built(Path("nowhere"), parts=parts), SMALL, seed)
