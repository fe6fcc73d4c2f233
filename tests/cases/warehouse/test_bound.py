"""The tour of an empty floor against OR-Tools and against everything that is tried."""

from __future__ import annotations

from typing import Any

import pytest
from ortools.sat.python import cp_model
from tests.cases.warehouse.floors import floor

from tenure import Panel
from tenure.cases.warehouse.bound import bound
from tenure.cases.warehouse.layout import SPOTS, SQUARE_M, START, STEPS
from tenure.cases.warehouse.problem import NearestItem, incumbent, problem, rules
from tenure.cases.warehouse.simulator import simulator
from tenure.core.arrays import Ints
from tenure.simulators.rollout import run

COST = problem.kpis[0]


def cost_by_ortools(item: Ints, steps: int) -> int:
    """Points of the best set and tour of some items, as a circuit with optional squares; 0 is the start."""
    model = cp_model.CpModel()
    squares = [START, *item.tolist()]
    arcs: list[Any] = []
    moves: list[Any] = []
    picked = [model.new_bool_var(f"pick {number}") for number in range(len(item))]
    for one, here in enumerate(squares):
        for other, there in enumerate(squares):
            if one == other:
                arcs += [(one, one, ~picked[one - 1])] if one else [(0, 0, model.new_bool_var("stays"))]
                continue
            used = model.new_bool_var(f"{one} to {other}")
            arcs.append((one, other, used))
            moves.append((int(STEPS[here, there]) if other else 0) * used)  # the way home is free: the end is open
    model.add_circuit(arcs)
    model.add(sum(moves) + sum(picked) <= steps)
    model.minimize(int(SQUARE_M) * sum(moves) + 100 * (len(item) - sum(picked)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.status_name(solver.solve(model)) == "OPTIMAL"
    return round(solver.objective_value)


def first(panel: Panel, worlds: int) -> Panel:
    """The first worlds of a panel."""
    fields = {name: values[:worlds] for name, values in vars(panel.state).items()}
    names = panel.worlds[:worlds]
    return Panel(type(panel.state)(**fields), panel.steps, names, panel.started_at, panel.interval, panel.independent)


@pytest.mark.parametrize("steps", [50, 28])
def test_the_bound_is_the_tour_that_ortools_finds(steps: int) -> None:
    """28 steps are too few for most orders, so it also has to leave the right items lying."""
    whole = first(simulator.panel("train"), 12)
    panel = Panel(whole.state, steps, whole.worlds, whole.started_at, whole.interval, True)
    found = bound(panel)
    cost = COST.numerator(found)
    assert cost.tolist() == [cost_by_ortools(item, steps) for item in panel.state.item]
    assert (steps == 50) == bool((found["items_picked"] == 6).all())


def test_items_that_are_no_part_of_the_order_are_not_fetched() -> None:
    state = floor((8, 6), [(7, 6)], step=0)
    panel = Panel(state, 50, ("one",), simulator.panel("train").started_at, simulator.panel("train").interval, True)
    assert {name: float(total[0]) for name, total in bound(panel).items()} == {
        "metres": 5,
        "items_picked": 1,
        "collisions": 0,
        "items_wanted": 1,
        "orders": 1,
        "orders_complete": 1,
    }


@pytest.mark.parametrize("policy", [incumbent, *rules.values(), NearestItem(30, 0, False)], ids=str)
def test_nothing_undercuts_the_bound_in_any_world(policy: object) -> None:
    panel = simulator.panel("selection", 0, 4)
    trace = run(problem, simulator, policy, panel).trace  # type: ignore[arg-type]
    totals = {name: values.sum(axis=0) for name, values in trace.signals.items()}
    assert (COST.numerator(totals) >= COST.numerator(bound(panel))).all()


def test_the_headroom_is_at_least_a_tenth_of_the_incumbents_cost() -> None:
    panel = simulator.panel("selection")
    cost = COST.value(run(problem, simulator, incumbent, panel).trace.signals)
    best = COST.of_totals(bound(panel), panel.steps * len(panel.worlds))
    assert (cost - best) / cost >= 0.10


def test_going_for_another_item_always_pays_where_the_time_allows() -> None:
    """The farthest spot is worth its way: with time enough the best tour leaves nothing lying."""
    assert float(STEPS[:, SPOTS].max()) * SQUARE_M <= 100
