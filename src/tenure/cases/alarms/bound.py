"""The bound: the best that any policy can do, by dynamic programming over both pumps, the demand and the clock.

Nobody sees a fault, but what can be known of it takes few values: its chance to last an hour depends on strain hours
alone, so light, strain hours and what an inspection found fix the posterior probability (a sufficient statistic,
Astrom 1965). That leaves 103 states of a pump: dark, three lights of 30 strain hours, 12 hours of work. Every pair of
them with every demand is gone through at every step, without grid, interpolation or sampling, so no policy costs less
in the mean (Puterman 1994, chapter 4). The bound's signals are those the plan meets in these very worlds, with the same
chance as everybody else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tenure import Panel
from tenure.core.arrays import Floats, Ints

from .problem import ALARM, INSPECT, WAIT, problem
from .simulator import consequences, simulator
from .station import (
    DARK,
    DAY,
    FOUND,
    LEVELS,
    LIMIT,
    REPAIR,
    SERVICE,
    STRAIN,
    STRONG,
    SURVIVES,
    UNITS,
    WEAK,
    light_chances,
    next_demand,
    risks,
)

LIGHT = np.concatenate([[DARK], np.repeat(np.arange(WEAK, FOUND + 1), LIMIT), np.full(REPAIR, DARK)])
WEAR = np.concatenate([[0], np.tile(np.arange(LIMIT), FOUND), np.zeros(REPAIR, dtype=np.int64)])
OUT = np.concatenate([np.zeros(1 + FOUND * LIMIT, dtype=np.int64), np.arange(1, REPAIR + 1)])
"""Light, strain hours and hours of work of each state of a pump; [103] each."""
STATES = len(OUT)
RISK = risks(LEVELS["normal"])[LIGHT, WEAR]
ORDER = np.where(OUT == 0, RISK + 1e-6 * WEAR, -1.0)
"""An alarm stops the pump with the higher one, if it runs."""
DEMANDS = np.arange(len(UNITS))


def place(light: Ints, wear: Ints, out: Ints) -> Ints:
    """Which of the 103 states a pump is in."""
    lit = np.where(light == DARK, 0, 1 + (light - WEAK) * LIMIT + wear)
    return np.asarray(np.where(out > 0, FOUND * LIMIT + out, lit))


RUN = int((OUT == 0).sum())
"""The first 91 states are those of a running pump."""
ANY = np.arange(STATES)
WORKED = np.where(OUT > 1, ANY - 1, 0)[RUN:]
"""The state of a standing pump after an hour of the crew's work; [12]."""
CREW_FIRST = OUT[RUN:, None] <= OUT[None, RUN:]
"""The crew works on the first pump where both stand; [12, 12]."""
STOPPED = np.where(OUT == 0, place(np.array(DARK), WEAR, np.array(SERVICE)), ANY)
"""The state after an alarm."""
STOPS_FIRST, LOOKS_FIRST = (order[:, None] >= order for order in (ORDER, np.where(LIGHT == FOUND, -1.0, ORDER)))
"""The pump an alarm stops, and the one an inspection looks at; [103, 103] each."""
UNSURE = (LIGHT == WEAK) | (LIGHT == STRONG)
TOLD = np.where(UNSURE, RISK, 0.0)
IF_FAULTY = np.where(UNSURE, place(np.full(STATES, FOUND), WEAR, OUT), ANY)
IF_SOUND = np.where(UNSURE, 0, ANY)
"""The state after an inspection, where there is a fault and where there is none."""
LIGHTS = light_chances(LEVELS["normal"]).reshape(-1, 2).sum(axis=1)
NEW = place(np.array([WEAK, STRONG]), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64))
"""Chance and state of each light that comes on."""
FAILURE = problem.kpis[0].of["failures"]


def bound(panel: Panel) -> dict[str, Floats]:
    """Signals of the best policy over a panel of stations at the normal level; each total, [worlds]."""
    plan, _ = best_plan(int(panel.state.hour[0]) % DAY, panel.steps)
    state, rng = panel.state, np.random.default_rng(0)
    totals: dict[str, Floats] = {}
    for actions in plan:
        first, second = place(state.light, state.wear, state.out).T
        step = simulator.step(state, actions[state.demand, first, second].astype(np.int64), rng)
        state = step.state
        totals = {name: totals.get(name, 0.0) + values for name, values in step.signals.items()}
    return totals


