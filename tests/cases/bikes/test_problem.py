"""The problem reads for itself, and the rules do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tenure import Discrete
from tenure.cases.bikes.data import TRAIN_DAYS, history
from tenure.cases.bikes.problem import BaseStock, TwoSided, incumbent, problem, rules
from tenure.core.arrays import Floats


def seen(**values: float) -> Floats:
    """One situation; what is not named is 0, the size and the recent ratios 1."""
    full = dict.fromkeys(problem.feature_names, 0.0) | {"size": 1.0, "recent_24h": 1.0} | values
    return np.array([[full[name] for name in problem.feature_names]], dtype=np.float32)


def moved(rule: BaseStock | TwoSided, observation: Floats) -> int:
    return int(rule.propose(observation, None, np.zeros(1)).action[0]) - 12


def base_stock(level: float, exponent: float = 1.0, dead_band: float = 0.0) -> BaseStock:
    """A rule whose quantile is this multiple of the usual three hours' demand, at every hour."""
    rule = BaseStock(0.9, exponent, dead_band)
    rule.__dict__["factor"] = np.full(168, level)
    return rule


def test_every_term_names_its_unit_and_its_reason() -> None:
    assert {term.signal: term.weight for term in problem.reward.terms} == {
        "lost_rentals": -2.00,
        "bikes_moved": -0.25,
        "idle_bikes": -0.10,
    }
    units = {signal.name: signal.unit for signal in problem.signals}
    for term in problem.reward.terms:
        assert term.unit == f"$/{units[term.signal].removesuffix('s')}"
        assert len(term.because.split()) >= 5


def test_every_feature_and_signal_names_its_unit() -> None:
    assert all(feature.unit for feature in problem.observation)
    assert all(signal.unit for signal in problem.signals)
    assert all(kpi.unit for kpi in problem.kpis)


def test_only_the_weather_may_be_left_out_of_a_request() -> None:
    optional = {feature.name for feature in problem.observation if feature.default is not None}
    assert optional == {"temperature", "humidity", "wind", "sky"}
    assert {feature.name for feature in problem.observation if feature.lag == 1} == optional


def test_the_first_kpi_is_the_reward_with_the_sign_turned() -> None:
    signals = {name: np.array([3.0, 5.0]) for name in problem.signal_names}
    assert problem.kpis[0].value(signals) == pytest.approx(-float(problem.reward(signals).mean()))


def test_actions_are_the_moves_a_truck_can_make() -> None:
    assert isinstance(problem.action, Discrete)
    assert [int(label) for label in problem.action.labels] == list(range(-12, 13))


def test_base_stock_orders_up_to_the_adapted_level_of_three_hours() -> None:
    # level 2 * (1 + 2 + 3) * 1.5 = 18; 5 stand there and 2 come
    observation = seen(usual_now=1, usual_next=2, usual_arrival=3, recent_24h=1.5, stock=5, on_the_way=2)
    assert moved(base_stock(2), observation) == 11
    assert moved(base_stock(2, exponent=0), observation) == 5  # 12 without adaptation
    assert moved(base_stock(2, exponent=2), observation) == 12  # 27, more than a truck carries


def test_base_stock_takes_away_what_is_too_much() -> None:
    assert moved(base_stock(2), seen(usual_now=1, stock=7)) == -5


def test_base_stock_leaves_differences_within_the_dead_band_alone() -> None:
    rule = base_stock(1, dead_band=3)
    assert moved(rule, seen(usual_now=8, stock=5)) == 0
    assert moved(rule, seen(usual_now=8.6, stock=5)) == 4
    assert moved(rule, seen(usual_now=8, stock=12)) == -4


def test_base_stock_reads_the_level_of_its_hour_of_the_week() -> None:
    rule = base_stock(1)
    rule.__dict__["factor"] = np.where(np.arange(168) == 3 * 24 + 17, 2.0, 1.0)
    assert moved(rule, seen(usual_now=4, weekday=3, hour=17)) == 8
    assert moved(rule, seen(usual_now=4, weekday=3, hour=16)) == 4


def test_two_sided_moves_to_the_nearer_band_only() -> None:
    rule = TwoSided(0.1, 0.9, 1.0)
    rule.__dict__["factors"] = (np.full(168, 1.0), np.full(168, 2.0))
    assert moved(rule, seen(usual_now=5, stock=2)) == 3
    assert moved(rule, seen(usual_now=5, stock=8)) == 0
    assert moved(rule, seen(usual_now=5, stock=12)) == -2
    assert moved(rule, seen(usual_now=5, stock=11, on_the_way=1)) == -2


def test_the_level_is_a_quantile_of_three_hours_demand_from_january_to_august() -> None:
    past, hour_of_week = history(), 2 * 24 + 8
    hours = [h for h in range(TRAIN_DAYS * 24 - 2) if past.hour_of_week[h] == hour_of_week]
    ratios = sorted(past.demand[h : h + 3].sum() / past.usual[h : h + 3].sum() for h in hours)
    assert BaseStock(1.0, 1.0, 0).factor[hour_of_week] == pytest.approx(ratios[-1])
    assert BaseStock(0.5, 1.0, 0).factor[hour_of_week] == pytest.approx(np.median(ratios))
    assert BaseStock(1.0, 1.0, 0).factor.shape == (168,)


def test_rules_are_sure_of_themselves_and_deterministic() -> None:
    for rule in (incumbent, *rules.values()):
        proposal = rule.propose(seen(usual_now=5), None, np.zeros(1))
        assert proposal.confidence.tolist() == [1.0]
        assert proposal.distribution is None
