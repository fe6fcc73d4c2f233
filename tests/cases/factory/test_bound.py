"""The bound: equal to the best of all plans where all can be tried, and never beaten by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.factory.bound import best_plan, bound, expected, hour_branches, place, states
from tenure.cases.factory.problem import Foreman, incumbent, problem, rules
from tenure.cases.factory.simulator import CHANCE_OF_SURPRISE, SURPRISE, USUAL, Luck, Machines, hour_of_work, simulator
from tenure.core.arrays import Floats, Ints
from tenure.simulators.rollout import run

HOUR = 9
WEIGHT = {"missed": 3.0, "stored": 0.05, "wasted": 1.0, "maintenance": 40, "breakdowns": 250, "overheated": 150}


def one(store: int, heat: int, wear: int, surprise: int, hour: int) -> Machines:
    whole = (np.array([value]) for value in (0, hour, USUAL[hour % 24] + SURPRISE[surprise], store, heat, wear))
    number, at, orders, stored, hot, worn = whole
    return Machines(number, at, orders, stored, hot, worn, np.array([0.3]), np.array([1.0]))


def least_cost(state: Machines, steps: int) -> float:
    """Least expected cost by going through every action and every luck, one state at a time, without the solver."""
    if steps == 0:
        return 0.0
    return min(action_cost(state, action, steps) for action in range(5))


def action_cost(state: Machines, action: int, steps: int) -> float:
    wear, heat = int(state.wear[0]), int(state.heat[0])
    breaks = 0.0006 * max(wear - 4, 0) ** 2 * (0.0, 0.6, 1.0, 1.3, 1.8)[action]
    wears = min((0.0, 0.10, 0.20, 0.35, 0.60)[action] * (1 + 0.12 * max(heat - 3, 0)), 1)
    heats = 0.3 if action else 0.0
    total = 0.0
    for broke, wore, heated in product((False, True), repeat=3):
        chance = (breaks if broke else 1 - breaks) * (wears if wore else 1 - wears) * (heats if heated else 1 - heats)
        if chance:
            luck = Luck(*(np.array([flag]) for flag in (broke, wore, heated)))
            after, signals = hour_of_work(state, np.array([action]), luck)
            now = sum(weight * float(signals[name][0]) for name, weight in WEIGHT.items())
            total += chance * (now + after_cost(after, steps - 1))
    return total


def after_cost(after: Machines, steps: int) -> float:
    hour = int(after.hour[0]) + 1
    return sum(
        float(chance)
        * least_cost(replace(after, hour=after.hour + 1, orders=np.array([USUAL[hour % 24] + surprise])), steps)
        for chance, surprise in zip(CHANCE_OF_SURPRISE, SURPRISE, strict=True)
    )


@pytest.mark.parametrize("where", [(0, 0, 0, 1), (12, 6, 5, 0), (3, 7, 14, 2), (5, 9, 15, 1)])
def test_two_hours_equal_the_best_of_everything_that_can_happen(where: tuple[int, int, int, int]) -> None:
    state = one(*where, hour=HOUR)
    assert best_plan(HOUR, 2)[1][place(state)[0]] == pytest.approx(least_cost(state, 2))


def test_the_last_hour_by_hand() -> None:
    """Orders 12, store 3, 50 °C, as new: fast delivers 12 for nothing missed and leaves 2; slower misses some."""
    plan, cost = best_plan(HOUR, 1)
    at = place(one(3, 2, 0, 1, HOUR))[0]
    assert USUAL[HOUR] == 12
    assert plan[0, at] == 3
    assert cost[at] == pytest.approx(2 * 0.05)


def test_every_state_has_its_own_place() -> None:
    assert np.array_equal(place(states(HOUR)), np.arange(13 * 10 * 16 * 3))


def test_the_luck_of_an_action_adds_up_to_one() -> None:
    for branches in hour_branches(HOUR):
        assert sum(chance for chance, _, _ in branches) == pytest.approx(1.0)


def rule_cost(act: Callable[[Machines], Ints], hours: Sequence[int]) -> Floats:
    """Exact expected cost of a rule from every state, by the solver's own branches."""
    cost = np.zeros(13 * 10 * 16 * 3)
    for hour in reversed(hours):
        values = np.stack([expected(branches, cost) for branches in hour_branches(hour % 24)])
        cost = np.take_along_axis(values, act(states(hour % 24))[None], axis=0)[0]
    return cost


@pytest.mark.parametrize(
    "rule",
    [incumbent, rules["steady"], Foreman(0.2, 70, 7, 9, 7), Foreman(0.6, 90, 9, 9, 4)],
    ids=lambda rule: repr(rule),
)
def test_no_rule_is_expected_to_do_better_from_any_state(rule: Foreman) -> None:
    def act(state: Machines) -> Ints:
        return np.asarray(rule.propose(simulator.observe(state), None, np.zeros(0)).action)

    paid, least = rule_cost(act, range(48)), best_plan(0, 48)[1]
    assert (least <= paid + 1e-9).all()
    assert least.mean() < 0.95 * paid.mean()


def short() -> Panel:
    return simulator.panel("selection", days=7)


def test_what_it_meets_is_what_it_expects() -> None:
    """128 machines for a week, within four standard errors."""
    panel = short()
    paid = problem.kpis[0].numerator(bound(panel))
    error = paid.std() / len(paid) ** 0.5
    assert paid.mean() == pytest.approx(best_plan(0, panel.steps)[1][place(panel.state)].mean(), abs=4 * error)


def test_it_leaves_a_tenth_of_the_incumbents_cost_to_be_learned() -> None:
    panel = short()
    paid = problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)
    least = problem.kpis[0].of_totals(bound(panel), panel.steps * len(panel.worlds))
    assert least < 0.9 * paid


def test_no_policy_that_breaks_the_limit_earns_as_much_as_the_incumbent() -> None:
    """The penalty is dear enough: an hour in 50 above 90 °C costs more than everything there is to gain."""
    limit = problem.limits[0]
    penalty = -next(term.weight for term in problem.reward.terms if term.signal == limit.signal)
    panel = short()
    paid = problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)
    least = problem.kpis[0].of_totals(bound(panel), panel.steps * len(panel.worlds))
    assert penalty * limit.most > paid - least


def test_it_states_every_signal_for_every_machine() -> None:
    found = bound(simulator.panel("selection", days=1))
    assert set(found) == problem.signal_names
    assert all(values.shape == (128,) for values in found.values())
