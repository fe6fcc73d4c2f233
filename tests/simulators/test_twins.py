"""What one decision changes, worked by hand; and how a confidence is held against it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure.core.simulator import Panel
from tenure.simulators.twins import Twins, fresh_panel, reliability, twins

from .gauss import GO, HOLD, PROBLEM, Gauss, chance_of_good
from .worlds import Always, Coin, EndlessWalk, Line, LineWalk, Shop, UpTo, line_problem, shop_problem


def test_a_decision_is_worth_what_it_and_the_steps_after_it_bring_discounted() -> None:
    # One cell further: 1 - 0.5 for the move now, and 1 more in the next step, discounted.
    problem, walk = replace(line_problem(), discount=0.9), EndlessWalk()
    found = twins(problem, walk, Always(2), Always(1), walk.panel("train"), within=2, situations=99)
    assert found.gain == pytest.approx([1.4] * 6)
    assert found.observation[:, 0].tolist() == [0, 2, 1, 3, 2, 4]


def test_an_ended_world_earns_nothing_more_and_gives_no_further_situation() -> None:
    # From 2: at the goal at once, 3 - 0.5; or 2 now and the goal in the next step.
    problem, walk = replace(line_problem(), discount=0.9), LineWalk()
    panel = replace(walk.panel("train"), state=Line(np.array([2]), np.array([0])), worlds=("a",))
    found = twins(problem, walk, Always(2), Always(1), panel, within=2, situations=99)
    assert found.gain == pytest.approx([2.5 - (2 + 0.9 * 2.5)])
    assert not found.good.any()


def test_doing_the_same_is_exactly_as_good() -> None:
    found = twins(shop_problem(), Shop(), UpTo(4), UpTo(4), Shop().panel("train"), within=3, situations=99)
    assert (found.gain == 0).all()
    assert found.good.all()


def test_twins_meet_the_same_chance_and_the_same_draws() -> None:
    worlds = Gauss(shared=True)
    found = twins(PROBLEM, worlds, GO, HOLD, worlds.panel("train"), within=3, situations=500)
    assert (found.gain == 0).all()
    drawn = twins(shop_problem(), Shop(), Coin(), Coin(), Shop().panel("train"), within=3, situations=99)
    assert (drawn.gain == 0).all()


def test_nothing_is_simulated_beyond_the_panel() -> None:
    class Short(EndlessWalk):
        def step(self, state, action, rng):  # type: ignore[no-untyped-def]
            assert state.walked.max() < 4, "the panel has four steps"
            return super().step(state, action, rng)

    for within in (1, 3, 4, 9):
        found = twins(
            line_problem(), Short(), Always(2), Always(1), Short().panel("train"), within=within, situations=99
        )
        assert len(found.gain) == 2 * max(1, 4 - within + 1)


def test_situations_are_taken_at_equal_distances() -> None:
    panel = replace(EndlessWalk().panel("train"), steps=20)
    found = twins(line_problem(), EndlessWalk(), Always(2), Always(1), panel, within=1, situations=8)
    assert found.observation[::2, 1].tolist() == [0, 5, 10, 15]


def test_worlds_of_one_time_share_their_day_and_worlds_by_themselves_do_not() -> None:
    def units(panel: Panel) -> int:
        found = twins(line_problem(), EndlessWalk(), Always(2), Always(1), panel, within=1, situations=99)
        return len(set(found.unit.tolist()))

    panel = EndlessWalk().panel("train")  # two worlds, four steps of 12 hours
    assert units(panel) == 2
    assert units(replace(panel, steps=6)) == 3
    assert units(replace(panel, steps=6, independent=True)) == 2


def gauss(situations: int) -> Twins:
    panel = fresh_panel(Gauss(), situations, 1, np.random.default_rng(3), "normal")
    return twins(PROBLEM, Gauss(), GO, HOLD, panel, within=1, situations=situations)


def test_the_true_probability_is_calibrated_and_its_opposite_is_not() -> None:
    found = gauss(20_000)
    truth = chance_of_good(found.observation[:, 0].astype(float))
    said = reliability(found.said(truth))
    assert said.calibration.error.value < 0.015
    assert said.calibration.error.low < 0.001
    for each in said.calibration.bins:
        assert each.good is not None
        assert each.good.value == pytest.approx(each.confidence, abs=0.04)
    against = reliability(found.said(1 - truth))
    assert against.calibration.error.low > 0.4
    assert against.skill < -1


def test_a_confidence_of_other_situations_is_seen_to_be_wrong_and_a_constant_to_say_nothing() -> None:
    found = gauss(20_000)
    truth = chance_of_good(found.observation[:, 0].astype(float))
    shuffled = reliability(found.said(np.random.default_rng(1).permutation(truth)))
    assert shuffled.calibration.error.low > 0.2
    constant = reliability(found.said(np.full(len(truth), found.good.mean())))
    assert constant.calibration.error.value < 1e-9
    assert constant.skill == pytest.approx(0, abs=1e-9)


def test_skill_is_the_share_of_a_constants_squared_error_that_is_taken_away() -> None:
    # A constant 0.5 is off by 0.25 on average; 0.9 and 0.1 on the right side by 0.01.
    found = Twins(np.zeros((4, 1)), np.array([0.9, 0.9, 0.1, 0.1]), np.array([1.0, 0, -1, -2]), gauss(4).unit)
    said = reliability(found)
    assert said.good == 0.5
    assert said.skill == pytest.approx(1 - 0.01 / 0.25)
    assert said.as_dict()["skill"] == said.skill
