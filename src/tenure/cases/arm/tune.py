"""Tunes the controllers by grid on train and selection targets; `python -m tenure.cases.arm.tune`, a minute by hand.

They get more targets than the learner is selected on, so that nobody can say they were held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import product

from tenure import Panel, Policy
from tenure.cases.arm.problem import Pull, Spring, problem
from tenure.cases.arm.simulator import simulator
from tenure.simulators.rollout import run

STIFFNESS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.5)
DAMPING = (0.06, 0.08, 0.1, 0.12, 0.15)
FORCE = (80.0, 120.0, 160.0, 240.0)
DRAG = (0.1, 0.15, 0.2, 0.3, 0.4)


def cost(rule: Policy, panels: tuple[Panel, ...]) -> float:
    """Points per move of a rule over all targets of the panels, each panel of the same size."""
    kpi = problem.kpis[0]
    costs = [kpi.value(run(problem, simulator, rule, panel).trace.signals) for panel in panels]
    return sum(costs) / len(costs)


def springs() -> list[Spring]:
    """Every point of the grid of springs."""
    return [Spring(*numbers) for numbers in product(STIFFNESS, DAMPING)]


def pulls() -> list[Pull]:
    """Every point of the grid of pulls."""
    return [Pull(*numbers) for numbers in product(FORCE, DRAG)]


def main() -> None:
    """Print every rule that is better than all before it of its kind; the last ones stand in problem.py."""
    panels = (simulator.panel("train"), simulator.panel("selection"))
    kinds: tuple[Iterable[Policy], ...] = (springs(), pulls())
    for kind in kinds:
        best = float("inf")
        for rule in kind:
            found = cost(rule, panels)
            if found < best:
                best = found
                sys.stdout.write(f"{found:.2f} points per move  {rule}\n")


if __name__ == "__main__":
    main()
