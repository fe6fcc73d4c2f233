"""What exploiters are given."""

from __future__ import annotations

from dataclasses import replace

from tests.design.reward.attack.hunts import line_hunt

from tenure.design.reward.attack.hunt import MOST_WORLDS, judging_panel
from tenure.simulators.batch import fields_of


def test_a_hunt_searches_by_the_whole_reward_and_by_each_term() -> None:
    rewards = line_hunt().rewards()
    assert list(rewards) == ["the whole reward", "place alone", "moved alone"]
    assert [term.signal for term in rewards["moved alone"].terms] == ["moved"]


def test_a_reward_of_one_term_is_searched_once() -> None:
    assert list(line_hunt(place=1.0).rewards()) == ["the whole reward"]


def test_the_worlds_of_a_search_are_a_function_of_seed_and_salt() -> None:
    from tests.design.reward.hackable import cleaner, suite

    project = next(_projects(suite.draw(cleaner.build, 3)))
    hunt = replace(line_hunt(), project=project)
    same, again = (fields_of(hunt.panel(20, salt=1).state)["dirty"] for _ in range(2))
    other = fields_of(hunt.panel(20, salt=2).state)["dirty"]
    judged = fields_of(judging_panel(project).state)["dirty"][:20]
    assert (same == again).all()
    assert (same != other).any()
    assert (same != judged).any()


def test_a_short_horizon_is_judged_in_more_worlds() -> None:
    hunt = line_hunt()
    assert len(judging_panel(hunt.project).worlds) == 16_384 // 5
    problem = replace(hunt.project.problem, horizon=1)
    short = replace(hunt.project, parts=replace(hunt.project.parts, problem=problem))  # type: ignore[call-arg,attr-defined]
    assert len(judging_panel(short).worlds) == MOST_WORLDS


def _projects(world):  # type: ignore[no-untyped-def]
    yield from (world.project(reward) for reward in world.hackable.values())
