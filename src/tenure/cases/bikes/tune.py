"""Tunes both rules by grid on January to September; `python -m tenure.cases.bikes.tune`, some minutes by hand.

The incumbent gets more data than the learner (September included), so that nobody can say it was held down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product

import numpy as np

from tenure import Policy
from tenure.cases.bikes.data import TRAIN_DAYS
from tenure.cases.bikes.problem import BaseStock, TwoSided, problem
from tenure.cases.bikes.simulator import simulator

QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.975, 0.98, 0.99, 1.0)
EXPONENTS = (0.0, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5)
DEAD_BANDS = (0, 1, 2, 3, 5, 8)


def cost(rule: Policy) -> float:
    """Cost per district-hour of a rule over January to September."""
    panel = simulator.stretch(0, TRAIN_DAYS + 30)
    state, rng, total = panel.state, np.random.default_rng(0), 0.0
    for _ in range(panel.steps):
        proposal = rule.propose(simulator.observe(state), None, np.zeros(0))
        step = simulator.step(state, proposal.action, rng)
        state, total = step.state, total - float(problem.reward(step.signals).sum())
    return total / (panel.steps * len(panel.worlds))


def rules() -> Iterator[Policy]:
    """Every point of both grids."""
    for quantile, exponent, dead_band in product(QUANTILES, EXPONENTS, DEAD_BANDS):
        yield BaseStock(quantile, exponent, dead_band)
    for low, high, exponent in product(QUANTILES, QUANTILES, EXPONENTS):
        if low < high:
            yield TwoSided(low, high, exponent)


def main() -> None:
    """Print the best rule of each kind as it stands in problem.py."""
    best: dict[str, tuple[float, Policy]] = {}
    for rule in rules():
        found = cost(rule)
        if rule.version not in best or found < best[rule.version][0]:
            best[rule.version] = (found, rule)
            sys.stdout.write(f"{found:.4f} $ per district-hour  {rule}\n")


if __name__ == "__main__":
    main()
