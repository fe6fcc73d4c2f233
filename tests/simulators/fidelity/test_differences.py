"""Fields side by side: what is found, what is let pass, and what a small log leaves open."""

from __future__ import annotations

import numpy as np
import pytest
from tests.simulators.fidelity.rows import rows

from tenure.core.arrays import Floats
from tenure.core.evidence import Verdict
from tenure.simulators.fidelity.aspects import Side, frozen, level, mean_gap, missing, season
from tenure.simulators.fidelity.differences import Difference, differences, growth, is_calendar
from tenure.simulators.fidelity.sample import Sample, sample_of, thinned

EPISODES, STEPS = 40, 48


def sample(x: Floats, episodes: int = EPISODES) -> Sample:
    return sample_of(rows({"x": x}, {"y": x * 0 + np.arange(len(x)) % 7}, episodes), ["x"], ["y"], "episode")


def noise(seed: int, episodes: int = EPISODES, scale: float = 1.0) -> Floats:
    return np.random.default_rng(seed).normal(0, scale, episodes * STEPS)


def verdicts(real: Floats, simulated: Floats, episodes: int = EPISODES) -> dict[str, Verdict]:
    found = differences(sample(real, episodes), sample(simulated))
    return {each.aspect: each.verdict for each in found if each.field == "x"}


def test_wasserstein_of_a_shifted_column_is_the_shift() -> None:
    one, other = (Side(sample(x)) for x in (noise(1), noise(1) + 0.5))
    every = np.arange(EPISODES * STEPS)
    assert mean_gap(level(one, "x", every), level(other, "x", every)) == pytest.approx(0.5)


def test_equal_worlds_pass_in_every_aspect() -> None:
    assert set(verdicts(noise(1), noise(2)).values()) == {Verdict.PASS}


def test_a_shift_of_half_a_standard_deviation_fails_the_level_alone_of_marginals() -> None:
    found = verdicts(noise(1), noise(2) + 0.5)
    assert found["level"] is Verdict.FAIL
    assert found["season"] is Verdict.PASS
    assert found["memory"] is Verdict.PASS


def test_half_the_noise_fails_the_noise() -> None:
    assert verdicts(noise(1), noise(2, scale=0.5))["noise"] is Verdict.FAIL


def test_a_small_log_leaves_open_what_a_large_one_would_pass() -> None:
    found = verdicts(noise(1, episodes=4)[: 4 * STEPS], noise(2), episodes=4)
    assert Verdict.INCONCLUSIVE in found.values()
    assert Verdict.FAIL not in found.values()


def test_pattern_over_the_day_is_compared_without_its_level() -> None:
    hour = np.tile(np.arange(STEPS) % 24, EPISODES)
    wave = np.cos(2 * np.pi * hour / 24)
    found = verdicts(noise(1) + 2 * wave, noise(2) + 2 * np.roll(wave, 6))
    assert found["season"] is Verdict.FAIL
    assert verdicts(noise(1) + 2 * wave, noise(2) + 2 * wave)["season"] is Verdict.PASS


def test_season_of_a_column_is_its_mean_by_hour() -> None:
    hour = np.tile(np.arange(STEPS) % 24, EPISODES).astype(float)
    found = season(Side(sample(hour)), "x", np.arange(EPISODES * STEPS))
    assert found == pytest.approx(np.arange(24) - 11.5)


def test_frozen_and_missing_are_shares() -> None:
    x = np.tile([1.0, 1.0, 2.0, np.nan], EPISODES * STEPS // 4)
    side, every = Side(sample(x)), np.arange(EPISODES * STEPS)
    assert missing(side, "x", every) == pytest.approx([0.25])
    assert frozen(side, "x", every) == pytest.approx([0.5])  # of 1-1 and 1-2; beside NaN nothing is known


def test_what_the_clock_says_is_not_compared() -> None:
    hour = np.tile(np.arange(STEPS) % 24, EPISODES).astype(float)
    assert is_calendar(sample(hour), "x")
    assert not is_calendar(sample(noise(1)), "x")


def test_the_verdict_goes_by_the_ends_of_the_interval() -> None:
    def verdict(low: float, high: float) -> Verdict:
        return Difference("level", "x", "", (low + high) / 2, low, high, 0.2).verdict

    assert verdict(0.21, 0.3) is Verdict.FAIL
    assert verdict(0.19, 0.3) is Verdict.PASS
    assert verdict(0.0, 0.41) is Verdict.INCONCLUSIVE


def test_an_open_finding_says_how_much_more_log_it_takes() -> None:
    # Doubt 0.4 about 0.0 must shrink to 2 * 0.2: (0.4 / 0.4)^2 of 10 units; 0.8 takes four times as many.
    found = Difference("level", "x", "", 0.0, 0.0, 0.8, 0.2).finding(10, "episode")
    assert "about 30 more episodes" in found.reason


def test_error_grows_with_the_horizon_where_the_simulator_drifts() -> None:
    walk = np.cumsum(noise(1).reshape(EPISODES, STEPS), axis=1)
    still = noise(2).reshape(EPISODES, STEPS)
    told = next(iter(growth(sample(walk.ravel()), sample(still.ravel()))))["by_steps"]
    assert told["16"] > told["4"] > told["1"] - 0.2


def test_thinning_keeps_whole_weeks_and_their_steps() -> None:
    whole = sample(noise(1))
    part = thinned(whole, 14 * STEPS)
    assert part.clusters == 14
    assert (part.following >= 0).sum() == 14 * (STEPS - 1)
    goes_on = np.flatnonzero(part.following >= 0)
    assert (part.step[part.following[goes_on]] == part.step[goes_on] + 1).all()
    assert (part.episode[part.following[goes_on]] == part.episode[goes_on]).all()


def test_a_doubt_without_end_says_so_instead_of_a_number_of_units() -> None:
    found = Difference("tail", "stock", "share", 0.44, 0.0, float("inf"), 0.65)
    assert found.finding(60, "episode").verdict is Verdict.INCONCLUSIVE
    assert "Halves of the log say nothing about it" in found.finding(60, "episode").reason
