"""The incumbent stands in problem.py as the grid left it."""

from __future__ import annotations

from dataclasses import replace

from tenure.cases.warehouse.problem import NearestItem, incumbent
from tenure.cases.warehouse.simulator import simulator
from tenure.cases.warehouse.tune import CAUTION, REACH, SECOND, cost, rules

PANELS = (simulator.panel("train"), simulator.panel("selection"))


def test_the_incumbent_is_on_the_grid_and_no_neighbour_on_it_is_better() -> None:
    assert isinstance(incumbent, NearestItem)
    assert incumbent in list(rules())
    at, best = REACH.index(incumbent.reach), cost(incumbent, PANELS)
    neighbours = [replace(incumbent, reach=reach) for reach in (REACH[at - 1], REACH[at + 1])]
    neighbours += [replace(incumbent, caution=caution) for caution in CAUTION if caution != incumbent.caution]
    neighbours += [replace(incumbent, second=second) for second in SECOND if second != incumbent.second]
    assert all(cost(rule, PANELS) >= best for rule in neighbours)
