"""The test that the action moves an outcome: its size, its power, and what it says of a fixed action."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.design.assess.behaviour import Behaviour, behaviour_of
from tenure.design.assess.dependence import dependence, unit_mean
from tenure.design.assess.records import Records


def records(x: Floats, action: Ints, reward: Floats, propensity: Floats, per_unit: int = 10) -> Records:
    """A log in memory: units of `per_unit` decisions in a row."""
    n = len(x)
    unit = np.arange(n) // per_unit
    return Records(
        x=x,
        names=tuple(f"x{k}" for k in range(x.shape[1])),
        after=np.empty((n, 0)),
        after_names=(),
        action=action,
        labels=tuple(f"a{k}" for k in range(int(action.max()) + 1)),
        reward=reward,
        propensity=propensity,
        unit=unit,
        cluster="unit",
        following=np.where(np.diff(unit, append=-1) == 0, np.arange(1, n + 1), -1),
        order=np.arange(n) / n,
        ordered=True,
        episodic=False,
        days=float("nan"),
        of=n,
    )


def confounded(seed: int, effect: float) -> tuple[Records, Behaviour, Floats]:
    """The action follows x, and so does the outcome, steeply; the action itself adds `effect` with the sign of x."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(800, 2))
    p = 1 / (1 + np.exp(-x[:, 0]))
    action = (rng.random(800) < p).astype(int)
    outcome = np.sin(2 * x[:, 0]) + effect * action * np.sign(x[:, 1]) + 0.5 * rng.normal(size=800)
    taken = np.where(action == 1, p, 1 - p)
    log = records(x, action, outcome, taken)
    return log, behaviour_of(log), outcome[:, None]


def rejections(effect: float, seeds: int) -> int:
    every = np.ones(800, dtype=bool)
    found = (dependence(*confounded(seed, effect), every).p for seed in range(seeds))
    return sum(p < 0.05 for p in found)


def test_without_an_effect_the_test_rejects_about_as_often_as_it_says() -> None:
    # 40 draws at 5 %: more than 7 come by chance once in 200 (binomial); the propensities are fitted, not known.
    assert rejections(0.0, 40) <= 7


def test_an_effect_whose_mean_is_nothing_is_found() -> None:
    # +0.4 for one half and -0.4 for the other: a test of the mean effect has no power here.
    assert rejections(0.4, 10) >= 9


def test_the_variance_moved_is_that_of_the_effect() -> None:
    # A fair coin adds 0 or 1: variance 1/4.
    rng = np.random.default_rng(3)
    x, action = rng.normal(size=(4000, 1)), rng.integers(0, 2, 4000)
    outcome = action + 0.3 * rng.normal(size=4000)
    log = records(x, action, outcome, np.full(4000, 0.5))
    found = dependence(log, behaviour_of(log), outcome[:, None], np.ones(4000, dtype=bool))
    assert abs(found.moved.value - 0.25) < 0.02
    assert found.p < 1e-9


def test_an_action_that_the_situation_fixes_tells_nothing() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(800, 1))
    action = (x[:, 0] > 0).astype(int)
    log = records(x, action, x[:, 0], np.ones(800))
    chance = np.eye(2)[action]
    found = dependence(log, Behaviour(chance, np.ones(800), False), 5.0 * action[:, None], np.ones(800, dtype=bool))
    assert found.p == 1.0


def test_the_mean_over_units_meets_its_hand_worked_error() -> None:
    # Units (1, 3) and (5, 7): unit sums 4 and 12, mean 4; parts -4/4 and +4/4; error sqrt(2 * 2) = 2.
    mean, error, units = unit_mean(np.array([1.0, 3.0, 5.0, 7.0]), np.array([0, 0, 1, 1]))
    assert (mean, error, units) == (4.0, 2.0, 2)
