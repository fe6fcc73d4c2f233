"""Taking worlds out of a state and putting worlds into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tenure.core.errors import ProjectError
from tenure.simulators import put, size, take
from tenure.simulators.batch import fields_of, with_fields

from .worlds import Line


@dataclass(frozen=True)
class Loose:
    first: Any
    second: Any


@dataclass(frozen=True)
class Around:
    world: Line
    age: Any


def around() -> Around:
    return Around(line(), np.array([5, 6, 7]))


def line() -> Line:
    return Line(np.array([10, 11, 12]), np.array([0, 1, 2]))


def test_take_picks_worlds_by_position_and_by_flag() -> None:
    assert take(line(), np.array([2, 0])).position.tolist() == [12, 10]
    assert take(line(), np.array([True, False, True])).walked.tolist() == [0, 2]


def test_take_gives_a_copy() -> None:
    state = line()
    take(state, np.array([0, 1, 2])).position[0] = 99
    assert state.position[0] == 10


def test_put_replaces_the_named_worlds_in_order_and_leaves_the_state_given_alone() -> None:
    state = line()
    after = put(state, np.array([2, 0]), Line(np.array([7, 8]), np.array([5, 6])))
    assert after.position.tolist() == [8, 11, 7]
    assert after.walked.tolist() == [6, 1, 5]
    assert state.position.tolist() == [10, 11, 12]


def test_put_takes_flags() -> None:
    after = put(line(), np.array([False, True, True]), Line(np.array([7, 8]), np.array([5, 6])))
    assert after.position.tolist() == [10, 7, 8]


def test_put_refuses_another_number_of_worlds() -> None:
    with pytest.raises(ProjectError, match=r"expected 2 worlds .*; found 1 worlds"):
        put(line(), np.array([0, 1]), take(line(), np.array([0])))


def test_put_refuses_other_fields() -> None:
    with pytest.raises(ProjectError, match=r"position.*first"):
        put(line(), np.array([0]), Loose(np.array([1]), np.array([1])))


def test_a_state_may_hold_a_state_and_worlds_of_both_are_taken_and_put_together() -> None:
    both = take(around(), np.array([2, 0]))
    assert (both.world.position.tolist(), both.age.tolist()) == ([12, 10], [7, 5])
    after = put(around(), np.array([1]), take(around(), np.array([2])))
    assert (after.world.walked.tolist(), after.age.tolist()) == ([0, 2, 2], [5, 7, 7])
    assert list(fields_of(around())) == ["world.position", "world.walked", "age"]
    assert with_fields(around(), fields_of(both)).world.position.tolist() == [12, 10]


def test_states_may_lie_within_each_other_as_deep_as_they_like() -> None:
    deep = Loose(around(), np.array([1, 2, 3]))
    assert list(fields_of(deep)) == ["first.world.position", "first.world.walked", "first.age", "second"]
    taken = take(deep, np.array([1]))
    assert (taken.first.world.position.tolist(), taken.first.age.tolist()) == ([11], [6])


def test_a_state_within_a_state_must_hold_as_many_worlds() -> None:
    with pytest.raises(ProjectError, match=r"expected 3 worlds, as in 'world.position'; found 2 worlds; in Around.age"):
        size(Around(line(), np.array([1, 2])))


def test_size_counts_worlds() -> None:
    assert size(line()) == 3
    assert size(take(line(), np.array([], dtype=int))) == 0


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Loose(np.zeros(3), np.zeros(2)), "2 worlds; in Loose.second"),
        (Loose(np.zeros(3), 5.0), "float; in Loose.second"),
        (Loose(np.zeros(3), np.array(5.0)), "an array without axes; in Loose.second"),
        ({"first": np.zeros(3)}, "dict; in the state"),
        (Loose, "type; in the state"),
    ],
)
def test_a_state_that_is_no_batch_is_refused_with_its_field(state: Any, words: str) -> None:
    with pytest.raises(ProjectError, match=words):
        size(state)
