"""Coverage of the intervals for one look: 13 weeks, 5 training seeds, 400 repetitions, fixed seeds.

At least 92 % of nominally 95 % intervals must hold the truth: an interval that holds it exactly 95 % of the time falls
under 368 of 400 with probability about .004. The law: weeks differ threefold in size, the incumbent's and the
candidate's costs share the week, the candidate's vary by week, by seed and by both.
"""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.evaluation import crossed_bootstrap, quantile_interval, relative_gain, t_interval

REPEATS, LEAST, TRUTH = 400, 0.92, 0.1


def panel(rng: np.random.Generator, by_seed: float, seeds: int = 5, weeks: int = 13) -> tuple[Floats, Floats]:
    size = 100 * np.exp(0.25 * rng.standard_normal(weeks))
    baseline = size * (1 + 0.05 * rng.standard_normal(weeks))
    share = 1 - TRUTH + 0.04 * rng.standard_normal(weeks) + by_seed * rng.standard_normal((seeds, 1))
    return baseline, size * (share + 0.03 * rng.standard_normal((seeds, weeks)))


def held(found: Estimate, truth: float = TRUTH) -> bool:
    return found.low <= truth <= found.high


@pytest.mark.parametrize("by_seed", [0.0, 0.02, 0.05])
def test_the_gain_s_interval_holds_over_weeks_and_seeds(by_seed: float) -> None:
    rng = np.random.default_rng(20260107)
    found = [crossed_bootstrap(*panel(rng, by_seed), rng, draws=1000) for _ in range(REPEATS)]
    assert np.mean([held(f) for f in found]) >= LEAST
    assert np.median([f.high - f.low for f in found]) < 0.2


def test_an_interval_that_treats_every_cell_as_independent_fails_beside_it() -> None:
    rng = np.random.default_rng(20260108)
    hits = 0
    for _ in range(REPEATS):
        baseline, candidate = panel(rng, 0.05)
        hits += held(t_interval((1 - candidate / baseline).ravel()))
    assert hits / REPEATS < 0.85


def test_the_interval_of_one_version_holds_over_weeks() -> None:
    rng = np.random.default_rng(20260109)
    hits = 0
    for _ in range(REPEATS):
        baseline, candidate = panel(rng, 0.0, seeds=1)
        hits += held(relative_gain(baseline, candidate[0], rng, draws=1000))
    assert hits / REPEATS >= LEAST


def test_t_and_quantile_intervals_hold() -> None:
    rng = np.random.default_rng(20260110)
    draws = rng.standard_normal((REPEATS, 13))
    assert np.mean([held(t_interval(x), 0.0) for x in draws]) >= LEAST
    skewed = rng.exponential(size=(REPEATS, 100))
    assert np.mean([held(quantile_interval(x, 0.9), float(np.log(10))) for x in skewed]) >= LEAST
