"""What the log has and the simulator has not."""

from __future__ import annotations

import numpy as np
from tests.simulators.fidelity.rows import rows

from tenure.core.arrays import Floats
from tenure.core.evidence import Verdict
from tenure.simulators.fidelity.kind import kindness
from tenure.simulators.fidelity.sample import sample_of

EPISODES, STEPS = 40, 48
N = EPISODES * STEPS


def said(extra: Floats, y: Floats, x: Floats, simulated_x: Floats) -> dict[str, Verdict]:
    log = rows({"x": x, "extra": extra}, {"y": y}, EPISODES)
    real = sample_of(log, ["x"], ["y"], "episode")
    ours = sample_of(rows({"x": simulated_x}, {"y": y}, EPISODES), ["x"], ["y"], "episode")
    return {finding.gate: finding.verdict for finding in kindness(log, real, ours)}


def test_a_column_that_moves_a_signal_beyond_the_features_is_missed_and_an_idle_one_is_listed() -> None:
    x, extra, noise = np.random.default_rng(1).normal(0, 1, (3, N))
    assert said(extra, x + extra + noise, x, x)["too kind: extra"] is Verdict.FAIL
    assert said(extra, x + noise, x, x)["too kind: extra"] is Verdict.PASS


def test_a_column_that_repeats_a_feature_tells_nothing_more() -> None:
    x, noise = np.random.default_rng(2).normal(0, 1, (2, N))
    assert said(2 * x, x + noise, x, x)["too kind: extra"] is Verdict.PASS


def test_a_feature_that_stands_still_in_the_simulator_alone_fails() -> None:
    x, noise = np.random.default_rng(3).normal(0, 1, (2, N))
    assert said(noise, x, x, np.zeros(N))["too kind: x"] is Verdict.FAIL
    assert "too kind: x" not in said(noise, x, x, x)


def test_a_feature_that_no_row_of_the_log_has_fails() -> None:
    x, noise = np.random.default_rng(4).normal(0, 1, (2, N))
    assert said(noise, x, np.full(N, np.nan), x)["too kind: x"] is Verdict.FAIL
