"""The bound: the best of all plans where all can be tried, equal to what it expects, never beaten by a rule."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.alarms.bound import LIGHT, OUT, STATES, WEAR, action_costs, best_plan, bound, place
from tenure.cases.alarms.problem import ALARM, INSPECT, WAIT, incumbent, problem, rules
from tenure.cases.alarms.simulator import Stations, simulator
from tenure.cases.alarms.station import DARK, DAY, FOUND, STRONG, WEAK, next_demand
from tenure.core.arrays import Floats, Ints
from tenure.core.policy import Policy
from tenure.simulators.rollout import run

Pump = tuple[int, int, int]
"""Light, wear, hours out."""
Chances = list[tuple[float, Pump, bool]]
"""What may become of a pump in an hour: chance, state, whether it failed."""
TRUTH = {DARK: 0.0, WEAK: 0.2, STRONG: 0.6, FOUND: 1.0}
STRAIN = {(0, 1): 1, (0, 2): 0, (1, 1): 4, (1, 2): 1, (2, 1): 8, (2, 2): 2}
LOST = {(0, 0): 40, (1, 0): 100, (2, 0): 200, (2, 1): 100}
GOOD: Pump = (DARK, 0, 0)


def survives(wear: int) -> float:
    return 1 - (min(wear, 30) / 30) ** 2


def risk(pump: Pump) -> float:
    light, wear, out = pump
    alive = TRUTH[light] * survives(wear)
    return alive / (alive + (1 - TRUTH[light])) if alive and not out else 0.0


def least_cost(pumps: tuple[Pump, Pump], demand: int, hour: int, steps: int) -> float:
    """Least expected cost by going through every action and all that can follow, pump by pump."""
    if steps == 0:
        return 0.0
    return min(action_cost(pumps, demand, hour, steps, action) for action in (WAIT, INSPECT, ALARM))


def action_cost(pumps: tuple[Pump, Pump], demand: int, hour: int, steps: int, action: int) -> float:
    call = 30.0 * (hour % 24 < 6 or hour % 24 >= 18)
    runs = [pump for pump in (0, 1) if pumps[pump][2] == 0]
    if action == ALARM:
        after = list(pumps)
        for pump in sorted(runs, key=lambda each: (-risk(pumps[each]), -pumps[each][1], each))[:1]:
            after[pump] = (DARK, 0, 6)
        return 40 + call + hour_cost((after[0], after[1]), demand, hour, steps)
    if action == WAIT:
        return hour_cost(pumps, demand, hour, steps)
    unknown = [pump for pump in runs if pumps[pump][0] != FOUND]
    for pump in sorted(unknown, key=lambda each: (-risk(pumps[each]), each))[:1]:
        total = 0.0
        for chance, seen in ((risk(pumps[pump]), (FOUND, pumps[pump][1], 0)), (1 - risk(pumps[pump]), GOOD)):
            told = list(pumps)
            told[pump] = seen
            total += chance * hour_cost((told[0], told[1]), demand, hour, steps) if chance else 0.0
        return 10 + call + total
    return 10 + call + hour_cost(pumps, demand, hour, steps)


def hour_cost(pumps: tuple[Pump, Pump], demand: int, hour: int, steps: int) -> float:
    running = sum(pump[2] == 0 for pump in pumps)
    stand = [pump for pump in (0, 1) if pumps[pump][2]]
    crew_at = min(stand, key=lambda each: (pumps[each][2], each)) if stand else None
    ends = [went(pumps[pump], STRAIN.get((demand, running), 0), crew_at == pump) for pump in (0, 1)]
    total = 2.0 * LOST.get((demand, running), 0)
    for (chance, one, broke), (other_chance, other, other_broke) in product(*ends):
        total += chance * other_chance * 500 * (broke + other_broke)
        for after, share in enumerate(next_demand(hour + 1)[demand]):
            total += chance * other_chance * float(share) * least_cost((one, other), after, hour + 1, steps - 1)
    return total


def went(pump: Pump, strain: int, crew: bool) -> Chances:
    light, wear, out = pump
    if out:
        return [(1.0, (DARK, 0, out - crew), False)]
    if light == DARK:
        return [(0.97, GOOD, False), (0.018, (WEAK, 0, 0), False), (0.012, (STRONG, 0, 0), False)]
    fails = risk(pump) * (1 - survives(wear + strain) / survives(wear))
    stays = (light, wear + strain, 0) if wear + strain < 30 else GOOD
    ends: Chances = [(fails, (DARK, 0, 12), True), (1 - fails, stays, False)]
    return [end for end in ends if end[0]]


def at(pump: Pump) -> int:
    return int(place(*(np.array(value) for value in pump)))


@pytest.mark.parametrize(
    ("pumps", "demand", "hour"),
    [
        ((GOOD, GOOD), 0, 3),
        (((WEAK, 12, 0), GOOD), 1, 10),
        (((FOUND, 20, 0), (STRONG, 9, 0)), 2, 17),
        (((STRONG, 27, 0), (DARK, 0, 2)), 1, 22),
        (((DARK, 0, 1), (FOUND, 25, 0)), 2, 5),
        (((DARK, 0, 9), (DARK, 0, 2)), 1, 12),
        (((FOUND, 8, 0), (FOUND, 29, 0)), 1, 6),
    ],
)
def test_two_hours_equal_the_best_of_everything_that_can_happen(
    pumps: tuple[Pump, Pump], demand: int, hour: int
) -> None:
    cost = best_plan(hour, 2)[1]
    assert cost[demand, at(pumps[0]), at(pumps[1])] == pytest.approx(least_cost(pumps, demand, hour, 2), rel=1e-9)


@pytest.mark.parametrize("action", [WAIT, INSPECT, ALARM])
def test_every_action_equals_everything_that_can_happen(action: int) -> None:
    """From 40 pairs of states drawn at random, one hour after it: where the best action hides the others."""
    rng = np.random.default_rng(7)
    found = action_costs(17, best_plan(18, 1)[1])[action]
    for one, other, demand in zip(*rng.integers(0, STATES, (2, 40)), rng.integers(0, 3, 40), strict=True):
        pumps = tuple((int(LIGHT[each]), int(WEAR[each]), int(OUT[each])) for each in (one, other))
        exact = action_cost((pumps[0], pumps[1]), int(demand), 17, 2, action)
        assert found[demand, one, other] == pytest.approx(exact, rel=1e-9), pumps


def test_the_last_hour_by_hand() -> None:
    """Nothing follows: at 10 strain hours it fails with (11^2 - 10^2) / (30^2 - 10^2), 13 €, at 29 for certain."""
    plan, cost = best_plan(10, 1)
    early, late = at((FOUND, 10, 0)), at((FOUND, 29, 0))
    assert plan[0, 1, [early, late], 0].tolist() == [WAIT, ALARM]
    assert cost[1, [early, late], 0] == pytest.approx([500 * 21 / 800, 40])
    assert cost[2, at((DARK, 0, 5)), at((DARK, 0, 6))] == 400


def short() -> Panel:
    return simulator.panel("selection", days=12)


def test_what_it_meets_is_what_it_expects() -> None:
    """512 stations for twelve days, within four standard errors."""
    panel = short()
    paid = problem.kpis[0].numerator(bound(panel))
    cost = best_plan(0, panel.steps)[1]
    assert paid.mean() == pytest.approx(cost[panel.state.demand[0], 0, 0], abs=4 * paid.std() / len(paid) ** 0.5)


def stations_of(hour: int, demand: int) -> Stations:
    """Every pair of states of two pumps."""
    pairs = np.stack(np.meshgrid(np.arange(STATES), np.arange(STATES), indexing="ij"), axis=-1).reshape(-1, 2)
    n = len(pairs)
    ones, level = np.ones(n, dtype=np.int64), np.full(n, list(simulator.levels).index("normal"))
    return Stations(ones, hour * ones, demand * ones, LIGHT[pairs], WEAR[pairs], OUT[pairs], pairs < 0, level)


def rule_cost(rule: Policy, steps: int) -> Floats:
    """Expected cost of a rule from every state, by the solver's own costs of actions."""
    cost = np.zeros((3, STATES, STATES))
    for hour in reversed(range(steps)):
        seen = [simulator.observe(stations_of(hour, demand)) for demand in range(3)]
        action: Ints = np.stack([rule.propose(each, None, np.zeros(0)).action for each in seen]).reshape(cost.shape)
        cost = np.take_along_axis(action_costs(hour % DAY, cost), action[None], axis=0)[0]
    return cost


@pytest.mark.parametrize("name", ["incumbent", "by-demand"])
def test_no_rule_is_expected_to_do_better_from_any_state(name: str) -> None:
    paid = rule_cost({"incumbent": incumbent, **rules}[name], 48)
    least = best_plan(0, 48)[1]
    assert (least <= paid + 1e-9).all()
    assert least[0, 0, 0] < paid[0, 0, 0]


def test_it_leaves_a_tenth_of_the_incumbents_cost_to_be_learned() -> None:
    panel = short()
    paid = problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)
    assert problem.kpis[0].of_totals(bound(panel), panel.steps * len(panel.worlds)) < 0.9 * paid


def test_it_states_every_signal_for_every_station() -> None:
    found = bound(simulator.panel("selection", days=1))
    assert set(found) == problem.signal_names
    assert all(values.shape == (512,) for values in found.values())
