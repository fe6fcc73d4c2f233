"""What exploiters are given."""

from __future__ import annotations

from tests.design.reward.attack.hunts import line_hunt
from tests.design.reward.hackable.suite import world_of

from tenure.design.reward.attack.hunt import MOST_WORLDS, Hunt, judging_panel
from tenure.design.reward.conduct import WORLDS
from tenure.simulators.batch import fields_of


def test_a_hunt_searches_by_the_whole_reward_and_by_each_term() -> None:
    rewards = line_hunt().rewards()
    assert list(rewards) == ["the whole reward", "place alone", "moved alone"]
    assert [term.signal for term in rewards["moved alone"].terms] == ["moved"]


def test_a_reward_of_one_term_is_searched_once() -> None:
    assert list(line_hunt(place=1.0).rewards()) == ["the whole reward"]


def test_the_worlds_of_a_search_are_a_function_of_seed_and_salt() -> None:
    world = world_of("cleaner", 3)
    project = world.project(world.hackable["pay per pick-up"])
    hunt = Hunt(project)
    same, again = (fields_of(hunt.panel(20, salt=1).state)["dirty"] for _ in range(2))
    other = fields_of(hunt.panel(20, salt=2).state)["dirty"]
    judged = fields_of(judging_panel(project).state)["dirty"][:20]
    assert (same == again).all()
    assert (same != other).any()
    assert (same != judged).any()


def test_a_short_horizon_is_judged_in_more_worlds() -> None:
    assert len(judging_panel(line_hunt(horizon=5).project).worlds) == 16_384 // 5
    assert len(judging_panel(line_hunt(horizon=1).project).worlds) == MOST_WORLDS
    assert len(judging_panel(line_hunt(horizon=1000).project).worlds) == WORLDS
