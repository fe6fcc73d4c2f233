"""Lookahead, on a line where the best is known by hand."""

from __future__ import annotations

import numpy as np
from tests.design.reward.attack.hunts import line_hunt
from tests.simulators.worlds import LineWalk, WalledWalk

from tenure.core.arrays import Bools
from tenure.design.reward.attack.greedy import greedy, improved_incumbent
from tenure.design.reward.attack.hunt import Candidate, Hunt, judging_panel


def _actions(hunt: Hunt, candidate: Candidate) -> list[int]:
    action = candidate.play(judging_panel(hunt.project)).action
    assert (action == action[:, :1]).all()
    return [int(each) for each in action[:, 0]]


def test_greedy_takes_the_best_next_reward_and_each_term_its_own() -> None:
    hunt = line_hunt(place=1.0, moved=-0.5)
    whole, place, _ = greedy(hunt)
    # A step right pays its place, one more each time, and costs 0.5; stepping on beats staying from the start.
    assert _actions(hunt, whole) == [2, 2, 2, 2, 2]
    assert _actions(hunt, place) == [2, 2, 2, 2, 2]


def test_greedy_stays_where_one_step_does_not_pay() -> None:
    hunt = line_hunt(place=1.0, moved=-1.5)
    assert _actions(hunt, next(iter(greedy(hunt)))) == [1, 1, 1, 1, 1]


def test_lookahead_sees_what_a_greedy_step_does_not() -> None:
    hunt = line_hunt(place=1.0, moved=-1.5)
    # A step right now pays its place in every step to come while the incumbent stays: 5 > 1.5 at first, and the four
    # steps the incumbent is followed for go beyond the horizon later on.
    (ahead,) = improved_incumbent(hunt)
    assert _actions(hunt, ahead) == [2, 2, 2, 2, 2]


def test_lookahead_never_takes_what_is_not_allowed() -> None:
    hunt = line_hunt(WalledWalk(), place=-1.0)
    (ahead,) = improved_incumbent(hunt)
    trace = ahead.play(judging_panel(hunt.project))
    assert trace.signals["place"].min() == -2


def test_lookahead_counts_nothing_after_an_end() -> None:
    hunt = line_hunt(LineWalk(), place=1.0)
    (ahead,) = improved_incumbent(hunt)
    trace = ahead.play(judging_panel(hunt.project))
    # Ending at 3 pays 3 once; standing at 2 pays 2 for ever, which the lookahead of four steps prefers.
    assert trace.signals["place"][:, 0].tolist() == [1.0, 2.0, 2.0, 2.0, 2.0]


def test_ties_are_left_to_chance() -> None:
    hunt = line_hunt(moved=0.0)
    (only,) = greedy(hunt)
    action = only.play(judging_panel(hunt.project)).action
    assert np.allclose(np.bincount(action.ravel(), minlength=3) / action.size, 1 / 3, atol=0.02)


def test_a_played_candidate_plays_the_same_again() -> None:
    hunt = line_hunt(moved=0.0)
    (only,) = greedy(hunt)
    panel = judging_panel(hunt.project)
    same: Bools = only.play(panel).action == only.play(panel).action
    assert same.all()
