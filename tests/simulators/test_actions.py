"""Allowed actions, their nearest neighbours, random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure.core import Box, Constraint
from tenure.core.errors import ProjectError
from tenure.simulators import allowed_actions, nearest_allowed, random_actions

from .worlds import Line, LineWalk, WalledWalk, line_problem

STATE = Line(np.array([-2, 0]), np.array([0, 0]))


def test_the_mask_and_every_constraint_must_allow_an_action() -> None:
    no_stay = Constraint("no stay", "test", lambda seen: np.tile([True, False, True], (len(seen), 1)))
    problem = replace(line_problem(), constraints=(no_stay,))
    allowed = allowed_actions(problem, WalledWalk(), STATE, WalledWalk().observe(STATE))
    assert allowed is not None
    assert allowed.tolist() == [[False, False, True], [True, False, True]]


def test_without_mask_and_constraint_everything_is_allowed() -> None:
    assert allowed_actions(line_problem(), LineWalk(), STATE, LineWalk().observe(STATE)) is None


def test_a_world_left_without_an_action_is_named() -> None:
    never = Constraint("never", "test", lambda seen: np.tile(seen[:, :1] < 0, (1, 3)))
    problem = replace(line_problem(), constraints=(never,))
    with pytest.raises(ProjectError, match="none in world 1"):
        allowed_actions(problem, LineWalk(), STATE, LineWalk().observe(STATE))


def test_a_mask_of_another_shape_is_refused() -> None:
    flat = Constraint("flat", "test", lambda seen: np.ones(3, dtype=bool))
    problem = replace(line_problem(), constraints=(flat,))
    with pytest.raises(ProjectError, match=r"bool \(2, 3\); found bool \(3,\)"):
        allowed_actions(problem, LineWalk(), STATE, LineWalk().observe(STATE))


def test_the_nearest_allowed_index_is_taken_and_of_two_the_smaller() -> None:
    allowed = np.array([[True, False, True, False], [False, False, False, True], [True, True, True, True]])
    chosen = np.array([1, 0, 3])
    assert nearest_allowed(chosen, allowed).tolist() == [0, 3, 3]
    assert chosen.tolist() == [1, 0, 3]


def test_random_actions_are_allowed_and_reach_every_allowed_one() -> None:
    allowed = np.tile([True, False, True], (200, 1))
    drawn = random_actions(line_problem(), 200, np.random.default_rng(0), allowed)
    assert set(drawn.tolist()) == {0, 2}
    assert set(random_actions(line_problem(), 200, np.random.default_rng(0)).tolist()) == {0, 1, 2}


def test_random_vectors_lie_within_the_box() -> None:
    problem = replace(line_problem(), action=Box(("speed", "turn"), ("m/s", "rad"), (0.0, -1.0), (5.0, 1.0)))
    drawn = random_actions(problem, 500, np.random.default_rng(0))
    assert drawn.shape == (500, 2)
    assert (drawn >= [0, -1]).all()
    assert (drawn <= [5, 1]).all()
    assert drawn[:, 0].max() > 4


def test_a_box_knows_no_allowed_actions() -> None:
    problem = replace(line_problem(), action=Box(("push",), ("N",), (0.0,), (1.0,)))
    assert allowed_actions(problem, WalledWalk(), STATE, WalledWalk().observe(STATE)) is None
