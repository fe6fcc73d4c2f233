"""A policy over a panel, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core import Proposal
from tenure.core.arrays import Bools, Floats
from tenure.core.errors import EvidenceError, ProjectError
from tenure.simulators import run

from .worlds import Always, Coin, EndlessWalk, LineWalk, Shop, UpTo, WalledWalk, line_problem, shop_problem


def test_the_trace_holds_what_was_seen_done_and_measured() -> None:
    result = run(line_problem(), EndlessWalk(), Always(2), EndlessWalk().panel("selection"))
    trace = result.trace
    assert trace.signals["place"].tolist() == [[1, 3], [2, 4], [3, 5], [4, 6]]
    assert trace.signals["moved"].tolist() == [[1, 1]] * 4
    assert trace.action.tolist() == [[2, 2]] * 4
    assert trace.observation is not None
    assert trace.observation.dtype == np.float32
    assert trace.observation[:, :, 0].tolist() == [[0, 2], [1, 3], [2, 4], [3, 5]]
    assert trace.worlds == ("a", "b")
    assert result.state.position.tolist() == [4, 6]


def test_a_world_that_ended_stands_still_with_zero_signals_and_no_action() -> None:
    result = run(line_problem(), LineWalk(), Always(2), LineWalk().panel("selection"))
    assert result.trace.signals["place"].tolist() == [[1, 3], [2, 0], [3, 0], [0, 0]]
    assert result.trace.signals["moved"].tolist() == [[1, 1], [1, 0], [1, 0], [0, 0]]
    assert result.trace.action.tolist() == [[2, 2], [2, -1], [2, -1], [-1, -1]]
    assert result.state.position.tolist() == [2, 2]


def test_one_seed_gives_one_trace_and_another_seed_another() -> None:
    one, again, other = (run(shop_problem(), Shop(), UpTo(4), Shop().panel("train"), seed=s).trace for s in (1, 1, 2))
    assert np.array_equal(one.signals["sold"], again.signals["sold"])
    assert not np.array_equal(one.signals["sold"], other.signals["sold"])


def test_two_policies_of_one_seed_meet_the_same_demand() -> None:
    traces = [run(shop_problem(), Shop(), policy, Shop().panel("train")).trace for policy in (UpTo(2), Always(4))]
    demands = [trace.signals["sold"] + trace.signals["lost"] for trace in traces]
    assert np.array_equal(demands[0], demands[1])
    assert not np.array_equal(traces[0].signals["lost"], traces[1].signals["lost"])


def test_the_policy_gets_a_fresh_draw_per_world_and_step() -> None:
    panel = replace(EndlessWalk().panel("train"), steps=40)
    action = run(line_problem(), EndlessWalk(), Coin(), panel).trace.action
    assert set(action.ravel().tolist()) == {0, 2}
    assert not np.array_equal(action[:, 0], action[:, 1])
    assert len({tuple(row) for row in action.tolist()}) == 4


def test_the_policy_is_told_what_is_allowed() -> None:
    class FirstAllowed:
        version = "first"

        def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
            assert allowed is not None
            return Proposal(allowed.argmax(axis=1), np.ones(len(draw)))

    result = run(line_problem(), WalledWalk(), FirstAllowed(), LineWalk().panel("selection"))
    assert result.trace.action.tolist() == [[0, 0], [0, 0], [1, 0], [1, 0]]


def test_an_action_that_is_not_allowed_is_refused_with_its_world() -> None:
    with pytest.raises(ProjectError, match=r"\[1, 2\]; found 0; in policy 'always', world 0"):
        run(line_problem(), WalledWalk(), Always(0), LineWalk().panel("selection"))


def test_every_world_needs_its_name() -> None:
    panel = replace(LineWalk().panel("selection"), worlds=("a",))
    with pytest.raises(ProjectError, match="2 names"):
        run(line_problem(), LineWalk(), Always(1), panel)


def test_progress_is_told_after_every_step() -> None:
    told: list[tuple[int, int]] = []
    run(line_problem(), LineWalk(), Always(1), LineWalk().panel("train"), progress=lambda *at: told.append(at))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_run_leaves_the_panel_as_it_was() -> None:
    panel = LineWalk().panel("train")
    run(line_problem(), LineWalk(), Always(2), panel)
    assert panel.state.position.tolist() == [0, 2]


def test_a_trace_knows_its_days_and_gives_them_out() -> None:
    trace = run(line_problem(), EndlessWalk(), Always(2), EndlessWalk().panel("train")).trace
    assert trace.periods(timedelta(days=1)).tolist() == [0, 0, 1, 1]
    assert trace.days() == 2
    second = trace.slice_days(1, 1)
    assert second.signals["place"].tolist() == [[3, 5], [4, 6]]
    assert second.action.shape == (2, 2)
    assert second.observation is not None
    assert second.observation[:, 0, 0].tolist() == [2, 3]
    assert second.started_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert trace.slice_days(0, 2).steps == 4


@pytest.mark.parametrize(("first", "days"), [(-1, 1), (0, 0), (1, 2), (2, 1)])
def test_days_that_are_not_covered_are_refused(first: int, days: int) -> None:
    trace = run(line_problem(), EndlessWalk(), Always(2), EndlessWalk().panel("train")).trace
    with pytest.raises(EvidenceError, match="days within 0 to 2"):
        trace.slice_days(first, days)
