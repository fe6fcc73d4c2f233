"""The problem reads for itself, the rules do what they say, and the draft pays for throughput alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.factory import tune
from tenure.cases.factory.problem import SPEEDS, Foreman, Steady, drafts, incumbent, problem, rules
from tenure.cases.factory.simulator import simulator
from tenure.core.arrays import Floats
from tenure.simulators.rollout import run


def seen(**values: float) -> Floats:
    """One situation; what is not named is 0, the temperature 30 °C."""
    full = dict.fromkeys(problem.feature_names, 0.0) | {"temperature": 30.0} | values
    return np.array([[full[name] for name in problem.feature_names]], dtype=np.float32)


def speed(rule: Foreman | Steady, observation: Floats) -> str:
    return SPEEDS[int(rule.propose(observation, None, np.zeros(1)).action[0])]


FOREMAN = Foreman(cover=0.5, hot=80, quiet_wear=6, any_wear=9, quiet=4)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({"orders": 3}, "slow"),
        ({"orders": 8}, "normal"),
        ({"orders": 8, "usual_1h": 6}, "fast"),  # 3 more for the store
        ({"orders": 12, "store": 12}, "slow"),
        ({"orders": 14, "usual_1h": 12, "usual_2h": 12}, "overdrive"),
        ({"orders": 14, "temperature": 80}, "normal"),
        ({"orders": 14, "temperature": 90}, "slow"),
        ({"orders": 14, "usual_1h": 8, "wear": 8}, "overdrive"),
        ({"orders": 14, "usual_1h": 8, "wear": 9}, "maintain"),
        ({"orders": 3, "usual_1h": 3, "wear": 6}, "maintain"),
    ],
)
def test_the_foreman_by_hand(situation: dict[str, float], expected: str) -> None:
    assert speed(FOREMAN, seen(**situation)) == expected


def test_the_steady_rule_by_hand() -> None:
    assert speed(Steady(wear=6), seen(orders=14)) == "normal"
    assert speed(Steady(wear=6), seen(store=12)) == "slow"
    assert speed(Steady(wear=6), seen(wear=6)) == "maintain"


def test_the_cost_is_the_reward_turned_round_but_for_the_orders() -> None:
    """Missed margin instead of delivered: the orders are nobody's doing, so both rank policies alike."""
    trace = run(problem, simulator, incumbent, simulator.panel("selection", days=2)).trace
    cost = problem.kpis[0].numerator(trace.signals)
    assert cost == pytest.approx(3 * trace.signals["orders"] - problem.reward(trace.signals))


def test_near_misses_are_read_by_no_term_of_any_reward() -> None:
    for reward in (problem.reward, *drafts.values()):
        assert "near_misses" not in {term.signal for term in reward.terms}


def test_the_draft_pays_for_what_is_made_and_for_nothing_else() -> None:
    assert {term.signal for term in drafts["throughput-only"].terms} == {"made"}


def test_the_cost_of_a_rule_is_its_first_kpi_over_both_parts() -> None:
    panels = [simulator.panel(split, days=7) for split in tune.SPLITS]
    assert tune.SPLITS == ("train", "selection")
    assert tune.cost(incumbent) == pytest.approx(np.mean([kpi_of(panel) for panel in panels]))


def kpi_of(panel: Panel) -> float:
    return problem.kpis[0].value(run(problem, simulator, incumbent, panel).trace.signals)


def test_no_neighbour_of_the_incumbent_is_better() -> None:
    assert isinstance(incumbent, Foreman)
    neighbours = [replace(incumbent, cover=cover) for cover in (0.3, 0.6)]
    neighbours += [replace(incumbent, hot=hot) for hot in (70, 90)]
    neighbours += [replace(incumbent, quiet_wear=wear) for wear in (7, 9)]
    neighbours += [replace(incumbent, any_wear=wear) for wear in (9, 12)]
    neighbours += [replace(incumbent, quiet=4)]
    assert tune.cost(incumbent) < min(map(tune.cost, neighbours))


def test_no_neighbour_of_the_steady_rule_is_better() -> None:
    rule = rules["steady"]
    assert isinstance(rule, Steady)
    assert tune.cost(rule) < min(tune.cost(replace(rule, wear=wear)) for wear in (7, 8))


def test_the_grid_holds_every_rule_of_the_problem() -> None:
    assert {incumbent, *rules.values()} <= set(tune.rules())
