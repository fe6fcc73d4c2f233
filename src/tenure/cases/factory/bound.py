"""The bound: the best that any policy can do, by dynamic programming on the machine's full state.

The state is finite (hour of day, orders, store, heat, wear) and the policy sees all of it, so backward induction over
the hours of a panel gives a policy that no other can beat in the mean (Puterman 1994, section 4.5). Its signals are
those it meets in these very worlds, with the same chance as everybody else: luck may favour another policy in one
world, never in the long run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from tenure import Panel
from tenure.core.arrays import Bools, Floats, Ints

from .problem import COOLEST, HOTTEST, SPEEDS, STORE, WORN_OUT, problem
from .simulator import (
    CHANCE_OF_SURPRISE,
    DAY,
    DEGREES,
    SURPRISE,
    USUAL,
    Luck,
    Machines,
    chances,
    hour_of_work,
    simulator,
)

SHAPE = (STORE + 1, (HOTTEST - COOLEST) // DEGREES + 1, WORN_OUT + 1, len(SURPRISE))
"""Values of store, heat, wear and surprise that a machine can be at in one hour."""
Branch = tuple[Floats, Floats, Ints]
"""One possible luck of every state: its probability, its cost, and the state after it but for the surprise."""


def bound(panel: Panel) -> dict[str, Floats]:
    """Signals of the best policy over a panel of machines at the normal level; each total, [worlds]."""
    plan, first = best_plan(int(panel.state.hour[0]) % DAY, panel.steps)[0], int(panel.state.hour[0])
    state, rng = panel.state, np.random.default_rng(0)
    totals: dict[str, Floats] = {}
    for _ in range(panel.steps):
        step = simulator.step(state, plan[int(state.hour[0]) - first][place(state)], rng)
        state = step.state
        totals = {name: totals.get(name, 0.0) + values for name, values in step.signals.items()}
    return totals


@cache
def best_plan(hour: int, steps: int) -> tuple[Ints, Floats]:
    """The best action of each step and state, and the least expected cost from each state.

    Args:
        hour: hour of day of the first step.
        steps: decisions until the end.

    Returns:
        Actions int8 [steps, states] and expected cost in € [states]; states as `place` numbers them.
    """
    cost, plan = np.zeros(np.prod(SHAPE)), np.zeros((steps, np.prod(SHAPE)), dtype=np.int8)
    for step in reversed(range(steps)):
        values = np.stack([expected(branches, cost) for branches in hour_branches((hour + step) % DAY)])
        plan[step], cost = values.argmin(axis=0), values.min(axis=0)
    return plan, cost


def expected(branches: tuple[Branch, ...], cost_after: Floats) -> Floats:
    """Expected cost of an action in every state, given the cost from every state after it; [states]."""
    later = cost_after.reshape(-1, len(SURPRISE)) @ CHANCE_OF_SURPRISE
    return np.asarray(sum(chance * (cost + later[after]) for chance, cost, after in branches))


@cache
def hour_branches(hour: int) -> tuple[tuple[Branch, ...], ...]:
    """Every possible luck of every state in an hour of the day; one tuple per action."""
    state = states(hour)
    return tuple(tuple(branches(state, np.full(len(state.hour), action))) for action in range(len(SPEEDS)))


def branches(state: Machines, action: Ints) -> Iterator[Branch]:
    """Every possible luck of states under an action each."""
    likely = chances(state, action)
    for luck in product((False, True), repeat=3):
        if luck[0] and (luck[1] or luck[2]):  # after a breakdown neither wear nor heat is left
            continue
        happens = Luck(*(np.full(len(action), flag) for flag in luck))
        chance = _chance(likely.breaks, happens.breaks)
        if not luck[0]:
            chance = chance * _chance(likely.wears, happens.wears) * _chance(likely.heats, happens.heats)
        after, signals = hour_of_work(state, action, happens)
        yield chance, problem.kpis[0].numerator(signals), place(after) // len(SURPRISE)


def states(hour: int) -> Machines:
    """All machines there can be in an hour of the day, at the normal level, in the order of `place`."""
    store, heat, wear, surprise = (axis.ravel() for axis in np.indices(SHAPE))
    blank, level = np.zeros_like(store), simulator.levels["normal"]
    warming, wearing = (np.full(len(store), value) for value in (level.warming, level.wearing))
    return Machines(blank, blank + hour, USUAL[hour] + SURPRISE[surprise], store, heat, wear, warming, wearing)


def place(state: Machines) -> Ints:
    """Number of each machine's state within its hour; [n]."""
    surprise = np.searchsorted(SURPRISE, state.orders - USUAL[state.hour % DAY])
    return np.asarray(np.ravel_multi_index((state.store, state.heat, state.wear, surprise), SHAPE))


def _chance(likely: Floats, happens: Bools) -> Floats:
    return np.where(happens, likely, 1 - likely)
