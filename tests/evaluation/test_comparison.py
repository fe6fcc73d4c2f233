"""Two runs over one panel: gains, KPIs, tails and the sentence, worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.simulator import Panel
from tenure.core.spaces import Discrete, Feature
from tenure.core.trace import Trace
from tenure.evaluation import cluster_by, compare, relative_gain

STEPS, WORLDS = 12, 2
WEEKS = np.repeat([0, 1, 2], 4)
COST = KPI("cost", "EUR per day", "lower", {"cost": 1.0})
IDLE = KPI("bikes_idle", "bikes", "lower", {"idle": 1.0})
SERVICE = KPI("service", "share", "higher", {"served": 1.0}, {"asked": 1.0})


def problem(*kpis: KPI) -> Problem:
    names = ("cost", "idle", "served", "asked")
    return Problem(
        name="bikes",
        about="how many bikes to bring",
        observation=(Feature("stock", "bikes"),),
        action=Discrete(("none", "some")),
        signals=tuple(Signal(name, "1", -1000.0, 1000.0) for name in names),
        reward=Reward((Term("cost", -1.0, "EUR", "it is paid"),)),
        kpis=kpis,
    )


def trace(factor: float = 1.0, idle: float = 10.0, served: float = 0.9, wobble: float = 0.01) -> Trace:
    week = 1 + wobble * np.array([0.0, 1.0, -1.0])[WEEKS]
    cost: Floats = factor * 100.0 * week[:, None] * np.ones((1, WORLDS))
    asked = np.full((STEPS, WORLDS), 20.0)
    return Trace(
        signals={
            "cost": cost,
            "idle": np.full((STEPS, WORLDS), idle) * week[:, None],
            "served": asked * served * week[:, None],
            "asked": asked,
        },
        action=np.zeros((STEPS, WORLDS), dtype=np.int64),
        observation=None,
        worlds=("north", "south"),
        started_at=datetime(2024, 1, 1, tzinfo=UTC),
        interval=timedelta(days=1),
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(20260102)


def test_a_clear_gain_is_stated_first() -> None:
    # Costs fall from 100 to 90 in every week alike: the ratio is .9 everywhere, so there is no doubt.
    found = compare(problem(COST), trace(), [trace(0.9)], WEEKS, rng())
    assert found.gain.value == pytest.approx(0.1)
    assert found.sentence == "cost is 10.0 % lower (95 % interval 10.0 to 10.0 %, 3 weeks x 1 seed)."
    row = found.kpis[0]
    assert (row.incumbent, row.candidate, row.relative) == pytest.approx((100.0, 90.0, -0.1))
    assert row.change.value == pytest.approx(-10.0)
    assert (row.name, row.unit, row.better, row.worse) == ("cost", "EUR per day", "lower", False)
    assert found.gain.cluster == row.change.cluster == "week"


def test_another_kpi_that_is_surely_worse_is_in_the_sentence() -> None:
    found = compare(problem(COST, IDLE, SERVICE), trace(), [trace(0.9, idle=16.1, served=0.72)] * 2, WEEKS, rng())
    assert [row.worse for row in found.kpis] == [False, True, True]
    assert found.sentence == (
        "cost is 10.0 % lower (95 % interval 10.0 to 10.0 %, 3 weeks x 2 seeds), "
        "but bikes_idle rose 61 % and service fell 20 %."
    )


def test_a_kpi_that_may_be_worse_by_chance_is_not() -> None:
    noisy = trace(0.9, idle=10.05, wobble=0.05)
    found = compare(problem(COST, IDLE), trace(), [noisy], WEEKS, rng())
    assert found.kpis[1].change.value > 0
    assert not found.kpis[1].worse
    assert "but" not in found.sentence


def test_a_loss_is_called_higher_cost_with_its_interval_turned() -> None:
    found = compare(problem(COST, IDLE), trace(), [trace(1.2, idle=20.0)], WEEKS, rng())
    assert found.gain.value == pytest.approx(-0.2)
    assert found.sentence == (
        "cost is 20.0 % higher (95 % interval 20.0 to 20.0 %, 3 weeks x 1 seed); bikes_idle rose 100 %."
    )


def test_a_difference_that_may_be_chance_says_so() -> None:
    found = compare(problem(COST), trace(), [trace(0.999, wobble=0.05)], WEEKS, rng())
    assert found.gain.low < 0 < found.gain.high
    assert "which may be chance" in found.sentence


def test_a_change_of_a_mean_near_nothing_is_told_in_its_unit_and_judged_by_the_pair() -> None:
    # The incumbent earns 1, 9 and -9 a decision in three weeks, 1/3 on average; the candidate 2 more in every week. As
    # a share that was "600 % higher, which may be chance", beside a table in which the change is 2 without any doubt.
    profit, before, after = KPI("profit", "EUR", "higher", {"cost": 1.0}), trace(), trace()
    before.signals["cost"][:] = np.array([1.0, 9.0, -9.0])[WEEKS][:, None]
    after.signals["cost"][:] = before.signals["cost"] + 2.0
    found = compare(problem(profit), before, [after], WEEKS, rng())
    assert found.gain.value == pytest.approx(6.0)
    assert found.gain.low < 0
    assert found.sentence == "profit is 2 EUR higher (95 % interval 2 to 2 EUR, 3 weeks x 1 seed)."
    assert not found.as_share
    lost = compare(problem(profit), after, [before], WEEKS, rng())
    assert lost.words == "2 EUR lower (95 % interval 2 to 2 EUR)"


def test_a_change_of_a_mean_near_nothing_may_be_chance_too() -> None:
    profit, before, after = KPI("profit", "EUR", "higher", {"cost": 1.0}), trace(), trace()
    before.signals["cost"][:] = np.array([1.0, 9.0, -9.0])[WEEKS][:, None]
    after.signals["cost"][:] = np.array([4.0, -3.0, 3.0])[WEEKS][:, None]
    found = compare(problem(profit), before, [after], WEEKS, rng())
    assert found.sentence.startswith("profit is 1 EUR higher (95 % interval -")
    assert found.sentence.endswith(", which may be chance.")


def test_a_value_that_is_better_when_higher_gains_upwards() -> None:
    found = compare(problem(SERVICE), trace(served=0.5), [trace(served=0.6)], WEEKS, rng())
    assert found.gain.value == pytest.approx(0.2)
    assert found.sentence.startswith("service is 20.0 % higher")
    assert found.kpis[0].change.value == pytest.approx(0.1)
    assert not found.kpis[0].worse


def test_a_harm_from_nothing_is_stated_in_its_unit() -> None:
    found = compare(problem(COST, IDLE), trace(idle=0.0), [trace(0.9, idle=3.0)], WEEKS, rng())
    assert math.isnan(found.kpis[1].relative)
    assert found.sentence.endswith("but bikes_idle rose by 3 bikes.")


def test_the_tail_is_each_policy_s_own_worst_world_weeks() -> None:
    # 6 world-weeks, 5 % is one of them: the incumbent's worst week costs 4 x 101, the candidate's 4 x 101 x .5 + 300.
    after = trace(0.5)
    after.signals["cost"][3, 1] += 300.0
    tail = compare(problem(COST), trace(), [after], WEEKS, rng()).tails[0]
    assert (tail.name, tail.share) == ("cost", 0.05)
    assert (tail.incumbent, tail.candidate) == pytest.approx((404.0, 500.0))
    assert tail.ratio == pytest.approx(500 / 404)


def test_the_tail_of_a_value_is_its_low_end() -> None:
    tail = compare(problem(SERVICE), trace(), [trace(served=0.45)], WEEKS, rng()).tails[0]
    assert (tail.incumbent, tail.candidate) == pytest.approx((4 * 20 * 0.9 * 0.99, 4 * 20 * 0.45 * 0.99))
    assert tail.ratio == pytest.approx(0.5)


def test_a_tail_of_nothing_has_no_ratio() -> None:
    before = trace()
    before.signals["served"][:4, 0] = 0.0
    assert math.isnan(compare(problem(SERVICE), before, [trace()], WEEKS, rng()).tails[0].ratio)


def test_periods_may_carry_any_number() -> None:
    first = compare(problem(COST), trace(), [trace(0.9, wobble=0.03)], WEEKS, rng())
    second = compare(problem(COST), trace(), [trace(0.9, wobble=0.03)], WEEKS * 10 + 7, rng())
    assert first == second


def test_runs_that_cannot_be_compared_are_refused() -> None:
    good = trace()
    with pytest.raises(EvidenceError, match="at least one candidate"):
        compare(problem(COST), good, [], WEEKS, rng())
    other = replace(good, worlds=("north", "east"))
    with pytest.raises(EvidenceError, match="same panel"):
        compare(problem(COST), good, [other], WEEKS, rng())
    with pytest.raises(EvidenceError, match="shape"):
        compare(problem(COST), good, [good], WEEKS[:-1], rng())
    with pytest.raises(EvidenceError, match="at least 2"):
        compare(problem(COST), good, [good], np.zeros(STEPS, dtype=int), rng())


def test_a_signal_that_was_not_measured_is_refused_by_name() -> None:
    gap = trace()
    gap.signals["cost"][0, 0] = math.nan
    for broken in (gap, replace(trace(), signals={}), replace(trace(), signals={"cost": np.zeros((3, WORLDS))})):
        with pytest.raises(EvidenceError, match="signal 'cost'"):
            compare(problem(COST), trace(), [broken], WEEKS, rng())


def test_a_world_that_has_ended_decides_no_more() -> None:
    # South ends after the first week: 4 decisions of 100 fewer per later week, so the mean stays 100 per decision,
    # and its empty weeks are no part of the tail.
    before, after = trace(served=0.5, wobble=0.0), trace(0.9, wobble=0.0)
    for ended in (before, after):
        ended.action[4:, 1] = -1
        for values in ended.signals.values():
            values[4:, 1] = 0.0
    found = compare(problem(COST), before, [after], WEEKS, rng())
    assert (found.kpis[0].incumbent, found.kpis[0].candidate) == pytest.approx((100.0, 90.0))
    assert compare(problem(SERVICE), before, [after], WEEKS, rng()).tails[0].incumbent == pytest.approx(40.0)


def test_a_kpi_with_nothing_to_divide_by_is_refused_by_name() -> None:
    empty = trace()
    empty.signals["asked"][:] = 0.0
    with pytest.raises(EvidenceError, match="KPI 'service'"):
        compare(problem(COST, SERVICE), trace(), [empty], WEEKS, rng())


def panel(independent: bool) -> Panel:
    """Three weeks of two worlds."""
    return Panel(None, STEPS, ("north", "south"), datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1.75), independent)


def test_worlds_drawn_by_themselves_are_the_clusters_and_periods_are_where_they_share_their_time() -> None:
    assert cluster_by(panel(True), timedelta(weeks=1), "week") == (None, "world")
    period, name = cluster_by(panel(False), timedelta(weeks=1), "week")
    assert name == "week"
    assert period is not None
    assert period.tolist() == WEEKS.tolist()


def test_with_worlds_as_clusters_the_interval_is_that_of_their_own_totals() -> None:
    # North costs 12 x 100 under the incumbent and 12 x 80 under the candidate, south 12 x 300 and 12 x 300.
    before, after = trace(wobble=0.0), trace(wobble=0.0)
    before.signals["cost"][:, 1] = after.signals["cost"][:, 1] = 300.0
    after.signals["cost"][:, 0] = 80.0
    found = compare(problem(COST), before, [after], None, rng(), cluster="world")
    expected = relative_gain(np.array([1200.0, 3600.0]), np.array([960.0, 3600.0]), rng(), cluster="world")
    assert found.gain == expected
    assert "2 worlds x 1 seed" in found.sentence
    assert (found.tails[0].incumbent, found.tails[0].candidate) == (3600.0, 3600.0), "a world's whole time is one cell"


def test_a_world_that_ended_counts_its_own_decisions_when_worlds_are_the_clusters() -> None:
    before, after = trace(wobble=0.0), trace(0.9, wobble=0.0)
    for ended in (before, after):
        ended.action[4:, 1] = -1
        ended.signals["cost"][4:, 1] = 0.0
    row = compare(problem(COST), before, [after], None, rng(), cluster="world").kpis[0]
    assert (row.incumbent, row.candidate) == pytest.approx((100.0, 90.0)), "16 decisions, not 24"
