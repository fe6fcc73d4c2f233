"""The problem reads for itself, the rules do what they say, and the draft pays per alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.alarms import tune
from tenure.cases.alarms.problem import ByShift, QuietLoad, drafts, incumbent, problem, rules
from tenure.cases.alarms.simulator import simulator
from tenure.core.arrays import Floats
from tenure.simulators.rollout import run


def seen(**values: float) -> Floats:
    """One situation; what is not named is 0, the planned service far away."""
    full = dict.fromkeys(problem.feature_names, 0.0) | {"hours_to_service": 90.0, "hours_to_change": 6.0} | values
    return np.array([[full[name] for name in problem.feature_names]], dtype=np.float32)


def choice(rule: ByShift | QuietLoad, observation: Floats) -> str:
    return ("wait", "inspect", "alarm")[int(rule.propose(observation, None, np.zeros(1)).action[0])]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({"risk": 0.1}, "wait"),
        ({"risk": 0.5}, "inspect"),
        ({"risk": 0.95}, "alarm"),
        ({"risk": 0.95, "hours_to_service": 6}, "wait"),
        ({"risk": 0.95, "hours_to_service": 7}, "alarm"),
        ({"risk": 0.95, "night": 1}, "wait"),
        ({"risk": 0.995, "night": 1}, "alarm"),
    ],
)
def test_the_panel_by_hand(situation: dict[str, float], expected: str) -> None:
    assert choice(ByShift(alarm=0.9, inspect=0.3, night=0.99, spare=6), seen(**situation)) == expected


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({"risk": 0.1}, "wait"),
        ({"risk": 0.5}, "inspect"),
        ({"risk": 0.5, "night": 1}, "wait"),
        ({"risk": 0.95, "load": 1}, "alarm"),
        ({"risk": 0.95, "load": 2}, "inspect"),
        ({"risk": 1.0, "load": 2}, "wait"),
    ],
)
def test_the_rule_that_reads_the_load_by_hand(situation: dict[str, float], expected: str) -> None:
    assert choice(QuietLoad(alarm=0.9, inspect=0.3, load=1), seen(**situation)) == expected


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
    paid = [cost_over(simulator.panel(split, days=8)) for split in tune.SPLITS]
    assert tune.cost(incumbent) == pytest.approx(np.mean(paid))


def cost_over(panel: Panel) -> float:
    return problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)


def test_no_neighbour_of_the_incumbent_is_better() -> None:
    assert isinstance(incumbent, ByShift)
    neighbours = [replace(incumbent, alarm=0.95)]
    neighbours += [replace(incumbent, inspect=risk) for risk in (0.3, 0.4)]
    neighbours += [replace(incumbent, night=risk) for risk in (0.9, 1.1)]
    neighbours += [replace(incumbent, spare=hours) for hours in (12, 24)]
    assert tune.cost(incumbent) <= min(map(tune.cost, neighbours))


def test_the_grid_holds_every_rule_of_the_problem() -> None:
    assert {incumbent, *rules.values()} <= set(tune.rules())
