"""Easy and hard years are varied from the training months alone, and differ from the real one in what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure.cases.bikes.courses import HARD_YEARS, MORE, TRAIN_HOURS, calmer, harder
from tenure.cases.bikes.data import history
from tenure.cases.bikes.problem import incumbent, problem
from tenure.cases.bikes.simulator import BikesSimulator, simulator
from tenure.core.arrays import Floats, Ints
from tenure.core.evidence import Verdict
from tenure.simulators import check_simulator, run
from tenure.simulators.disturbances import DemandShock, Obstacle, disturbed

YEARS = [calmer, *(lambda past, number=number: harder(past, number) for number in range(HARD_YEARS))]


@pytest.mark.parametrize("year", YEARS)
def test_from_september_on_every_year_is_the_real_one_and_reads_nothing_of_it_before(year: object) -> None:
    past = history()
    made = year(past)  # type: ignore[operator]
    assert np.array_equal(made.demand[TRAIN_HOURS:], past.demand[TRAIN_HOURS:])
    demand, weather = past.demand.copy(), past.weather.copy()
    demand[TRAIN_HOURS:], weather[TRAIN_HOURS:] = 10**6, 10.0
    other = year(replace(past, demand=demand, weather=weather))  # type: ignore[operator]
    assert np.array_equal(made.demand[:TRAIN_HOURS], other.demand[:TRAIN_HOURS])
    assert np.array_equal(made.weather[:TRAIN_HOURS], other.weather[:TRAIN_HOURS])


def surprise(demand: Floats | Ints) -> float:
    """How far a training day's demand is from its usual, as a mean share of it."""
    usual = history().usual[:TRAIN_HOURS].sum(axis=1).reshape(-1, 24).sum(axis=1)
    found = demand[:TRAIN_HOURS].sum(axis=1).reshape(-1, 24).sum(axis=1)
    return float(np.abs(found / usual - 1).mean())


def test_hard_years_bring_a_quarter_more_demand_and_easy_ones_as_much_as_ever_with_fewer_surprises() -> None:
    past = history()
    real = past.demand[:TRAIN_HOURS].sum()
    assert calmer(past).demand[:TRAIN_HOURS].sum() / real == pytest.approx(1.0, abs=0.01)
    assert surprise(calmer(past).demand) < surprise(past.demand) < surprise(harder(past, 0).demand)
    total = np.mean([harder(past, number).demand[:TRAIN_HOURS].sum() for number in range(HARD_YEARS)])
    assert total / real == pytest.approx(MORE, abs=0.05)


def test_hard_years_differ_from_each_other() -> None:
    years = [harder(history(), number).demand for number in range(HARD_YEARS)]
    assert not any(np.array_equal(years[0], other) for other in years[1:])


def cost(level: str) -> float:
    panel = simulator.panel("train", 0, 1)
    worlds = replace(panel, state=simulator.reset(400, np.random.default_rng(5), level), worlds=("",) * 400, steps=96)
    return run(problem, simulator, incumbent, worlds).trace.kpi(problem.kpis[0])


def test_the_incumbent_pays_less_on_easy_worlds_and_more_on_hard_ones() -> None:
    assert cost("easy") < cost("normal") < cost("hard")


def test_the_level_normal_lives_in_the_real_year_and_so_does_every_panel() -> None:
    assert not simulator.reset(500, np.random.default_rng(0)).course.any()
    assert not simulator.panel("selection").state.course.any()
    hard = simulator.reset(500, np.random.default_rng(0), "hard").course
    assert sorted(set(hard.tolist())) == [2, 3, 4, 5]


@pytest.mark.parametrize("level", ["easy", "hard"])
def test_every_level_keeps_the_contract(level: str) -> None:
    class Level(BikesSimulator):
        def reset(self, n: int, rng: np.random.Generator, level: str = level) -> object:  # type: ignore[override]
            return simulator.reset(n, rng, level)

    findings = check_simulator(problem, Level(), n=6, steps=10)
    assert {finding.verdict for finding in findings} == {Verdict.PASS}


def test_a_shock_doubles_requests_and_what_is_recent_follows() -> None:
    world = disturbed(problem, simulator, [DemandShock(2.0, at=1)])
    traces = [run(problem, one, incumbent, one.panel("selection", 0, 2)).trace for one in (simulator, world)]
    calm, shocked = (trace.signals["requests"] for trace in traces)
    assert np.array_equal(shocked[0], calm[0])
    assert np.array_equal(shocked[1:], 2 * calm[1:])
    at = problem.feature_names.index("recent_24h")
    recent = [trace.observation[1:, :, at] for trace in traces if trace.observation is not None]
    assert recent[1] == pytest.approx(np.minimum(2 * recent[0], 5.0), rel=1e-6)


def test_an_obstacle_leaves_trucks_less_room() -> None:
    world = disturbed(problem, simulator, [Obstacle(0.5)])
    state = world.reset(3, np.random.default_rng(0))
    after = world.step(state, np.array([0, 24, 14]), np.random.default_rng(0)).state
    assert after.world.on_the_way.tolist() == [-6, 6, 2]