@cache
def best_plan(hour: int, steps: int) -> tuple[Ints, Floats]:
    """The best action at every step, and the least expected cost from each state.

    Args:
        hour: of the clock at the first step.
        steps: decisions until the end.

    Returns:
        [steps, demand, first pump, second pump], and [demand, first pump, second pump] in €.
    """
    cost = np.zeros((len(DEMANDS), STATES, STATES))
    plan = np.zeros((steps, *cost.shape), dtype=np.int8)
    for step in reversed(range(steps)):
        values = action_costs((hour + step) % DAY, cost)
        plan[step], cost = values.argmin(axis=0), values.min(axis=0)
    return plan, cost


def action_costs(hour: int, after: Floats) -> Floats:
    """Expected cost of each action in every state, now and later; [actions, demand, first pump, second pump].

    Args:
        hour: of the clock.
        after: least expected cost from each state of the next hour.
    """
    goes_on = hour_costs(np.tensordot(next_demand(hour + 1), after, axes=1))
    looked = np.where(LOOKS_FIRST, _seen(goes_on), _swapped(_seen(_swapped(goes_on))))
    stopped = np.where(STOPS_FIRST, goes_on[:, STOPPED], goes_on[:, :, STOPPED])
    total = {WAIT: goes_on, INSPECT: looked, ALARM: stopped}
    return np.stack([_price(action, hour, 0, 2) + total[action] for action in sorted(total)])


def hour_costs(after: Floats) -> Floats:
    """Expected cost of lost units and failures from each state, once the action is done, and of what comes later.

    Args:
        after: least expected cost by demand of this hour and the pumps' states at its end.
    """
    costs = np.zeros_like(after)
    for demand, later in enumerate(after):
        none, alone, both = (_price(WAIT, 0, demand, running) for running in range(3))
        strains = [int(strain) for strain in STRAIN[demand]]
        costs[demand, :RUN, :RUN] = both + _run(_run(later, strains[2]).T, strains[2]).T
        costs[demand, :RUN, RUN:] = alone + _run(later[:, WORKED], strains[1])
        costs[demand, RUN:, :RUN] = alone + _run(later[WORKED].T, strains[1]).T
        costs[demand, RUN:, RUN:] = none + np.where(CREW_FIRST, later[WORKED, RUN:], later[RUN:, WORKED])
    return costs


def _run(later: Floats, strain: int) -> Floats:
    """Expected cost where the pump of the first axis runs for an hour; [running states, ...] from [states, ...]."""
    after, fails = run_chances(strain)
    went = (1 - fails)[:, None] * later[after] + fails[:, None] * (FAILURE + later[-1])
    went[0] = (1 - LIGHTS.sum()) * later[0] + LIGHTS @ later[NEW]
    return np.asarray(went)


@cache
def run_chances(strain: int) -> tuple[Ints, Floats]:
    """The state after an hour of so much strain of a pump that does not fail, and the chance that it does; [91] each.

    Of a dark light it is the one that stays dark.
    """
    worn = np.minimum(WEAR + strain, LIMIT)[:RUN]
    lit = (LIGHT[:RUN] != DARK) & (worn < LIMIT)
    fails = RISK[:RUN] * (1 - SURVIVES[worn] / SURVIVES[WEAR[:RUN]])
    return np.where(lit, np.arange(RUN) + strain, 0), fails


def _price(action: int, hour: int, demand: int, running: int) -> float:
    """Price of an action and of lost units in an hour without a failure."""
    signals = consequences(*(np.array([value]) for value in (action, hour, demand, running, 0)))
    return float(problem.kpis[0].numerator(signals)[0])


def _seen(costs: Floats) -> Floats:
    """Costs where the first pump is inspected: the fault is found, or the light goes out."""
    return np.asarray(TOLD[:, None] * costs[:, IF_FAULTY] + (1 - TOLD[:, None]) * costs[:, IF_SOUND])


def _swapped(costs: Floats) -> Floats:
    """The same with the pumps in the other order."""
    return costs.swapaxes(1, 2)
