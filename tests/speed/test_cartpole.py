"""The batch-native cart and pole is Gymnasium's CartPole-v1, step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from tenure.core.project import load_project

CARTPOLE = load_project(Path(__file__).parents[2] / "benchmarks" / "cartpole")
problem, simulator = CARTPOLE.problem, CARTPOLE.simulator
RNG = np.random.default_rng(0)


def theirs(seed: int) -> Any:
    made = gymnasium.make("CartPole-v1")
    made.reset(seed=seed)
    return made


def test_attempts_go_as_gymnasiums_to_their_end() -> None:
    peers = [theirs(seed) for seed in range(20)]
    start = np.array([peer.unwrapped.state for peer in peers]).T
    places = dict(zip(("position", "speed", "angle", "turning"), start, strict=True))
    carts, alive = replace(simulator.reset(20, RNG), **places), np.ones(20, dtype=bool)
    chance = np.random.default_rng(1)
    for _ in range(problem.horizon):
        pushed = np.where(chance.random(20) < 0.3, 1 - (carts.angle > 0), carts.angle > 0).astype(np.int64)
        step = simulator.step(carts, pushed, RNG)
        carts = step.state
        for world in np.flatnonzero(alive):
            seen, reward, ended, _, _ = peers[world].step(int(pushed[world]))
            np.testing.assert_allclose(simulator.observe(carts)[world], seen, rtol=1e-6, atol=1e-7)
            assert bool(step.terminated[world]) == ended
            assert problem.reward(step.signals)[world] == reward == 1.0
            alive[world] = not ended
        if not alive.any():
            break
    assert not alive.any(), "every attempt was followed to its end"


def test_a_fresh_cart_lies_where_gymnasiums_does_and_an_attempt_is_cut_off_when_gymnasiums_is() -> None:
    assert problem.horizon == gymnasium.make("CartPole-v1").spec.max_episode_steps  # type: ignore[union-attr]
    seen = simulator.observe(simulator.reset(100_000, RNG))
    peers = np.array([theirs(seed).unwrapped.state for seed in range(300)])
    assert np.abs(seen).max() <= 0.05
    assert np.abs(peers).max() <= 0.05
    assert np.allclose(seen.std(axis=0), 0.1 / np.sqrt(12), rtol=0.02)
    assert np.allclose(peers.std(axis=0), 0.1 / np.sqrt(12), rtol=0.15)


def test_the_score_is_the_mean_length_of_an_attempt() -> None:
    signals = {"upright": np.ones(30), "started": np.array([1.0, *[0.0] * 9, 1.0, *[0.0] * 19])}
    assert problem.kpis[0].value(signals) == 15.0
