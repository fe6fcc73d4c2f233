"""The problem reads for itself, the rules do what they say, and the draft pays per alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.alarms import tune
from tenure.cases.alarms.problem import ByDemand, ByPlan, drafts, incumbent, problem, rules, standing
from tenure.cases.alarms.simulator import simulator
from tenure.core.arrays import Floats
from tenure.simulators.rollout import run

Number = TypeVar("Number", bound=float)


def seen(**values: float) -> Floats:
    """One situation; what is not named is 0."""
    full = dict.fromkeys(problem.feature_names, 0.0) | values
    return np.array([[full[name] for name in problem.feature_names]], dtype=np.float32)


def choice(rule: ByPlan | ByDemand, observation: Floats) -> str:
    return ("wait", "inspect", "alarm")[int(rule.propose(observation, None, np.zeros(1)).action[0])]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({"risk": 0.2, "stop_loss": 10}, "wait"),
        ({"risk": 0.5, "stop_loss": 10}, "inspect"),
        ({"risk": 0.5, "night": 1}, "wait"),
        ({"risk": 0.95, "stop_loss": 100}, "alarm"),
        ({"risk": 0.95, "stop_loss": 101}, "inspect"),
        ({"risk": 1, "stop_loss": 101, "wear": 14}, "wait"),
        ({"risk": 1, "stop_loss": 101, "wear": 15}, "alarm"),
        ({"risk": 1, "stop_loss": 101, "other_risk": 0.4}, "inspect"),
        ({"risk": 1, "wear": 15, "other_out": 1}, "wait"),
        ({"risk": 0.5, "other_out": 1}, "inspect"),
        ({"out": 2, "other_out": 7}, "wait"),
    ],
)
def test_the_rule_by_the_plan_by_hand(situation: dict[str, float], expected: str) -> None:
    rule = ByPlan(alarm=0.9, most=100, urgent=15, inspect=0.3, at_night=False)
    assert choice(rule, seen(**situation)) == expected


def test_a_rule_may_inspect_by_night() -> None:
    rule = ByPlan(alarm=0.9, most=100, urgent=15, inspect=0.3, at_night=True)
    assert choice(rule, seen(risk=0.5, night=1)) == "inspect"


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({"risk": 0.2}, "wait"),
        ({"risk": 0.5}, "inspect"),
        ({"risk": 0.5, "night": 1}, "wait"),
        ({"risk": 0.95, "demand": 1}, "alarm"),
        ({"risk": 0.95, "demand": 2}, "inspect"),
        ({"risk": 0.95, "demand": 1, "other_out": 4}, "alarm"),
        ({"risk": 1, "demand": 2}, "wait"),
    ],
)
def test_the_rule_by_demand_by_hand(situation: dict[str, float], expected: str) -> None:
    assert choice(ByDemand(alarm=0.9, inspect=0.3, demand=1), seen(**situation)) == expected


def test_a_standing_is_worse_with_more_risk_and_more_hours_out_and_worst_where_no_pump_runs() -> None:
    worse: list[dict[str, float]] = [
        {},
        {"risk": 0.2},
        {"risk": 0.4},
        {"other_out": 3},
        {"risk": 0.4, "other_out": 3},
        {"out": 3, "other_out": 3},
    ]
    values = [float(standing(seen(**situation))[0]) for situation in worse]
    assert values == pytest.approx([0, -80, -160, -180, -340, -1060])


def test_finding_out_is_worth_something_at_once() -> None:
    """A strong light, 3 of 5 true: the mean of what is found stands no worse than the doubt before it."""
    doubt, found, sound = (float(standing(seen(risk=risk))[0]) for risk in (0.6, 1.0, 0.0))
    assert 0.6 * found + 0.4 * sound > doubt


def test_the_cost_is_the_reward_turned_round() -> None:
    trace = run(problem, simulator, incumbent, simulator.panel("selection", days=4)).trace
    assert problem.kpis[0].numerator(trace.signals) == pytest.approx(-problem.reward(trace.signals))


def test_true_alarms_are_read_by_no_term_of_any_reward() -> None:
    for reward in (problem.reward, *drafts.values()):
        assert "true_alarms" not in {term.signal for term in reward.terms}


def test_the_draft_pays_for_every_alarm() -> None:
    weights = {term.signal: term.weight for term in drafts["pay-per-alarm"].terms}
    assert set(weights) == {"alarms", "failures"}
    assert weights["alarms"] > 0


def test_the_cost_of_a_rule_is_its_first_kpi_over_both_parts() -> None:
    assert tune.SPLITS == ("train", "selection")
    paid = [cost_over(simulator.panel(split, days=tune.DAYS)) for split in tune.SPLITS]
    assert tune.cost(incumbent) == pytest.approx(np.mean(paid))


def cost_over(panel: Panel) -> float:
    return problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)


def test_no_neighbour_of_the_incumbent_is_better() -> None:
    assert isinstance(incumbent, ByPlan)
    neighbours = [replace(incumbent, at_night=not incumbent.at_night)]
    neighbours += [replace(incumbent, alarm=risk) for risk in beside(tune.ALARMS, incumbent.alarm)]
    neighbours += [replace(incumbent, most=units) for units in beside(tune.LOSSES, incumbent.most)]
    neighbours += [replace(incumbent, urgent=wear) for wear in beside(tune.URGENT, incumbent.urgent)]
    neighbours += [replace(incumbent, inspect=risk) for risk in beside(tune.INSPECTS, incumbent.inspect)]
    assert tune.cost(incumbent) <= min(map(tune.cost, neighbours))


def beside(axis: Sequence[Number], value: Number) -> list[Number]:
    """The grid's values next to one."""
    at = axis.index(value)
    return [axis[other] for other in (at - 1, at + 1) if 0 <= other < len(axis)]


def test_the_grid_holds_every_rule_of_the_problem() -> None:
    assert {incumbent, *rules.values()} <= set(tune.rules())
