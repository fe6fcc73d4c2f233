"""A world whose law is known comes out of its log: coefficients, noise, errors one step ahead and many."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from tenure.core import KPI, Box, Discrete, Feature, Problem, Reward, Signal, Term, Verdict
from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.trajectories import Trajectories
from tenure.simulators import check_simulator, run
from tenure.simulators.fidelity.rollouts import rolled
from tenure.simulators.fitted import Fitted, FittedSimulator, fit_simulator

A = np.array([[0.9, 0.1], [-0.2, 0.8]])
PUSH, SD = np.array([0.5, -0.3]), np.array([0.2, 0.1])
EPISODES, STEPS = 80, 50


def problem(box: bool = False) -> Problem:
    return Problem(
        name="spring",
        about="Two numbers pull at each other.",
        observation=(Feature("left", "m"), Feature("right", "m"), Feature("wind", "m/s", -9, 9)),
        action=Box(("push",), ("N",), (-1.0,), (1.0,)) if box else Discrete(("-1", "0", "+1")),
        signals=(Signal("cost", "EUR", -100, 100),),
        reward=Reward((Term("cost", -1.0, "EUR/EUR", "it is paid"),)),
        kpis=(KPI("cost", "EUR", "lower", {"cost": 1.0}),),
        horizon=20,
    )


def spring_log(box: bool = False, bend: float = 0.0, seed: int = 0, episodes: int = EPISODES) -> Trajectories:
    """x' = A x + push * a + 0.3 wind on the left + noise; the wind leans on itself; cost is 2 left + right + noise."""
    rng = np.random.default_rng(seed)
    seen, action, cost = np.zeros((episodes, STEPS, 3)), np.zeros((episodes, STEPS)), np.zeros((episodes, STEPS))
    x, wind = rng.normal(0, 1, (episodes, 2)), rng.normal(0, 1, episodes)
    for step in range(STEPS):
        push = rng.uniform(-1, 1, episodes) if box else rng.integers(-1, 2, episodes).astype(float)
        seen[:, step], action[:, step] = np.column_stack([x, wind]), push
        cost[:, step] = 2 * x[:, 0] + x[:, 1] + rng.normal(0, 0.5, episodes)
        pull = bend * np.column_stack([np.cos(2 * x[:, 0]), np.zeros(episodes)])
        x = x @ A.T + push[:, None] * PUSH + np.outer(0.3 * wind, [1, 0]) + pull + rng.normal(0, SD, (episodes, 2))
        wind = np.clip(0.8 * wind + rng.normal(0, 0.6, episodes), -9, 9)
    n = episodes * STEPS
    given: Any = action.reshape(n, 1) if box else action.reshape(n).astype(np.int64) + 1
    return Trajectories(
        observation=seen.reshape(n, 3),
        names=("left", "right", "wind"),
        action=given,
        signals={"cost": cost.reshape(n)},
        episode=np.repeat(np.arange(episodes), STEPS),
        step=np.tile(np.arange(STEPS), episodes),
        propensity=np.full(n, np.nan),
        world=tuple(f"spring-{number}" for number in range(episodes)),
    )


@cache
def plain(box: bool = False, outside: tuple[str, ...] = ()) -> Fitted:
    return fit_simulator(problem(box), spring_log(box), outside)


def law(world: FittedSimulator, x: list[float], action: Any) -> list[float]:
    return [float(one) for one in world.expected(np.array([x]), np.array([action]))[0]]


@pytest.mark.parametrize("box", [False, True])
def test_the_coefficients_of_a_linear_world_are_recovered(box: bool) -> None:
    found = plain(box)
    world, still = found.simulator, [0.0] if box else 1
    origin = law(world, [0, 0, 0], still)
    # 2,400 rows fit; the largest standard error, of a cost coefficient, is about 0.5 / sqrt(2400) / sd(left) < 0.03.
    columns = [np.array(law(world, list(row), still)) - origin for row in np.eye(3)]
    assert np.array(columns)[:, 0] == pytest.approx([A[0, 0] - 1, A[0, 1], 0.3], abs=0.03)
    assert np.array(columns)[:, 1] == pytest.approx([A[1, 0], A[1, 1] - 1, 0.0], abs=0.03)
    assert np.array(columns)[:, 3] == pytest.approx([2.0, 1.0, 0.0], abs=0.15)
    pushed = np.array(law(world, [0, 0, 0], [1.0] if box else 2)) - origin
    assert pushed[:2] == pytest.approx(PUSH, abs=0.03)


