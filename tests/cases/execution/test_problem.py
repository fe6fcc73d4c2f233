"""The problem reads for itself, the schedules do what they say, and the draft has no price of risk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure.cases.execution import tune
from tenure.cases.execution.problem import LOTS, PACES, SLOTS, Schedule, drafts, incumbent, problem, rules
from tenure.cases.execution.simulator import simulator
from tenure.core.arrays import Floats
from tenure.core.policy import check_policy
from tenure.simulators.rollout import run


def seen(left: float, remaining: float, volume: float = 1.0) -> Floats:
    """One situation; what is not named is 0."""
    full = dict.fromkeys(problem.feature_names, 0.0) | {"left": left, "remaining": remaining, "volume": volume}
    return np.array([[full[name] for name in problem.feature_names]], dtype=np.float32)


def pace(rule: Schedule, observation: Floats) -> str:
    return PACES[int(rule.propose(observation, None, np.zeros(1)).action[0])]


@pytest.mark.parametrize(
    ("rule", "situation", "expected"),
    [
        (Schedule(1.0), seen(12, 48), "even"),
        (Schedule(1.0), seen(7, 20), "even"),
        (Schedule(2.0), seen(12, 48), "double"),  # 1 - (11/12)^2 of 48 is 7.7 lots, even 4
        (Schedule(2.0), seen(2, 20), "1.5 times"),  # 1 - 1/4 of 20 is 15 lots, even 10
        (Schedule(2.0), seen(1, 20), "even"),
        (Schedule(1.0, follow=1.0), seen(6, 24, volume=0.4), "half"),
        (Schedule(1.0, follow=1.0), seen(6, 24, volume=1.6), "1.5 times"),
        (Schedule(1.0, follow=1.0), seen(6, 24, volume=0.0), "wait"),
        (Schedule(1.0, follow=1.0), seen(2, 24, volume=4.0), "double"),
        (Schedule(1.0, follow=0.5), seen(6, 24, volume=4.0), "double"),
    ],
)
def test_a_schedule_by_hand(rule: Schedule, situation: Floats, expected: str) -> None:
    assert pace(rule, situation) == expected


@pytest.mark.parametrize("rule", [incumbent, *rules.values()], ids=lambda rule: rule.version)
def test_the_rules_keep_the_contract_of_a_policy(rule: Schedule) -> None:
    observation = simulator.observe(simulator.reset(256, np.random.default_rng(0)))
    check_policy(rule, observation, len(PACES), problem.allowed(observation))


def test_the_cost_is_the_reward_turned_round_per_order() -> None:
    trace = run(problem, simulator, incumbent, simulator.panel("selection", days=1)).trace
    orders = trace.signals["finished"].sum()
    assert orders == 64 * 144 / SLOTS
    assert trace.kpi(problem.kpis[0]) == pytest.approx(-problem.reward(trace.signals).sum() / orders)


def test_dear_trades_are_read_by_no_term_of_any_reward() -> None:
    for reward in (problem.reward, *drafts.values()):
        assert not {"dear", "slippage"} & {term.signal for term in reward.terms}


def test_the_draft_pays_for_the_shortfall_alone() -> None:
    assert {term.signal for term in drafts["shortfall-only"].terms} == {"shortfall"}


def test_the_cost_of_a_rule_is_its_first_kpi_over_both_parts() -> None:
    assert tune.SPLITS == ("train", "selection")
    found = [
        run(problem, simulator, incumbent, simulator.panel(split, days=7)).trace.kpi(problem.kpis[0])
        for split in tune.SPLITS
    ]
    assert tune.cost(incumbent) == pytest.approx(np.mean(found))


@pytest.mark.parametrize("rule", [incumbent, rules["participation"]], ids=lambda rule: rule.version)
def test_no_neighbour_on_the_grid_is_better(rule: Schedule) -> None:
    best = tune.cost(rule)
    fronts, follows = tune.FRONTS, (0.0, *tune.FOLLOWS)
    for step in (-1, 1):
        assert tune.cost(replace(rule, front=fronts[fronts.index(rule.front) + step])) >= best
        if rule.follow:
            assert tune.cost(replace(rule, follow=follows[follows.index(rule.follow) + step])) >= best


def test_the_grid_holds_every_tuned_rule() -> None:
    assert {incumbent, rules["participation"]} <= set(tune.rules())
    assert rules["time-weighted"] == Schedule(1.0, version="time-weighted")
    assert LOTS % SLOTS == 0
