"""Short trainings on a line whose best is known."""

from __future__ import annotations

from tests.design.reward.attack.hunts import line_hunt

from tenure.design.reward.attack.hunt import judging_panel
from tenure.design.reward.attack.learner import short_trainings


def test_a_short_training_finds_the_way_for_the_whole_reward_and_for_each_term() -> None:
    hunt = line_hunt(place=1.0, moved=-0.1)
    found = {each.name: each for each in short_trainings(hunt)}
    assert list(found) == [
        "short PPO for the whole reward",
        "short PPO for place alone",
        "short PPO for moved alone",
    ]
    panel = judging_panel(hunt.project)
    assert found["short PPO for place alone"].play(panel).signals["place"].mean() > 1  # staying gives 0, the best 3
    assert found["short PPO for moved alone"].play(panel).signals["moved"].mean() < 0.2
