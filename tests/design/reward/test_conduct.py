"""What a behaviour did, counted by hand; and the worlds it did it in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.design.reward.worlds import picker

from tenure.core.errors import ProjectError
from tenure.core.reward import KPI, Reward, Term
from tenure.core.trace import Trace
from tenure.design.reward.conduct import Always, Conduct, conduct, fresh_panel
from tenure.design.reward.scenarios import Behaviour, load_scenarios

SIGNALS = {
    "items": np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]),
    "metres": np.array([[2.0, 1.0], [4.0, 0.0], [3.0, 0.0]]),
}
ACTION = np.array([[0, 1], [2, -1], [1, -1]])  # the second world ended by itself after a step
TRACE = Trace(SIGNALS, ACTION, None, ("a", "b"), datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1))
DONE = Conduct("walks", "scenario", TRACE)
REWARD = Reward((Term("items", 10, "points/item", "pay"), Term("metres", -1, "points/metre", "power")))


def test_a_return_is_the_sum_over_a_world() -> None:
    assert DONE.returns(REWARD).tolist() == [11.0, -1.0]
    assert DONE.by_term(REWARD) == {"items": 10.0, "metres": -5.0}


def test_a_reward_without_terms_is_worth_nothing() -> None:
    assert DONE.returns(Reward(())).tolist() == [0.0, 0.0]


def test_decisions_are_counted_while_a_world_lives() -> None:
    assert DONE.kpi(KPI("metres", "m", "lower", {"metres": 1})) == 10 / 4
    assert DONE.mean("metres") == 10 / 4
    assert DONE.kpi(KPI("per item", "m/item", "lower", {"metres": 1}, {"items": 1})) == 10 / 2
    assert DONE.action_shares(3).tolist() == [0.25, 0.5, 0.25]


def test_steps_after_an_end_bring_nothing_where_they_are_counted() -> None:
    assert DONE.taken().tolist() == [3.0, 1.0]
    assert DONE.scheduled.kpi(KPI("metres", "m", "lower", {"metres": 1})) == 10 / 6
    assert DONE.scheduled.kpi(KPI("per item", "m/item", "lower", {"metres": 1}, {"items": 1})) == 10 / 2


def test_a_kpi_over_nothing_is_not_a_number() -> None:
    idle = Conduct("idles", "scenario", replace(TRACE, signals={**SIGNALS, "items": np.zeros((3, 2))}))
    assert np.isnan(idle.kpi(KPI("per item", "m/item", "lower", {"metres": 1}, {"items": 1})))


def test_hand_written_rows_are_one_world_of_their_own(tmp_path: Path) -> None:
    project = picker(tmp_path)
    found = conduct(project, Behaviour("x", rows=({"delivered": 1, "metres": 4}, {"metres": 2})), None)
    assert found.written
    assert found.returns(project.problem.reward).tolist() == [14.0]
    assert found.trace.signals["thrown"].tolist() == [[0.0], [0.0]]


def test_simulated_behaviours_all_meet_the_same_worlds(tmp_path: Path) -> None:
    project = picker(tmp_path)
    one, two = (fresh_panel(project.problem, project.simulator, 8) for _ in range(2))
    assert one.state.distance.tolist() == two.state.distance.tolist()
    assert one.steps == project.problem.horizon
    known = load_scenarios(project).behaviours
    found = conduct(project, known["juggles"], one)
    assert not found.written
    assert found.trace.signals["metres"].shape == (20, 8)
    assert found.returns(project.problem.reward).tolist() == [-20.0] * 8


def test_one_action_for_ever_gives_way_to_the_nearest_that_is_allowed() -> None:
    allowed = np.array([[True, True, True], [True, False, True], [False, True, False]])
    seen = np.zeros((3, 1))
    assert Always(1, "one").propose(seen, allowed, np.zeros(3)).action.tolist() == [1, 0, 1]
    assert Always(2, "two").propose(seen, None, np.zeros(3)).action.tolist() == [2, 2, 2]


def test_an_error_of_the_simulator_is_the_project_s_with_its_line(tmp_path: Path) -> None:
    project = picker(tmp_path, ("simulator.py", "full = state.held > 0", "full = state.hold > 0"))
    panel = fresh_panel(project.problem, project.simulator, 2)
    with pytest.raises(ProjectError, match=r"'waits'.*AttributeError") as caught:
        conduct(project, load_scenarios(project).behaviours["waits"], panel)
    assert "simulator.py:" in caught.value.where
