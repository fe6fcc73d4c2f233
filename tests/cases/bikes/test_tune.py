"""The rules' constants are the best of what stands around them, so that a learned policy beats a good rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenure.cases.bikes import tune
from tenure.cases.bikes.problem import BaseStock, TwoSided, incumbent, problem, rules
from tenure.cases.bikes.simulator import simulator
from tenure.simulators.rollout import run


def test_the_cost_of_a_rule_is_its_first_kpi_over_january_to_september() -> None:
    trace = run(problem, simulator, incumbent, simulator.stretch(0, 273)).trace
    assert tune.cost(incumbent) == pytest.approx(problem.kpis[0].value(trace.signals))


def test_no_neighbour_of_the_incumbent_is_better() -> None:
    assert isinstance(incumbent, BaseStock)
    neighbours = [replace(incumbent, quantile=q) for q in (0.97, 0.98)]
    neighbours += [replace(incumbent, exponent=e) for e in (1.0, 1.25)]
    neighbours += [replace(incumbent, dead_band=d) for d in (1, 3)]
    assert tune.cost(incumbent) < min(map(tune.cost, neighbours))


def test_no_neighbour_of_the_two_sided_rule_is_better() -> None:
    rule = rules["two-sided"]
    assert isinstance(rule, TwoSided)
    neighbours = [replace(rule, low_quantile=q) for q in (0.97, 0.98)]
    neighbours += [replace(rule, high_quantile=0.99)]
    neighbours += [replace(rule, exponent=e) for e in (1.0, 1.25)]
    assert tune.cost(rule) < min(map(tune.cost, neighbours))


def test_a_finer_grid_would_improve_neither_rule_by_half_a_per_cent() -> None:
    assert isinstance(incumbent, BaseStock)
    finer = [BaseStock(0.975, exponent, band) for exponent in (1.05, 1.15) for band in (2, 4)]
    assert min(map(tune.cost, finer)) > 0.995 * tune.cost(incumbent)
    assert tune.cost(TwoSided(0.975, 1.0, 1.05)) > 0.995 * tune.cost(rules["two-sided"])


def test_both_rules_stand_on_the_grid() -> None:
    grid = list(tune.rules())
    assert len(grid) == 10 * 8 * 6 + 45 * 8
    assert incumbent in grid
    assert rules["two-sided"] in grid


def test_main_prints_the_best_rule_of_each_kind_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = {
        BaseStock(0.5, 0, 0): 3.0,
        BaseStock(0.7, 0, 0): 2.0,
        TwoSided(0.5, 0.7, 0): 4.0,
        BaseStock(0.8, 0, 0): 2.5,
    }
    monkeypatch.setattr(tune, "rules", lambda: iter(costs))
    monkeypatch.setattr(tune, "cost", costs.__getitem__)
    tune.main()
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["3.0000", "2.0000", "4.0000"]
