"""The arm's geometry, against places worked out by hand and against each other."""

from __future__ import annotations

import numpy as np

from tenure.cases.arm.body import bent_to, pull, shortest, tip

ANGLES = np.random.default_rng(0).uniform(-2.9, 2.9, (200, 2))


def test_the_tip_stands_where_two_links_lead() -> None:
    angles = np.array([[0, 0], [np.pi / 2, 0], [0, np.pi / 2], [np.pi / 2, np.pi / 2]])
    assert np.allclose(tip(angles), [[0.21, 0], [0, 0.21], [0.1, 0.11], [-0.11, 0.1]])


def test_a_pull_is_the_force_times_the_way_the_tip_goes() -> None:
    force, small = np.array([[0.3, -0.7]] * 200), 1e-6
    for joint in (0, 1):
        moved = ANGLES.copy()
        moved[:, joint] += small
        work = ((tip(moved) - tip(ANGLES)) * force).sum(axis=1) / small
        assert np.allclose(pull(ANGLES, force)[:, joint], work, atol=1e-6)


def test_the_angles_for_a_target_put_the_tip_on_it_without_changing_the_elbows_side() -> None:
    target = tip(ANGLES)
    found = bent_to(target, ANGLES)
    assert np.allclose(tip(found), target, atol=1e-7)
    assert np.allclose(shortest(found - ANGLES), 0, atol=1e-6)


def test_a_target_out_of_reach_is_pointed_at() -> None:
    assert np.allclose(bent_to(np.array([[0.0, 1.0]]), np.zeros((1, 2))), [[np.pi / 2, 0]])


def test_a_turn_is_never_more_than_half_a_circle() -> None:
    assert np.allclose(shortest(np.array([0.1, 2 * np.pi + 0.1, 1.5 * np.pi])), [0.1, 0.1, -0.5 * np.pi])
