"""Tunes both rules by grid on training and selection stations; `python -m tenure.cases.alarms.tune`, some minutes.

The incumbent gets the selection stations too, so that nobody can say it was held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import get_args

import numpy as np

from tenure import Panel, Policy, Split
from tenure.cases.alarms.problem import ByDemand, ByPlan, problem
from tenure.cases.alarms.simulator import simulator

ALARMS = (0.3, 0.6, 0.9)
LOSSES = (60, 100, 150, 200, 250)
URGENT = (16, 18, 20, 22, 24)
INSPECTS = (0.1, 0.2, 0.35, 1.1)
SPLITS: tuple[Split, ...] = get_args(Split)[:2]
DAYS = 7


def cost(rule: Policy) -> float:
    """Cost per hour of a rule over seven days of the training and the selection stations, in €."""
    return float(np.mean([_cost(rule, simulator.panel(split, days=DAYS)) for split in SPLITS]))


def _cost(rule: Policy, panel: Panel) -> float:
    state, rng, total = panel.state, np.random.default_rng(0), 0.0
    for _ in range(panel.steps):
        step = simulator.step(state, rule.propose(simulator.observe(state), None, np.zeros(0)).action, rng)
        state, total = step.state, total + problem.kpis[0].value(step.signals)
    return total / panel.steps


def rules() -> Iterator[Policy]:
    """Every point of both grids; an inspection threshold above 1 never inspects."""
    for alarm, inspect in product(ALARMS, INSPECTS):
        if inspect < alarm or inspect > 1:
            yield from (ByDemand(alarm, inspect, demand) for demand in range(3))
            yield from (ByPlan(alarm, *rest) for rest in product(LOSSES, URGENT, (inspect,), (False, True)))


def main() -> None:
    """Print every rule that is better than the last of its kind; the last lines stand in problem.py."""
    best: dict[str, float] = {}
    for rule in rules():
        found = cost(rule)
        if found < best.get(rule.version, np.inf):
            best[rule.version] = found
            sys.stdout.write(f"{found:.4f} € per hour  {rule}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
