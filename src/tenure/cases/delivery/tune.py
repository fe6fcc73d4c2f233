"""Tunes the incumbent by grid on train and selection towns; `python -m tenure.cases.delivery.tune`, minutes by hand.

It gets the selection towns too, by which the learner only chooses a checkpoint: nobody can say it was held down.

Windows that open within one window's length of the first count as equally soon, at most: beyond that it would be no
rule by windows. `nearest-order` in problem.py is the same rule without that limit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import get_args

from tenure import Panel, Policy, Split
from tenure.cases.delivery.problem import WINDOW, NearestWindow, problem
from tenure.cases.delivery.simulator import simulator
from tenure.simulators.rollout import run

AHEAD = (5, 10, 15, 20)
SOON = (0, 30, 45, WINDOW)
CROWD = (0, 0.5, 1)
PATIENCE = (3, 4, 6, 9)
SPLITS: tuple[Split, ...] = get_args(Split)[:2]
DAYS = 2


def panels() -> tuple[Panel, ...]:
    """What a rule is tuned on: two days of the train and of the selection towns."""
    return tuple(simulator.panel(split, days=DAYS) for split in SPLITS)


def cost(rule: Policy, worlds: tuple[Panel, ...]) -> float:
    """What a rule costs per order by the problem's own reward, in €; every panel of the same size."""
    costs = []
    for panel in worlds:
        signals = run(problem, simulator, rule, panel).trace.signals
        costs.append(-float(problem.reward(signals).sum() / signals["orders"].sum()))
    return sum(costs) / len(costs)


def rules() -> Iterator[NearestWindow]:
    """Every point of the grid."""
    for ahead, soon, crowd, patience in product(AHEAD, SOON, CROWD, PATIENCE):
        yield NearestWindow(ahead, soon, crowd, patience)


def main() -> None:
    """Print every rule that is better than all before it; the last one stands in problem.py."""
    best, worlds = float("inf"), panels()
    for rule in rules():
        found = cost(rule, worlds)
        if found < best:
            best = found
            sys.stdout.write(f"{found:.3f} € per order  {rule}\n")


if __name__ == "__main__":
    main()
