"""The incumbent stands in problem.py as the grid left it."""

from __future__ import annotations

from dataclasses import replace

from tenure.cases.delivery.problem import NearestWindow, incumbent
from tenure.cases.delivery.tune import AHEAD, CROWD, PATIENCE, SOON, cost, panels, rules


def beside(values: tuple[float, ...], at: float) -> list[float]:
    """The neighbours of a value on a grid."""
    place = values.index(at)
    return [values[other] for other in (place - 1, place + 1) if 0 <= other < len(values)]


def test_the_incumbent_is_on_the_grid_and_no_neighbour_on_it_is_better() -> None:
    assert isinstance(incumbent, NearestWindow)
    assert incumbent in list(rules())
    worlds = panels()
    neighbours = [replace(incumbent, ahead=value) for value in beside(AHEAD, incumbent.ahead)]
    neighbours += [replace(incumbent, soon=value) for value in beside(SOON, incumbent.soon)]
    neighbours += [replace(incumbent, crowd=value) for value in beside(CROWD, incumbent.crowd)]
    neighbours += [replace(incumbent, patience=int(value)) for value in beside(PATIENCE, incumbent.patience)]
    assert min(cost(rule, worlds) for rule in neighbours) >= cost(incumbent, worlds)
