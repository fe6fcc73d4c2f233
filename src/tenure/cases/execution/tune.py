"""Tunes the schedules by grid on training and selection desks; `python -m tenure.cases.execution.tune`, some minutes.

The incumbent gets the selection desks too, so that nobody can say it was held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import get_args

import numpy as np

from tenure import Policy, Split
from tenure.cases.execution.problem import Schedule, problem
from tenure.cases.execution.simulator import simulator
from tenure.simulators.rollout import run

FRONTS = (0.75, 1.0, 1.5, 2.0, 2.25, 2.5, 3.0, 3.5)
FOLLOWS = (0.25, 0.5, 0.75, 1.0, 1.5)
SPLITS: tuple[Split, ...] = get_args(Split)[:2]
DAYS = 7


def cost(rule: Policy) -> float:
    """Cost per order of a rule over a week of the training and the selection desks, in bp."""
    return float(np.mean([_cost(rule, split) for split in SPLITS]))


def _cost(rule: Policy, split: Split) -> float:
    return run(problem, simulator, rule, simulator.panel(split, days=DAYS)).trace.kpi(problem.kpis[0])


def rules() -> Iterator[Schedule]:
    """Every point of both grids."""
    for front in FRONTS:
        yield Schedule(front)
        for follow in FOLLOWS:
            yield Schedule(front, follow, "participation")


def main() -> None:
    """Print every rule that is better than the last of its kind; the last lines stand in problem.py."""
    best: dict[str, float] = {}
    for rule in rules():
        found = cost(rule)
        if found < best.get(rule.version, np.inf):
            best[rule.version] = found
            sys.stdout.write(f"{found:.4f} bp per order  {rule}\n")


if __name__ == "__main__":
    main()