def test_one_step_errors_are_the_noise_that_was_put_in_and_below_the_naive_ones() -> None:
    found = {one.name: one for one in plain().errors.one_step}
    assert [found[name].error for name in ("left", "right", "wind", "cost")] == pytest.approx(
        [0.2, 0.1, 0.6, 0.5], rel=0.06
    )
    assert all(one.better for one in found.values())


def true_noise(steps: int) -> Floats:
    """Variance of what so many steps of noise add up to, wind known; Sum of A^k diag(SD^2) A^k', [2]."""
    total, power = np.zeros((2, 2)), np.eye(2)
    for _ in range(steps):
        total, power = total + power @ np.diag(SD**2) @ power.T, A @ power
    return np.diag(total)


def test_errors_many_steps_ahead_are_those_of_the_true_worlds_noise_when_the_wind_is_replayed() -> None:
    log = spring_log()
    found = plain(outside=("wind",))
    sd = log.observation[: round(0.6 * EPISODES) * STEPS, :2].std(axis=0)
    assert [one.steps for one in found.errors.roll_out] == [1, 2, 4, 8, 16, 32]
    for one in found.errors.roll_out:
        truth = math.sqrt(float((true_noise(one.steps) / sd**2).mean()))
        # About 16 episodes are held out, so far ahead only some dozens of errors are independent.
        assert one.error == pytest.approx(truth, rel=0.2), one.steps
        assert one.error < one.naive


def test_a_bent_law_is_not_fitted_by_a_line() -> None:
    assert fit_simulator(problem(), spring_log(bend=0.5)).simulator.dynamics.kind != "linear"
    assert plain().simulator.dynamics.kind == "linear"


def test_worlds_move_as_much_as_the_real_ones_and_calm_or_wild_levels_less_or_more() -> None:
    log = spring_log()
    world = plain().simulator
    spread = {}
    for level in world.levels:
        rng = np.random.default_rng(1)
        state = world.reset(2000, rng, level)
        for _ in range(30):
            state = world.step(state, rng.integers(0, 3, 2000), rng).state
        spread[level] = world.observe(state).std(axis=0)
    assert spread["normal"] == pytest.approx(log.observation[log.observation[:, 0] != 0].std(axis=0), rel=0.12)
    assert (spread["easy"] < spread["normal"]).all()
    assert (spread["normal"] < spread["hard"]).all()


def test_a_hybrid_replays_what_is_outside_from_rows_that_followed_each_other() -> None:
    log = spring_log()
    world = plain(outside=("wind",)).simulator
    rng = np.random.default_rng(0)
    state = world.reset(50, rng)
    for _ in range(10):
        assert np.array_equal(state.seen[:, 2], log.observation[state.row, 2])
        after = world.step(state, np.ones(50, dtype=int), rng).state
        goes_on = log.following[state.row] >= 0
        assert np.array_equal(after.row[goes_on], state.row[goes_on] + 1)
        assert (log.episode[after.row] < round(0.6 * EPISODES)).all()
        state = after


@pytest.mark.parametrize(("box", "outside"), [(False, ()), (False, ("wind",)), (True, ())])
def test_a_fitted_simulator_keeps_the_contract(box: bool, outside: tuple[str, ...]) -> None:
    stated = problem(box)
    findings = check_simulator(stated, plain(box, outside).simulator, n=4, steps=10)
    assert [one for one in findings if one.verdict is not Verdict.PASS] == []


