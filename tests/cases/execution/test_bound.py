"""The bound: equal to the best of everything that can happen, and never beaten by a policy that sees less."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tenure import Policy
from tenure.cases.execution.bound import REGIMES, best_plan, bound, regime, totals
from tenure.cases.execution.market import MARKETS, Market
from tenure.cases.execution.problem import LOTS, RISK_WEIGHT, SLOTS, incumbent, problem, rules
from tenure.cases.execution.simulator import DESKS, ExecutionSimulator, simulator
from tenure.simulators.rollout import run

NORMAL = MARKETS["normal"]


def least(market: Market, left: int, lots: int, wild: int, thin: int, drift: int) -> float:
    """Least expected cost by going through every pace and every next regime, without the solver."""
    if left == 0:
        return 0.0
    multiples = (1.0,) if left == 1 else tuple(pace for pace in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0) if pace <= left)
    return min(
        slot(market, min(int(pace * lots / left + 0.5), lots), left, lots, (wild, thin, drift)) for pace in multiples
    )


def slot(market: Market, bought: int, left: int, lots: int, now: tuple[int, int, int]) -> float:
    wild, thin, drift = now
    share, unbought = bought / LOTS, (lots - bought) / LOTS
    over = (market.tight, market.wide)[wild] + share * (market.thick, market.thin)[thin]
    move = market.drift * (drift - 1) + market.permanent * share
    cost = share * over + unbought * move + RISK_WEIGHT * ((market.calm, market.wild)[wild] * unbought) ** 2
    stays = (market.volatility_stays, market.volume_stays, market.drift_stays)
    for after in product(range(2), range(2), range(3)):
        chance = 1.0
        for stay, was, will, among in zip(stays, now, after, REGIMES, strict=True):
            chance *= stay if was == will else (1 - stay) / (among - 1)
        cost += chance * least(market, left - 1, lots - bought, *after)
    return cost


@pytest.mark.parametrize(
    ("lots", "now"), [(48, (0, 0, 1)), (30, (1, 1, 2)), (7, (1, 0, 0)), (1, (0, 1, 0)), (0, (0, 0, 2))]
)
def test_three_slots_equal_the_best_of_everything_that_can_happen(lots: int, now: tuple[int, int, int]) -> None:
    at = int(np.ravel_multi_index(now, REGIMES))
    assert best_plan(NORMAL)[1][3, lots, at] == pytest.approx(least(NORMAL, 3, lots, *now))


def test_the_last_slot_by_hand() -> None:
    """All 48 lots in a thin and wild market: 0.3 + 20 bp, and nothing is left to any move."""
    at = int(np.ravel_multi_index((1, 1, 0), REGIMES))
    assert best_plan(NORMAL)[1][1, LOTS, at] == pytest.approx(20.3)


def test_regimes_are_numbered_as_the_plan_has_them() -> None:
    state = simulator.panel("train").state
    assert [tuple(each) for each in np.stack(np.unravel_index(regime(state), REGIMES), axis=1)] == list(
        zip(state.wild.tolist(), state.thin.tolist(), state.drift.tolist(), strict=True)
    )


def cost_of(totals_: dict[str, np.ndarray]) -> float:
    return problem.kpis[0].of_totals(totals_, 0)


@pytest.mark.parametrize("rule", [incumbent, *rules.values()], ids=lambda rule: rule.version)
def test_no_rule_does_better_in_the_mean(rule: Policy) -> None:
    panel = simulator.panel("selection", days=7)
    paid = run(problem, simulator, rule, panel).trace.kpi(problem.kpis[0])
    assert cost_of(bound(panel)) < paid


def test_what_it_meets_is_what_it_expects() -> None:
    """64 desks for four weeks, within four standard errors; first orders start in all regimes alike."""
    panel = simulator.panel("train")
    found = bound(panel)
    orders = panel.steps // SLOTS
    met = problem.kpis[0].numerator(found) / orders
    expected = best_plan(NORMAL)[1][SLOTS, LOTS].mean()
    assert met.mean() == pytest.approx(expected, abs=4 * met.std() / DESKS**0.5)


def test_it_leaves_a_fifth_of_the_incumbents_cost_to_be_learned() -> None:
    panel = simulator.panel("selection", days=7)
    paid = run(problem, simulator, incumbent, panel).trace.kpi(problem.kpis[0])
    assert cost_of(bound(panel)) < 0.8 * paid


def test_a_new_regime_of_the_signal_changes_nothing_for_who_knows_the_drift() -> None:
    turned = ExecutionSimulator(shown="new-regime")
    old, new = totals(simulator.panel("train"), simulator), totals(turned.panel("train"), turned)
    assert all(np.array_equal(old[name], new[name]) for name in old)


def test_it_states_every_signal_for_every_desk() -> None:
    found = bound(simulator.panel("selection", days=1))
    assert set(found) == problem.signal_names
    assert all(values.shape == (DESKS,) for values in found.values())
