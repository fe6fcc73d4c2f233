"""Lengths and returns are those of whole episodes, wherever blocks of steps are cut."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.arrays import Bools, Floats
from tenure.training.metrics.episodes import WINDOW, EpisodeMeter


def by_hand(reward: Floats, over: Bools) -> list[tuple[int, float]]:
    """Episodes step by step and world by world; the first of each world is left out."""
    found = []
    for world in range(reward.shape[1]):
        length, total, first = 0, 0.0, True
        for step in range(len(reward)):
            length, total = length + 1, total + reward[step, world]
            if over[step, world]:
                if not first:
                    found.append((length, total))
                length, total, first = 0, 0.0, False
    return found


@pytest.mark.parametrize("cuts", [[], [1], [7], [3, 4, 20], list(range(1, 40))])
def test_however_steps_come_in_blocks_the_episodes_are_the_same(cuts: list[int]) -> None:
    rng = np.random.default_rng(3)
    reward, over = rng.integers(-4, 5, (40, 5)).astype(float), rng.random((40, 5)) < 0.2
    meter = EpisodeMeter(5)
    for rewards, ends in zip(np.split(reward, cuts), np.split(over, cuts), strict=True):
        meter.update(rewards, ends)
    found, expected = meter.take(), by_hand(reward, over)
    lengths, totals = np.array(expected).T
    assert found["episodes"] == len(expected)
    assert found["episode_length"] == pytest.approx(lengths.mean())
    assert found["return_mean"] == pytest.approx(totals.mean())
    assert found["return_std"] == pytest.approx(totals.std())
    assert (found["return_max"], found["return_min"]) == (totals.max(), totals.min())


def test_without_an_end_nothing_is_said() -> None:
    meter = EpisodeMeter(2)
    meter.update(np.ones((5, 2)), np.zeros((5, 2), dtype=bool))
    assert meter.take() == {}


def test_the_moving_mean_is_of_the_last_hundred_and_goes_on_over_checkpoints() -> None:
    meter, kept = EpisodeMeter(1), {}
    over = np.ones((1, 1), dtype=bool)
    for value in range(WINDOW + 31):
        meter.update(np.array([[float(value)]]), over)
        if value == 60:
            assert "return_mean_100" not in meter.take()
            kept = meter.state_dict()
            meter = EpisodeMeter(1)
            meter.load_state_dict(kept)
    assert meter.take()["return_mean_100"] == np.mean(range(31, WINDOW + 31))
