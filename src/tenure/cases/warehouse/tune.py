"""Tunes the incumbent by grid on train and selection orders; `python -m tenure.cases.warehouse.tune`, a minute by hand.

It gets more orders than the learner is selected on, so that nobody can say it was held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product

from tenure import Panel, Policy
from tenure.cases.warehouse.problem import NearestItem, problem
from tenure.cases.warehouse.simulator import simulator
from tenure.simulators.rollout import run

REACH = (8, 10, 12, 14, 16, 18, 20, 25)
CAUTION = (0, 1, 2)
SECOND = (False, True)


def cost(rule: Policy, panels: tuple[Panel, ...]) -> float:
    """Points per order of a rule over all orders of the panels, each panel of the same size."""
    kpi = problem.kpis[0]
    costs = [kpi.value(run(problem, simulator, rule, panel).trace.signals) for panel in panels]
    return sum(costs) / len(costs)


def rules() -> Iterator[NearestItem]:
    """Every point of the grid."""
    for reach, caution, second in product(REACH, CAUTION, SECOND):
        yield NearestItem(reach, caution, second)


def main() -> None:
    """Print every rule that is better than all before it; the last one stands in problem.py."""
    panels = (simulator.panel("train"), simulator.panel("selection"))
    best = float("inf")
    for rule in rules():
        found = cost(rule, panels)
        if found < best:
            best = found
            sys.stdout.write(f"{found:.2f} points per order  {rule}\n")


if __name__ == "__main__":
    main()
