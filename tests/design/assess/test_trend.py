"""The ceiling and the drift, on worlds whose trend is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter
from tests.design.assess.test_dependence import records

from tenure.core.arrays import Floats
from tenure.core.evidence import Verdict
from tenure.design.assess.records import Records
from tenure.design.assess.trend import ceiling, drift


def log_of(trend: float = 0.0, turn: float = 0.0, per_day: float = 100.0) -> Records:
    """4,000 decisions over time t in [0, 1]: the reward rises by `trend`, and x[0] is worth cos(turn * t)."""
    rng = np.random.default_rng(0)
    x, action = rng.normal(size=(4000, 2)), rng.integers(0, 2, 4000)
    time: Floats = np.arange(4000) / 3999
    reward = trend * time + np.cos(turn * time) * x[:, 0] + 0.3 * rng.normal(size=4000)
    return replace(records(x, action, reward, np.full(4000, 0.5)), order=time, days=4000 / per_day)


def test_a_flat_incumbent_with_more_to_gain_has_hit_its_ceiling() -> None:
    found = ceiling(log_of(), gain=True)
    assert found.verdict is Verdict.PASS
    assert found.estimate is not None
    assert found.estimate.low < 0 < found.estimate.high


def test_an_incumbent_that_still_improves_has_not() -> None:
    found = ceiling(log_of(trend=1.0), gain=True)
    assert found.verdict is Verdict.FAIL
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(1.0, abs=0.15)


def test_a_level_that_stays_for_a_while_is_rarely_taken_for_a_trend() -> None:
    # AR(1) that forgets in one of 20 periods: least squares alone calls 12 % of such logs a trend, 2.5 % is nominal.
    rng, improves, keep = np.random.default_rng(1), 0, 1 - 1 / 200
    for _ in range(200):
        level = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.normal(size=6000))[2000:]
        improves += ceiling(replace(log_of(), reward=level), gain=True).verdict is Verdict.FAIL
    assert improves <= 14


def test_a_flat_incumbent_with_unknown_headroom_is_open() -> None:
    assert ceiling(log_of(), gain=None).verdict is Verdict.INCONCLUSIVE


def test_a_still_world_shows_no_ageing() -> None:
    finding, days = drift(log_of())
    assert (finding.verdict, days) == (Verdict.PASS, None)


def test_a_turning_world_says_after_how_many_days_a_model_is_old() -> None:
    # From the first quarter to the last, 30 days later, cos(t) loses 0.35: 0.12 of error, a tenth of 0.4 in 10 days.
    finding, days = drift(log_of(turn=1.0))
    assert finding.verdict is Verdict.PASS
    assert days == pytest.approx(10, rel=0.4)


def test_a_world_that_turns_faster_than_data_comes_is_learned_live() -> None:
    finding, days = drift(log_of(turn=3.0))
    assert finding.verdict is Verdict.FAIL
    assert days is not None
    assert days * 100 < 400
    assert "learn live" in finding.reason


def test_a_log_without_time_says_so() -> None:
    log = replace(log_of(), order=np.full(4000, np.nan), days=float("nan"))
    assert ceiling(log, True).verdict is drift(log)[0].verdict is Verdict.INCONCLUSIVE
