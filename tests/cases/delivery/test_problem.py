"""The rule by hand, and what the draft leaves out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.cases.delivery.test_simulator import NIGHT, NORTH, WEST, orders, town

from tenure.cases.delivery.problem import RETURN, WAIT, NearestWindow, drafts, problem
from tenure.cases.delivery.simulator import Towns, simulator
from tenure.cli.workspace import open_workspace

RULE = NearestWindow(ahead=10, soon=1000, crowd=1, patience=3)
NOW = NIGHT * 5.0


def decided(state: Towns, rule: NearestWindow = RULE) -> int:
    return int(rule.propose(simulator.observe(state), simulator.mask(state), np.zeros(1)).action[0])


def test_it_goes_to_the_nearest_order_unless_another_window_opened_much_earlier() -> None:
    """The van stands in the north; an order there and an older one in the west, 16 minutes away."""
    state = town(opens=orders((NORTH, NOW), (WEST, NOW - 50)), place=[NORTH] * 3)
    assert decided(state) == 0
    assert decided(state, NearestWindow(ahead=10, soon=30, crowd=1, patience=3)) == 1


def test_it_does_not_drive_to_a_window_that_is_closed_for_long() -> None:
    """8 minutes to the north: a window in 18 minutes is worth it, one in 19 is not."""
    assert decided(town(opens=orders((NORTH, NOW + 18)))) == 0
    assert decided(town(opens=orders((NORTH, NOW + 19)))) == WAIT


def test_one_more_van_leaves_the_depot_only_for_one_more_order() -> None:
    out = {"place": [0, NORTH, NORTH], "free_at": [NOW, NOW + 9, NOW + 9]}
    assert decided(town(opens=orders((WEST, NOW), (WEST, NOW)), **out)) == WAIT
    assert decided(town(opens=orders((WEST, NOW), (WEST, NOW), (NORTH, NOW)), **out)) != WAIT


def test_it_returns_when_empty_or_when_little_is_listed_and_waits_for_what_is() -> None:
    booked = orders(*[(WEST, NOW + 60)] * 3)
    assert decided(town(opens=booked, place=[NORTH] * 3)) == WAIT
    assert decided(town(opens=orders((WEST, NOW + 60)), place=[NORTH] * 3)) == RETURN
    assert decided(town(opens=orders((NORTH, NOW)), place=[NORTH] * 3, load=[0] * 3)) == RETURN


def test_it_waits_while_no_van_is_free() -> None:
    assert decided(town(opens=orders((NORTH, NOW)), free_at=[NOW + 1] * 3)) == WAIT


def test_the_draft_leaves_out_the_vans() -> None:
    left = {term.signal for term in problem.reward.terms} - {term.signal for term in drafts["no-vans"].terms}
    assert left == {"van_minutes"}


def test_delivery_time_is_per_order_that_was_taken() -> None:
    """Two orders came, one was turned away, the other waited 30 minutes."""
    signals = {name: np.zeros(1) for name in problem.signal_names}
    signals |= {"orders": np.array([2.0]), "turned_away": np.array([1.0]), "waiting_minutes": np.array([30.0])}
    assert problem.kpi("delivery_time").value(signals) == 30


def test_a_version_may_enter_shadow_by_its_selection_towns(tmp_path: Path) -> None:
    """Without such a rule no evidence lets anything in."""
    entry = open_workspace("delivery", tmp_path).settings.for_share(0.0, "selection")
    assert [rule.kpi for rule in entry] == ["delivery_time"]
