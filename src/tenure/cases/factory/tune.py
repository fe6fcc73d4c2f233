"""Tunes both rules by grid on training and selection machines; `python -m tenure.cases.factory.tune`, some minutes.

The incumbent gets the selection machines too, so that nobody can say it was held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import get_args

import numpy as np

from tenure import Panel, Policy, Split
from tenure.cases.factory.problem import Foreman, Steady, problem
from tenure.cases.factory.simulator import simulator

COVERS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6)
HOT = (70, 80, 90)
WEARS = (6, 7, 8, 9, 10, 12)
QUIETS = (4, 7)
SPLITS: tuple[Split, ...] = get_args(Split)[:2]
DAYS = 7


def cost(rule: Policy) -> float:
    """Cost per hour of a rule over a week of the training and the selection machines, in €."""
    return float(np.mean([_cost(rule, simulator.panel(split, days=DAYS)) for split in SPLITS]))


def _cost(rule: Policy, panel: Panel) -> float:
    state, rng, total = panel.state, np.random.default_rng(0), 0.0
    for _ in range(panel.steps):
        step = simulator.step(state, rule.propose(simulator.observe(state), None, np.zeros(0)).action, rng)
        state, total = step.state, total + problem.kpis[0].value(step.signals)
    return total / panel.steps


def rules() -> Iterator[Policy]:
    """Every point of both grids."""
    for wear in WEARS:
        yield Steady(wear)
    for cover, hot, quiet_wear, any_wear, quiet in product(COVERS, HOT, WEARS, WEARS, QUIETS):
        if quiet_wear <= any_wear:
            yield Foreman(cover, hot, quiet_wear, any_wear, quiet)


def main() -> None:
    """Print every rule that is better than the last of its kind; the last lines stand in problem.py."""
    best: dict[str, float] = {}
    for rule in rules():
        found = cost(rule)
        if found < best.get(rule.version, np.inf):
            best[rule.version] = found
            sys.stdout.write(f"{found:.4f} € per hour  {rule}\n")


if __name__ == "__main__":
    main()
