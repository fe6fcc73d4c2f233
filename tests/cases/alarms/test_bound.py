"""The bound: the best of all plans where all can be tried, close to what it expects, never beaten by a rule."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.alarms.bound import GRID, LOADS, action_costs, best_action, best_plan, bound
from tenure.cases.alarms.problem import ALARM, INSPECT, SERVICE, WAIT, incumbent, problem, rules
from tenure.cases.alarms.simulator import LEVELS, NEXT_LOAD, OUTPUT, simulator
from tenure.core.arrays import Floats, Ints
from tenure.core.policy import Policy
from tenure.simulators.rollout import run

LEVEL = LEVELS["normal"]
FAILS = (0.01, 0.03, 0.05)


def least_cost(risk: float, load: int, hour: int, steps: int) -> float:
    """Least expected cost by going through every action and all that can follow, without grid or solver."""
    if steps == 0:
        return 0.0
    return min(action_cost(risk, load, hour, steps, action) for action in (WAIT, INSPECT, ALARM))


def action_cost(risk: float, load: int, hour: int, steps: int, action: int) -> float:
    call = 30.0 * (hour % 24 >= 12)
    if action == ALARM:
        return 40 + 2 * float(OUTPUT[load]) + call + afterwards(0.0, load, hour, steps)
    fails = risk * FAILS[load]
    now = fails * (500 + 2 * float(OUTPUT[load]))
    mended = afterwards(0.0, load, hour, steps)
    if action == WAIT:
        return now + fails * mended + (1 - fails) * afterwards((risk - fails) / (1 - fails), load, hour, steps)
    found = (risk - fails) * afterwards(1.0, load, hour, steps)
    return now + 10 + call + fails * mended + found + (1 - risk) * mended


def afterwards(risk: float, load: int, hour: int, steps: int) -> float:
    risk = 0.0 if (hour + 1) % SERVICE == 0 else risk
    risk = risk + (1 - risk) * LEVEL.fault_chance
    total = 0.0
    for reading, after in product(range(5), range(3)):
        seen = risk * LEVEL.faulty[reading] + (1 - risk) * LEVEL.healthy[reading]
        chance = seen * float(NEXT_LOAD[load, after])
        if chance:
            total += chance * least_cost(risk * LEVEL.faulty[reading] / seen, after, hour + 1, steps - 1)
    return total


@pytest.mark.parametrize("hour", [3, 11, SERVICE - 2])
@pytest.mark.parametrize("load", [0, 2])
def test_three_hours_equal_the_best_of_everything_that_can_happen(hour: int, load: int) -> None:
    """Interpolation may understate by a hair and never overstates."""
    cost = best_plan(hour, 3)[1]
    for place in (0, 60, 100, 140, 200):
        exact = least_cost(float(GRID[place]), load, hour, 3)
        assert cost[place, load] <= exact + 1e-9
        assert cost[place, load] == pytest.approx(exact, rel=2e-3)


def test_the_last_hour_by_hand() -> None:
    """Nothing follows, so only the failure of this hour counts: at most 0.05 * 900 = 45 €, less than any stop."""
    plan, cost = best_plan(0, 1)
    assert (plan[0].argmin(axis=0) == WAIT).all()
    assert cost[-1] == pytest.approx([0.01 * 510, 0.03 * 660, 0.05 * 900])


def short() -> Panel:
    return simulator.panel("selection", days=12)


def test_what_it_meets_is_what_it_expects() -> None:
    """256 pumps for twelve days, within four standard errors, and the least cost is a cost that can be met."""
    panel = short()
    paid = problem.kpis[0].numerator(bound(panel))
    start = panel.state
    cost = best_plan(0, panel.steps)[1]
    least = np.array([np.interp(risk, GRID, cost[:, load]) for risk, load in zip(start.risk, start.load, strict=True)])
    assert paid.mean() == pytest.approx(least.mean(), abs=4 * (paid - least).std() / len(paid) ** 0.5)


def rule_cost(rule: Policy, steps: int) -> Floats:
    """Expected cost of a rule from every risk and load of the grid, by the solver's own costs of actions."""
    risk, load = (axis.ravel() for axis in np.meshgrid(GRID, LOADS, indexing="ij"))
    cost = np.zeros((len(GRID), len(LOADS)))
    for hour in reversed(range(steps)):
        night, change, service = hour % 24 >= 12, 12 - hour % 12, SERVICE - hour % SERVICE
        rest = np.array([0, night, change, service], dtype=float)
        seen = np.column_stack([risk, np.tile(rest[0], len(risk)), load, np.tile(rest[1:], (len(risk), 1))])
        action: Ints = rule.propose(seen, None, np.zeros(0)).action.reshape(cost.shape)
        cost = np.take_along_axis(action_costs(hour % SERVICE, cost), action[None], axis=0)[0]
    return cost


@pytest.mark.parametrize("name", ["incumbent", "quiet-load"])
def test_no_rule_is_expected_to_do_better_from_any_state(name: str) -> None:
    paid = rule_cost({"incumbent": incumbent, **rules}[name], 96)
    least = best_plan(0, 96)[1]
    assert (least <= paid + 1e-9).all()
    assert least[0].mean() < paid[0].mean()


def test_an_action_between_two_risks_of_the_grid_is_the_cheapest_of_both_interpolated() -> None:
    costs = np.zeros((3, len(GRID), 3))
    costs[WAIT, :, 0], costs[ALARM, :, 0], costs[INSPECT, :, 0] = 100 * GRID, 40.0, 99.0
    found = best_action(costs, np.array([0.39, 0.41]), np.array([0, 0]))
    assert found.tolist() == [WAIT, ALARM]


def test_it_leaves_a_tenth_of_the_incumbents_cost_to_be_learned() -> None:
    panel = short()
    paid = problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)
    assert problem.kpis[0].of_totals(bound(panel), panel.steps * len(panel.worlds)) < 0.9 * paid


def test_it_states_every_signal_for_every_pump() -> None:
    found = bound(simulator.panel("selection", days=1))
    assert set(found) == problem.signal_names
    assert all(values.shape == (256,) for values in found.values())
