"""Verdicts on arms whose truth is known, with their error rates."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.diagnosis.thresholds import ERROR
from tenure.diagnosis.verdicts import effect_of, verdict_of


def verdicts(gain: float, deviation: float, runs: int = 2000, seeds: int = 4) -> list[str]:
    """Of so many probes whose treated arm is truly better by `gain` spans."""
    rng = np.random.default_rng(7)
    arms = rng.normal(0.0, deviation, (2, runs, seeds))
    return [verdict_of(effect_of(arms[0, run], arms[1, run] + gain, 1.0)) for run in range(runs)]


def test_the_effect_is_paired_and_in_spans() -> None:
    # differences 1, 2, 3 over a span of 2: mean 1, deviation 0.5; t of 2 degrees at 1 % is 6.965
    found = effect_of(np.array([0.0, 5.0, 10.0]), np.array([1.0, 7.0, 13.0]), 2.0)
    assert found.value == 1.0
    assert found.low == pytest.approx(1.0 - 6.9646 * 0.5 / np.sqrt(3), abs=1e-3)


def test_what_changes_nothing_is_confirmed_at_most_once_in_a_hundred_probes() -> None:
    # 2,000 probes at 1 %: more than 34 have a chance below 0.2 %
    assert verdicts(0.0, 1.0).count("confirmed") <= 34
    assert ERROR == 0.01


def test_what_mends_a_whole_span_is_confirmed() -> None:
    assert verdicts(1.0, 0.1).count("confirmed") >= 1990


def test_what_is_surely_not_worth_it_is_rejected() -> None:
    assert verdicts(0.05, 0.02).count("rejected") >= 1990


def test_a_gain_that_noise_hides_is_inconclusive() -> None:
    assert verdicts(0.5, 0.5).count("inconclusive") >= 1500


def test_two_arms_share_the_error() -> None:
    control, treated = np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0])
    assert effect_of(control, treated, 1.0, arms=2).low < effect_of(control, treated, 1.0).low
