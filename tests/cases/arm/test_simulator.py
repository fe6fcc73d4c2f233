"""The arm moves as Gymnasium's Reacher does, and a state can be stepped again."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import gymnasium
import numpy as np
import pytest

from tenure.cases.arm.body import TARGET_M
from tenure.cases.arm.problem import problem
from tenure.cases.arm.simulator import simulator
from tenure.core.errors import DataError
from tenure.core.policy import check_policy
from tenure.simulators.check import check_simulator


def test_it_moves_as_gymnasiums_reacher_moves() -> None:
    chance = np.random.default_rng(1)
    plain: Any = gymnasium.make("Reacher-v5").unwrapped
    state = simulator.reset(1, chance)
    plain.reset(seed=0)
    plain.set_state(np.r_[state.angles[0], state.target[0]], np.r_[state.speeds[0], 0, 0])
    for _ in range(50):
        action = chance.uniform(-1, 1, 2)
        seen, _, _, _, info = plain.step(action)
        step = simulator.step(state, action[None], chance)
        state = step.state
        assert np.allclose(simulator.observe(state)[0, :10], seen, atol=1e-4)
        # Gymnasium reads the tip off the integrator's last stage, a few micrometres from where the arm then is.
        assert step.signals["distance"][0] == pytest.approx(-info["reward_dist"], abs=1e-5)
        assert step.signals["effort"][0] == pytest.approx((action**2).sum())


def test_it_keeps_the_contract_at_every_level() -> None:
    check_simulator(problem, simulator)


def test_jerk_is_the_square_of_the_torques_changes_and_the_last_torque_is_seen() -> None:
    chance = np.random.default_rng(0)
    first = simulator.step(simulator.reset(1, chance), np.array([[0.5, 0.0]]), chance)
    second = simulator.step(first.state, np.array([[0.2, -0.4]]), chance)
    assert first.signals["jerk"][0] == pytest.approx(0.25)
    assert second.signals["jerk"][0] == pytest.approx(0.09 + 0.16)
    assert np.allclose(simulator.observe(second.state)[0, -2:], [0.2, -0.4])


def test_the_miss_is_the_distance_after_the_last_decision() -> None:
    chance = np.random.default_rng(0)
    state = simulator.reset(2, chance)
    steps = []
    for _ in range(50):
        steps.append(simulator.step(state, np.zeros((2, 2)), chance))
        state = steps[-1].state
    assert all(not step.signals["miss"].any() for step in steps[:-1])
    assert np.array_equal(steps[-1].signals["miss"], steps[-1].signals["distance"])
    assert [float(step.signals["moves"][0]) for step in steps] == [1.0] + [0.0] * 49


def test_levels_set_targets_sensors_and_inertia() -> None:
    easy, normal, hard = (simulator.reset(500, np.random.default_rng(0), level) for level in simulator.levels)
    assert (np.hypot(easy.target[:, 0] - 0.21, easy.target[:, 1]) < 0.1).all()
    assert (np.hypot(*normal.target.T) < TARGET_M).all()
    assert not normal.error.any()
    assert hard.error[:, 6].std() == pytest.approx(1.0, rel=0.1)
    pushed = np.full((500, 2), 0.1)
    light = simulator.step(normal, pushed, np.random.default_rng(0)).state.speeds - normal.speeds
    heavy = simulator.step(hard, pushed, np.random.default_rng(0)).state.speeds - hard.speeds
    assert heavy[:, 0].mean() / light[:, 0].mean() == pytest.approx(1 / 1.5, rel=0.05)


def test_parts_share_no_target_and_days_are_pieces_of_the_whole() -> None:
    panels = [simulator.panel(split) for split in ("train", "selection", "held_out")]
    targets = np.concatenate([panel.state.target for panel in panels])
    assert len(np.unique(targets, axis=0)) == len(targets)
    second = simulator.panel("selection", first_day=1, days=1).state
    for field in fields(second):
        assert np.array_equal(getattr(panels[1].state, field.name)[64:128], getattr(second, field.name))


def test_days_outside_are_refused() -> None:
    with pytest.raises(DataError, match="days=1 from first_day=4"):
        simulator.panel("selection", first_day=4, days=1)


def test_both_rules_keep_the_promises_of_a_policy() -> None:
    from tenure.cases.arm.problem import incumbent, rules

    seen = simulator.observe(simulator.reset(20, np.random.default_rng(0)))
    for policy in (incumbent, *rules.values()):
        check_policy(policy, seen, problem.action)  # type: ignore[arg-type]
