"""Tunes both rules by grid on training and selection pumps; `python -m tenure.cases.alarms.tune`, some minutes.

The incumbent gets the selection pumps too, so that nobody can say it was held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import get_args

import numpy as np

from tenure import Panel, Policy, Split
from tenure.cases.alarms.problem import ByShift, QuietLoad, problem
from tenure.cases.alarms.simulator import simulator

ALARMS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
INSPECTS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 1.1)
NIGHTS = (0.9, 0.98, 1.1)
SPARES = (0, 6, 12, 18)
SPLITS: tuple[Split, ...] = get_args(Split)[:2]
DAYS = 8


def cost(rule: Policy) -> float:
    """Cost per hour of a rule over eight days of the training and the selection pumps, in €."""
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
            yield from (QuietLoad(alarm, inspect, load) for load in range(3))
            yield from (ByShift(alarm, inspect, night, spare) for night, spare in product(NIGHTS, SPARES))


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
