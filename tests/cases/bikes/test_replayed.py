"""A log of the districts, replayed: the year's own demand, and the bikes that stood there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure.cases.bikes.problem import incumbent, problem, rules
from tenure.cases.bikes.simulator import simulator
from tenure.core.errors import DataError
from tenure.core.trajectories import Trajectories, from_trace
from tenure.simulators.fidelity.recorded import compared, replayed_log
from tenure.simulators.fidelity.values import Worth, on_real_data, worth
from tenure.simulators.rollout import run


def log(days: int = 3) -> Trajectories:
    """The incumbent's first days of September."""
    trace = run(problem, simulator, incumbent, simulator.panel("selection", 2, days)).trace
    return from_trace(trace, problem.feature_names)


def test_the_logs_own_actions_bring_what_they_brought_in_every_field() -> None:
    found, _ = compared(problem, simulator, log(), "day")
    assert {each.field for each in found} == {*problem.feature_names, *problem.signal_names}
    assert max(each.value for each in found) < 1e-6


def test_another_rule_over_the_replayed_days_is_what_it_would_have_been() -> None:
    found = on_real_data(problem, simulator, log(), rules["two-sided"], "day")
    trace = run(problem, simulator, rules["two-sided"], simulator.panel("selection", 2, 3)).trace
    direct = worth(problem.kpis, from_trace(trace, problem.feature_names), "day", "")
    assert isinstance(found, Worth)
    assert found.value() == pytest.approx(direct.value())


def test_the_names_that_no_truck_changes_are_features_and_signals_without_the_bikes() -> None:
    assert "requests" in simulator.unaffected
    assert not {"stock", "on_the_way", "lost_rentals"} & set(simulator.unaffected)


@pytest.mark.parametrize("wrong", ["times", "districts", "gaps"])
def test_a_log_that_is_not_hour_after_hour_of_districts_is_refused(wrong: str) -> None:
    found = log(1)
    broken = {
        "times": replace(found, at=None),
        "districts": replace(found, world=tuple(f"house-{k}" for k in range(found.episodes))),
        "gaps": replace(found, step=np.where(found.step > 5, found.step + 1, found.step)),
    }[wrong]
    with pytest.raises(DataError, match="hour after hour"):
        replayed_log(problem, simulator, broken)
