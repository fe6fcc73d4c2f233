"""The bound: the best that any policy can do, by dynamic programming on what can be known of a pump.

Nobody sees the fault, so the state is the risk (the posterior, a sufficient statistic: Astrom 1965) with load and hour.
The cost to go is concave in the risk, so linear interpolation between grid points never overstates it (Lovejoy 1991):
`best_plan` gives a cost that no policy can undercut in the mean, and a policy that comes within a fraction of a percent
of it. The bound's signals are those this policy meets in these very worlds, with the same chance as everybody else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tenure import Panel
from tenure.core.arrays import Floats, Ints

from .problem import ALARM, INSPECT, SERVICE, WAIT, problem
from .simulator import (
    FAILURE_CHANCE,
    LEVELS,
    NEXT_LOAD,
    OUTPUT,
    after_reading,
    ageing,
    consequences,
    is_night,
    reading_chances,
    simulator,
    survived,
)

GRID = np.concatenate([[0.0], 1 / (1 + np.exp(-np.linspace(-8, 8, 199))), [1.0]])
"""Risks at which the cost to go is computed: dense near 0 and 1."""
LOADS = np.arange(len(OUTPUT))
NORMAL = list(LEVELS).index("normal")


def bound(panel: Panel) -> dict[str, Floats]:
    """Signals of the best policy over a panel of pumps at the normal level; each total, [worlds]."""
    first = int(panel.state.hour[0])
    plan, _ = best_plan(first % SERVICE, panel.steps)
    state, rng = panel.state, np.random.default_rng(0)
    totals: dict[str, Floats] = {}
    for _ in range(panel.steps):
        step = simulator.step(state, best_action(plan[int(state.hour[0]) - first], state.risk, state.load), rng)
        state = step.state
        totals = {name: totals.get(name, 0.0) + values for name, values in step.signals.items()}
    return totals


@cache
def best_plan(hour: int, steps: int) -> tuple[Floats, Floats]:
    """Expected cost of every action at every step, and the least expected cost from each state.

    Args:
        hour: hours since the last planned service at the first step.
        steps: decisions until the end.

    Returns:
        [steps, actions, risks, loads] and [risks, loads], in €.
    """
    cost = np.zeros((len(GRID), len(LOADS)))
    plan = np.zeros((steps, 3, *cost.shape), dtype=np.float32)
    for step in reversed(range(steps)):
        plan[step] = values = action_costs((hour + step) % SERVICE, cost)
        cost = values.min(axis=0)
    return plan, cost


def best_action(costs: Floats, risk: Floats, load: Ints) -> Ints:
    """The cheapest action of each pump, the costs interpolated between the risks of the grid; [n].

    Args:
        costs: of each action, risk and load.
        risk: of each pump.
        load: of each pump.
    """
    return np.asarray(np.stack([interpolated(action, risk, load) for action in costs]).argmin(axis=0))


def action_costs(hour: int, after: Floats) -> Floats:
    """Expected cost of each action at every risk and load, now and later.

    Args:
        hour: hours since the last planned service.
        after: least expected cost of the next hour's risks and loads.
    """
    risk, load = (axis.ravel() for axis in np.meshgrid(GRID, LOADS, indexing="ij"))
    fails, nothing = risk * FAILURE_CHANCE[load], np.zeros_like(risk)
    mended = later(nothing, load, hour, after)
    found = later(nothing + 1, load, hour, after)
    waiting = fails * mended + (1 - fails) * later(survived(risk, load), load, hour, after)
    looking = fails * mended + (risk - fails) * found + (1 - risk) * mended
    total = {WAIT: waiting, INSPECT: looking, ALARM: mended}
    rows = [paid(action, load, hour, fails if action != ALARM else nothing) + total[action] for action in sorted(total)]
    return np.stack(rows).reshape(3, len(GRID), len(LOADS))


def paid(action: int, load: Ints, hour: int, fails: Floats) -> Floats:
    """Expected cost of this hour, where the pump fails with some probability; [n]."""
    taken, night = np.full(len(load), action), np.broadcast_to(is_night(np.array(hour)), len(load))
    both = [consequences(taken, load, night, np.full(len(load), failed)) for failed in (False, True)]
    runs, stands = (problem.kpis[0].numerator(signals) for signals in both)
    return np.asarray((1 - fails) * runs + fails * stands)


def later(risk: Floats, load: Ints, hour: int, after: Floats) -> Floats:
    """Expected cost from the next hour on, over faults that begin, readings and loads; [n].

    Args:
        risk: of a fault at the end of this hour; nothing of it is left where the planned service follows.
        load: of this hour.
        hour: hours since the last planned service.
        after: least expected cost of the next hour's risks and loads.
    """
    level = np.full(len(risk), NORMAL)
    aged = ageing(risk * (hour != SERVICE - 1), level)
    by_load = after @ NEXT_LOAD.T
    readings = reading_chances(aged, level)
    costs = [
        interpolated(by_load, after_reading(aged, np.full(len(risk), reading), level), load)
        for reading in range(readings.shape[1])
    ]
    return np.asarray((readings * np.stack(costs, axis=1)).sum(axis=1))


def interpolated(costs: Floats, risk: Floats, load: Ints) -> Floats:
    """Costs between the risks of the grid; [n] from [risks, loads]."""
    left = np.clip(np.searchsorted(GRID, risk, side="right") - 1, 0, len(GRID) - 2)
    share = (risk - GRID[left]) / (GRID[left + 1] - GRID[left])
    return np.asarray((1 - share) * costs[left, load] + share * costs[left + 1, load])
