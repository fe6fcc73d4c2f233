"""The worst units under both policies, by hand and resampled by cluster."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.shadow_logs import problem

from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.evaluation.shadow.log import Replay, hashed
from tenure.evaluation.shadow.tails import tail_changes


def replay(time: list[float], after: list[float], rows_each: int = 2) -> Replay:
    """One unit per entry, the same in each of its rows; clusters of two units."""
    n = len(time) * rows_each
    unit, cluster = (hashed([f"{row // size}" for row in range(n)]) for size in (rows_each, 2 * rows_each))
    before, later = (np.repeat(np.array(x, dtype=float), rows_each) for x in (time, after))
    trucks = np.ones(n)
    signals = {"time": before, "trucks": trucks}, {"time": later, "trucks": trucks}
    return Replay(unit, cluster, "day", np.zeros((n, 2)), *signals, np.full(n, 0.5))


def test_the_worst_twentieth_of_forty_units_is_the_mean_of_two() -> None:
    rising = [float(value) for value in range(1, 41)]
    time, trucks = tail_changes(problem(), replay(rising, [value + 1 for value in rising]), 0.05, 0)
    assert (time.incumbent, time.candidate, time.change.value) == (39.5, 40.5, 1.0)
    assert (time.change.cluster, time.change.n, time.change.ess) == ("day", 40, 20.0)
    # every unit got worse by 1, so every resample did, whichever clusters it holds
    assert (time.change.low, time.change.high) == pytest.approx((1.0, 1.0))
    assert time.worse
    # the ratio's worst end is its high one: trucks per minute are highest where minutes are few
    assert [trucks.incumbent, trucks.candidate] == pytest.approx([(1 + 1 / 2) / 2, (1 / 2 + 1 / 3) / 2])
    assert not trucks.worse


def test_where_higher_is_better_the_worst_units_are_the_low_ones() -> None:
    served = replace_kpis(problem(), KPI("served", "min", "higher", {"time": 1}))
    rising = [float(value) for value in range(1, 41)]
    (row,) = tail_changes(served, replay(rising, [value + 1 for value in rising]), 0.05, 0)
    assert (row.incumbent, row.candidate, row.change.value, row.worse) == (1.5, 2.5, 1.0, False)
    assert (row.change.low, row.change.high) == pytest.approx((1.0, 1.0))
    (worse,) = tail_changes(served, replay([value + 1 for value in rising], rising), 0.05, 0)
    assert worse.worse
    assert worse.as_dict()["change"]["value"] == -1.0


def replace_kpis(of: Problem, *kpis: KPI) -> Problem:
    return replace(of, kpis=kpis)


def test_noise_in_the_tail_is_called_worse_in_few_draws() -> None:
    called = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        base = rng.gamma(3, 1, 200)
        before, after = (list(base + rng.normal(0, 0.3, 200)) for _ in range(2))
        called += tail_changes(problem(), replay(before, after, 1), 0.05, seed)[0].worse
    assert called <= 3  # one-sided .0125 each: 0.25 expected


def test_one_cluster_gives_no_row() -> None:
    assert tail_changes(problem(), replay([1.0, 2.0], [1.0, 2.0]), 0.05, 0) == ()


def test_a_kpi_with_nothing_to_divide_by_gives_no_row() -> None:
    rows = tail_changes(problem(), replay([0.0] * 8, [0.0] * 8), 0.05, 0)
    assert [row.kpi for row in rows] == ["time"]