def test_panels_are_of_the_episodes_of_their_part_and_run() -> None:
    stated = problem()
    world = plain().simulator
    parts = {split: world.panel(split) for split in ("train", "selection", "held_out")}
    assert [len(panel.worlds) for panel in parts.values()] == [48, 16, 16]
    assert parts["held_out"].worlds[0] == "episode-64"

    class Still:
        version = "still"

        def propose(self, observation: Floats, allowed: Any, draw: Floats) -> Any:
            from tenure.core import Proposal

            return Proposal(np.ones(len(observation), dtype=np.int64), np.ones(len(observation)))

    trace = run(stated, world, Still(), parts["selection"]).trace
    assert trace.signals["cost"].shape == (20, 16)


def test_the_version_tells_other_logs_and_other_hybrids_apart_and_nothing_else() -> None:
    def version(seed: int = 0) -> str:
        return fit_simulator(problem(), spring_log(seed=seed)).simulator.version

    assert version() == plain().simulator.version
    assert len({plain().simulator.version, version(seed=1), plain(outside=("wind",)).simulator.version}) == 3


def test_held_out_episodes_change_neither_the_model_nor_what_it_draws() -> None:
    log = spring_log()
    other = replace(log, observation=np.where(log.episode[:, None] >= 64, 7.0, log.observation))
    one, two = fit_simulator(problem(), log).simulator, fit_simulator(problem(), other).simulator
    assert all(np.array_equal(a, b) for a, b in zip(one.dynamics.weights, two.dynamics.weights, strict=True))
    assert np.array_equal(one.residuals, two.residuals)


def test_rows_with_a_missing_value_are_left_out() -> None:
    log = spring_log()
    holes = log.observation.copy()
    holes[::10, 0] = np.nan
    found = fit_simulator(problem(), replace(log, observation=holes))
    assert [one.error for one in found.errors.one_step] == pytest.approx([0.2, 0.1, 0.6, 0.5], rel=0.08)


def test_the_sentence_names_the_model_and_what_it_cannot_foresee() -> None:
    log = spring_log()
    noise = np.random.default_rng(3).normal(0, 1, len(log))
    said = fit_simulator(problem(), replace(log, signals={"cost": noise})).sentence
    assert said.startswith("model linear; 32 steps ahead ")
    assert "no better than nothing changing: " in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda log: log.take(np.arange(4)), "at least 5 episodes; found 4"),
        (lambda log: replace(log, signals={}), "found no 'cost'"),
        (lambda log: replace(log, names=("left", "right", "sun")), "found no 'wind'"),
        (lambda log: log.take(np.arange(5)).__class__(**{**vars(log.take(np.arange(5))), "step": 9 * np.arange(250)}),
         "at least 200 rows with a next one, 50 in each part; found 0"),
    ],
)  # fmt: skip
def test_a_log_that_says_too_little_is_refused(change: Any, words: str) -> None:
    with pytest.raises(EvidenceError, match=words):
        fit_simulator(problem(), change(spring_log()))


def test_an_outside_feature_must_exist() -> None:
    with pytest.raises(EvidenceError, match="found 'sun'"):
        fit_simulator(problem(), spring_log(), outside=("sun",))


def test_worlds_begin_where_they_are_asked_to_and_go_on_with_the_nearest_wind() -> None:
    log, world = spring_log(), plain(outside=("wind",)).simulator
    rows, rng = np.array([0, 60, 777]), np.random.default_rng(0)
    state = world.from_observation(log.observation[rows].astype(np.float32), rng)
    assert np.array_equal(world.observe(state), log.observation[rows].astype(np.float32))
    assert state.row.tolist() == rows.tolist()
    after = world.step(state, np.ones(3, dtype=int), rng).state
    assert np.array_equal(after.seen[:, 2], log.observation[rows + 1, 2])


def test_roll_outs_of_a_fitted_simulator_from_another_log_of_its_world_pass() -> None:
    found, _ = rolled(problem(), plain().simulator, spring_log(seed=9), "episode")
    assert {each.field: each.verdict for each in found}["right"] is Verdict.PASS
    bent, _ = rolled(problem(), plain().simulator, spring_log(bend=0.8, seed=9), "episode")
    assert {each.field: each.verdict for each in bent}["left"] is Verdict.FAIL
