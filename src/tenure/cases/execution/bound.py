"""The bound: the least cost that any policy can expect, by a dynamic programme that knows every regime.

A desk sees noisy signs of volatility, volume and drift; the programme is told them, but not what comes next. Its state
is finite (slots left, lots left, three regimes) and the child orders are those of the desk, in whole lots, so backward
induction over the twelve slots gives a policy that nobody who sees less can beat in the mean (Puterman 1994, section
4.5). The price so far is no part of it: the shortfall counts each move once, on what is unbought then, and the next
move does not depend on it. Its signals are those it meets in these very worlds, with the same chance as everybody else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tenure import Panel
from tenure.core.arrays import Floats, Ints

from .market import Market, transition
from .problem import EVEN, LOTS, MULTIPLES, RISK_WEIGHT, SLOTS, child_lots, in_time
from .simulator import Desks, ExecutionSimulator, simulator

REGIMES = (2, 2, 3)
"""Volatility calm or wild, volume thick or thin, drift down, none or up."""


def bound(panel: Panel) -> dict[str, Floats]:
    """Signals of the best policy over a panel of one level of the case's simulator; each total, [worlds]."""
    return totals(panel, simulator)


def totals(panel: Panel, world: ExecutionSimulator) -> dict[str, Floats]:
    """The same for a panel of another market."""
    market = list(world.levels.values())[int(panel.state.level[0])]
    plan, state, rng = best_plan(market)[0], panel.state, np.random.default_rng(0)
    summed: dict[str, Floats] = {}
    for _ in range(panel.steps):
        step = world.step(state, plan[SLOTS - state.slot % SLOTS, state.remaining, regime(state)], rng)
        state = step.state
        summed = {name: summed.get(name, 0.0) + values for name, values in step.signals.items()}
    return summed


def regime(state: Desks) -> Ints:
    """Number of each desk's regimes together, 0 to 11; [n]."""
    return np.asarray(np.ravel_multi_index((state.wild, state.thin, state.drift), REGIMES))


@cache
def best_plan(market: Market) -> tuple[Ints, Floats]:
    """The best pace and the least expected cost, of what is still to come, in bp.

    Returns:
        Paces int64 and costs, both [slots left 0 to 12, lots left 0 to 48, regimes].
    """
    shape = (SLOTS + 1, LOTS + 1, int(np.prod(REGIMES)))
    plan, cost = np.full(shape, EVEN), np.zeros(shape)
    for left in range(1, SLOTS + 1):
        values = slot_costs(market, left, cost[left - 1])
        plan[left], cost[left] = values.argmin(axis=0), values.min(axis=0)
    return plan, cost


def slot_costs(market: Market, left: int, after: Floats) -> Floats:
    """Expected cost of every pace, with what follows it; infinite where it is not allowed.

    Args:
        market: its numbers.
        left: slots left, with this one.
        after: expected cost after the slot, in the regimes of the next; [lots left, regimes].

    Returns:
        [paces, lots left, regimes].
    """
    later = after @ next_regimes(market).T
    allowed = in_time(np.array([[float(left)]]))[0]
    lots = np.arange(LOTS + 1)
    costs = np.full((len(MULTIPLES), LOTS + 1, later.shape[1]), np.inf)
    for pace in np.flatnonzero(allowed):
        bought = child_lots(lots, np.array(left), np.array(pace))
        costs[pace] = expected(market, bought / LOTS, (lots - bought) / LOTS) + later[lots - bought]
    return costs


def expected(market: Market, share: Floats, unbought: Floats) -> Floats:
    """Expected cost of one slot with risk, in bp, by regimes; shares of the order [m], result [m, regimes]."""
    wild, thin, drift = (axis.ravel() for axis in np.indices(REGIMES))
    over = np.where(wild, market.wide, market.tight) + share[:, None] * np.where(thin, market.thin, market.thick)
    move = market.drift * (drift - 1) + market.permanent * share[:, None]
    risk = (np.where(wild, market.wild, market.calm) * unbought[:, None]) ** 2
    return np.asarray(share[:, None] * over + unbought[:, None] * move + RISK_WEIGHT * risk)


@cache
def next_regimes(market: Market) -> Floats:
    """Chance of each next regime from each; [regimes, regimes]."""
    volatility, volume = transition(market.volatility_stays, 2), transition(market.volume_stays, 2)
    return np.kron(np.kron(volatility, volume), transition(market.drift_stays, 3))
