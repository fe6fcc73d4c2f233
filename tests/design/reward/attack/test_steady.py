"""Behaviour without a thought."""

from __future__ import annotations

import numpy as np
from tests.design.reward.attack.hunts import line_hunt
from tests.simulators.worlds import WalledWalk

from tenure.core.policy import check_policy
from tenure.design.reward.attack.hunt import judging_panel
from tenure.design.reward.attack.steady import Anything, Shaking, at_random, one_action
from tenure.design.reward.conduct import Always


def test_anything_takes_each_allowed_action_equally_often() -> None:
    allowed = np.tile([True, False, True, True], (3000, 1))
    action = Anything(4).propose(np.zeros((3000, 1)), allowed, (np.arange(3000) + 0.5) / 3000).action
    assert np.bincount(action, minlength=4).tolist() == [1000, 0, 1000, 1000]


def test_anything_keeps_what_a_policy_promises() -> None:
    seen = np.zeros((5, 2), dtype=np.float32)
    check_policy(Anything(3), seen, 3, np.array([[True, False, True]] * 5))


def test_shaking_replaces_the_share_it_says() -> None:
    shaking = Shaking(Always(0, "zero"), 0.3, Anything(4))
    draw = (np.arange(4000) + 0.5) / 4000
    action = shaking.propose(np.zeros((4000, 1)), None, draw).action
    # 70 % zeros, and a quarter of the other 30 %.
    assert (action == 0).sum() == 2800 + 1200 / 4


def test_every_action_is_tried_for_ever_and_the_nearest_where_it_is_not_allowed() -> None:
    hunt = line_hunt(WalledWalk())
    found = {each.name: each.play(judging_panel(hunt.project)).action for each in one_action(hunt)}
    assert list(found) == ["always left", "always stay", "always right"]
    # From 0 two steps left to the wall at -2; from there on `left` is not allowed and `stay` is nearest.
    assert found["always left"][:, 0].tolist() == [0, 0, 1, 1, 1]


def test_the_random_ones_are_plain_chance_and_the_shaken_incumbent() -> None:
    names = [each.name for each in at_random(line_hunt())]
    assert names == ["random actions", "incumbent, 10% at random", "incumbent, 30% at random"]
