"""What a route planner would do that knew the day: `python -m tenure.cases.delivery.reference`, half a minute a day.

A reference beside the incumbent, and **no bound**. It knows all orders of a day in advance, which no dispatcher does,
never reloads, and counts drives at a usual day's mean traffic in dry weather; it plans three vans as a vehicle routing
problem with time windows (Toth and Vigo 2014) and searches for a stated time (OR-Tools, guided local search). On the
real roads its plan would be late at the bridge in the evening, and a longer search would find a better one. So a policy
may do better or worse than it, and no headroom is stated.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from tenure import Split
from tenure.core.arrays import Floats, Ints
from tenure.simulators.rollout import run

from .orders import DAY, TICK, USUAL, arrivals
from .problem import VANS, incumbent, problem
from .simulator import MORE_SERVICE, SERVICE, Towns, simulator
from .town import BRIDGE, DEPOT, JAM, MINUTES, TRAFFIC

UNITS = 10
"""The planner counts in tenths of a minute, as it takes whole numbers only."""
LAST = 27 * 60
"""Minute by which every van is home: three hours into the next day."""


@dataclass(frozen=True)
class Orders:
    """Orders of a town's day: place (1 to 8) and minute in which the window opens; [orders] each."""

    place: Ints
    opens: Floats


@dataclass(frozen=True)
class Plan:
    """What a plan says of itself over the day: orders served, minutes they wait, minutes driven."""

    served: int
    waiting: float
    driven: float


def orders_of(towns: Towns, town: int) -> Orders:
    """The orders of one town's day, as they will come; the first day of its panel."""
    steps = towns.step[town] + np.arange(DAY)
    fixed = type(towns.hardness)(*(np.full(DAY, value[town]) for value in vars(towns.hardness).values()))
    came = arrivals(np.full(DAY, towns.number[town]), steps, fixed)
    place = np.concatenate([one.district[one.comes] + 1 for one in came])
    opens = np.concatenate([one.opens[one.comes] for one in came]) - towns.step[town] * float(TICK)
    return Orders(place, opens)


def usual_minutes() -> Floats:
    """Drives between all places at the mean traffic of those who order; [9, 9]."""
    weight = USUAL / USUAL.sum()
    return np.asarray(MINUTES * (weight @ TRAFFIC) + BRIDGE * (weight @ JAM))


def plan(orders: Orders, seconds: int) -> Plan:
    """The best plan found in so many seconds, by the weights of the problem's own reward; all orders are served.

    A late minute costs what a waiting one does: the planner has one price per minute after a window opens.
    """
    place = np.concatenate([[DEPOT], orders.place])
    drive = np.rint(UNITS * usual_minutes()[np.ix_(place, place)]).astype(int)
    drive[0, 0] = 0  # a van that is not used
    stay = np.where(place == DEPOT, 0.0, UNITS * (SERVICE + MORE_SERVICE / 2)).astype(int)
    manager = pywrapcp.RoutingIndexManager(len(place), VANS, 0)
    routing = pywrapcp.RoutingModel(manager)
    _price_drives(routing, manager, drive)
    time = _keep_windows(routing, manager, drive, stay, orders)
    found = routing.SolveWithParameters(_search(seconds))
    assert found is not None  # every order may be served by the last minute
    return _told(routing, manager, found, time, drive, orders)


def _price_drives(routing: Any, manager: Any, drive: Ints) -> None:
    price = {term.signal: -term.weight for term in problem.reward.terms}
    cost = np.rint(100 * (price["driven_minutes"] + price["van_minutes"]) * drive).astype(int)
    back = routing.RegisterTransitCallback(
        lambda one, two: int(cost[manager.IndexToNode(one), manager.IndexToNode(two)])
    )
    routing.SetArcCostEvaluatorOfAllVehicles(back)


def _keep_windows(routing: Any, manager: Any, drive: Ints, stay: Ints, orders: Orders) -> Any:
    waiting = next(-term.weight for term in problem.reward.terms if term.signal == "waiting_minutes")

    def lasts(one: int, two: int) -> int:
        here = manager.IndexToNode(one)
        return int(stay[here] + drive[here, manager.IndexToNode(two)])

    routing.AddDimension(routing.RegisterTransitCallback(lasts), LAST * UNITS, LAST * UNITS, False, "time")
    time = routing.GetDimensionOrDie("time")
    for node, opens in enumerate(orders.opens, start=1):
        index, first = manager.NodeToIndex(node), int(opens * UNITS)
        time.CumulVar(index).SetMin(first)
        time.SetCumulVarSoftUpperBound(index, first, round(100 * waiting))
    return time


def _search(seconds: int) -> Any:
    found = pywrapcp.DefaultRoutingSearchParameters()
    found.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    found.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    found.time_limit.FromSeconds(seconds)
    return found


def _told(routing: Any, manager: Any, found: Any, time: Any, drive: Ints, orders: Orders) -> Plan:
    index = {node: manager.NodeToIndex(node) for node in range(1, len(drive))}
    waiting = sum(found.Value(time.CumulVar(at)) / UNITS - orders.opens[node - 1] for node, at in index.items())
    starts = [*index.values(), *(routing.Start(van) for van in range(VANS))]
    after = [found.Value(routing.NextVar(at)) for at in starts]
    legs = [(manager.IndexToNode(one), manager.IndexToNode(two)) for one, two in zip(starts, after, strict=True)]
    return Plan(len(index), float(waiting), sum(int(drive[leg]) for leg in legs) / UNITS)


def together(plans: list[Plan]) -> Plan:
    """Several days as one."""
    return Plan(*(sum(values) for values in zip(*(vars(plan).values() for plan in plans), strict=True)))


def today(towns: int, split: Split) -> Plan:
    """The same of the incumbent, on the first day of the first towns."""
    trace = run(problem, simulator, incumbent, simulator.panel(split, days=1)).trace
    total = {name: float(values[:, :towns].sum()) for name, values in trace.signals.items()}
    served = int(total["orders"] - total["turned_away"])
    return Plan(served, total["waiting_minutes"], total["driven_minutes"])


def main() -> None:
    """Print the plans of some towns' first day, and their mean beside what the incumbent does there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--towns", type=int, default=4, help="of that part, from the first on")
    parser.add_argument("--split", choices=get_args(Split), default="selection", help="part of the data")
    parser.add_argument("--seconds", type=int, default=30, help="of search per town")
    asked = parser.parse_args()
    state, plans = simulator.panel(asked.split, days=1).state, list[Plan]()
    for town in range(asked.towns):
        plans.append(plan(orders_of(state, town), asked.seconds))
        _print(f"planner, town {town + 1}", plans[-1])
    _print(f"planner, {asked.towns} towns", together(plans))
    _print(f"incumbent, {asked.towns} towns", today(asked.towns, asked.split))
    sys.stdout.write(f"simulator {simulator.version}; a plan for a known day at mean traffic: a reference, no bound\n")


def _print(who: str, told: Plan) -> None:
    wait, drive = told.waiting / told.served, told.driven / told.served
    sys.stdout.write(f"{who}: {wait:.1f} minutes and {drive:.1f} driven per order, {told.served} served\n")


if __name__ == "__main__":
    main()
