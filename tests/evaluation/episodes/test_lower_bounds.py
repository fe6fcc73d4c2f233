"""The high-confidence lower bound: worked by hand, by the theorem's double sum, and held against heavy tails."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Hashes
from tenure.evaluation.episodes.lower_bounds import best_clip, clipped_lower_bound, high_confidence_lower
from tenure.evaluation.grouped import mixed

UNITS = np.arange(4000, dtype=np.uint64)


def test_the_bound_worked_by_hand() -> None:
    # x = 0, 1, 2, 9 clipped at 3 is 0, 1, 2, 3: mean 1.5, sample variance 5/3; alpha = 2 / e^3, so ln(2 / alpha) = 3.
    # 1.5 - 7 * 3 * 3 / (3 * 3) - sqrt(2 * (5/3) * 3 / 4) = 1.5 - 7 - sqrt(2.5) = -7.0811388.
    assert clipped_lower_bound(np.array([9.0, 0.0, 2.0, 1.0]), 3.0, 2 / math.e**3) == pytest.approx(
        -7.0811388, abs=1e-6
    )


def theorem(x: Floats, clip: float, alpha: float) -> float:
    """Theorem 1 as it is printed, with its sum over all pairs and a threshold per number."""
    n, c = len(x), np.full(len(x), clip)
    y, scale = np.minimum(x, c) / c, 1 / (1 / c).sum()
    pairs = ((y[:, None] - y[None, :]) ** 2).sum()
    spread = math.sqrt(math.log(2 / alpha) / (n - 1) * pairs)
    return float(scale * (y.sum() - 7 * n * math.log(2 / alpha) / (3 * (n - 1)) - spread))


def test_the_bound_equals_the_theorem_s_double_sum() -> None:
    x = np.random.default_rng(1).lognormal(0, 1.5, 60)
    for clip in (0.5, 3.0, 50.0):
        assert clipped_lower_bound(x, clip, 0.1) == pytest.approx(theorem(x, clip, 0.1), rel=1e-12)


def test_the_clip_point_is_the_best_of_a_finer_grid() -> None:
    x, n, alpha = np.random.default_rng(2).lognormal(0, 1.5, 200), 3800, 0.05

    def predicted(clip: float) -> float:
        y = np.minimum(x, clip)
        certainty = math.log(2 / alpha)
        return float(y.mean() - 7 * clip * certainty / (3 * (n - 1)) - math.sqrt(2 * y.var(ddof=1) * certainty / n))

    finest = max(predicted(float(clip)) for clip in np.linspace(x.min(), 2 * x.max(), 20_000))
    assert predicted(best_clip(x, n, alpha)) == pytest.approx(finest, abs=1e-4)
    assert best_clip(np.zeros(5), 10) == 1.0


def weighted(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Weights with mean 1, nearly all below 1 and one in 200 of 100.5; returns 0 or 1 with mean 0.6, shifted by -2."""
    weight = np.where(rng.random(n) < 1 / 200, 100.5, 0.5)
    return weight, (rng.random(n) < 0.6) - 2.0


def test_the_bound_holds_under_heavy_weights_and_says_something() -> None:
    # Truth -1.4; a bound right in exactly 95 % misses more than 66 of 1,000 about once in 100.
    rng = np.random.default_rng(3)
    low = [high_confidence_lower(*weighted(rng, 400), -2.0, UNITS[:400]).low for _ in range(1000)]
    assert sum(bound > -1.4 for bound in low) <= 66
    weight, returns = weighted(rng, 4000)
    found = high_confidence_lower(weight, returns, -2.0, UNITS)
    assert -1.9 < found.low < -1.4
    assert (found.high, found.n, found.cluster) == (math.inf, 4000, "unit")
    assert found.ess == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert found.value == pytest.approx((weight * (returns + 2)).mean() - 2)


def test_the_bound_holds_where_a_normal_one_fails() -> None:
    # One return in 200 is 0, the others are 1: a log of 200 without any 0 has no spread (37 % of all logs).
    rng, missed, naive = np.random.default_rng(5), 0, 0
    for _ in range(1000):
        returns = (rng.random(200) >= 1 / 200).astype(np.float64)
        missed += high_confidence_lower(np.ones(200), returns, 0.0, UNITS[:200]).low > 0.995
        naive += returns.mean() - 1.645 * returns.std(ddof=1) / math.sqrt(200) > 0.995
    assert missed <= 66
    assert naive > 300


def test_clipping_helps_where_weights_are_heavy() -> None:
    x = np.random.default_rng(4).lognormal(-2, 2, 4000)
    clip = best_clip(x[:200], 3800)
    assert clipped_lower_bound(x[200:], clip) > clipped_lower_bound(x[200:], float(x.max())) + 0.05


def test_the_bound_is_never_below_the_least_return() -> None:
    found = high_confidence_lower(np.zeros(100), np.zeros(100), -3.0, UNITS[:100])
    assert (found.low, found.value, found.ess) == (-3.0, -3.0, 0.0)


def test_units_that_chose_the_clip_point_are_not_in_the_bound() -> None:
    # Only the tuning units are large: they raise the mean, not the bound.
    tuning = mixed(UNITS, 29) % np.uint64(20) == 0
    assert 100 < tuning.sum() < 300
    found = high_confidence_lower(np.ones(4000), np.where(tuning, 50.0, 1.0), 0.0, UNITS)
    assert found.low < 1.0 < found.value


@pytest.mark.parametrize(
    ("weight", "returns", "least", "unit", "named"),
    [
        (np.ones(100), np.ones(99), 0.0, UNITS[:100], "returns: 99"),
        (-np.ones(100), np.ones(100), 0.0, UNITS[:100], "weights >= 0"),
        (np.ones(100), np.full(100, np.nan), 0.0, UNITS[:100], "NaN"),
        (np.ones(100), np.zeros(100), 0.5, UNITS[:100], "least"),
        (np.ones(100), np.zeros(100), math.nan, UNITS[:100], "least"),
        (np.ones(100), np.ones(100), 0.0, UNITS[:100] // np.uint64(2), "50 repeated"),
        (np.ones(3), np.ones(3), 0.0, UNITS[:3], "60 units"),
    ],
)
def test_impossible_numbers_are_refused(
    weight: Floats, returns: Floats, least: float, unit: Hashes, named: str
) -> None:
    with pytest.raises(EvidenceError, match=named):
        high_confidence_lower(weight, returns, least, unit)


@pytest.mark.parametrize("clip", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_clip_is_refused(clip: float) -> None:
    with pytest.raises(EvidenceError, match="clip > 0"):
        clipped_lower_bound(np.ones(5), clip)


@pytest.mark.parametrize("x", [[1.0], [1.0, math.nan], [1.0, -1.0]])
def test_numbers_that_carry_no_bound_are_refused(x: list[float]) -> None:
    with pytest.raises(EvidenceError):
        clipped_lower_bound(np.array(x), 1.0)
    with pytest.raises(EvidenceError):
        best_clip(np.array(x), 10)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_an_impossible_error_rate_is_refused(alpha: float) -> None:
    with pytest.raises(EvidenceError, match="alpha"):
        clipped_lower_bound(np.ones(5), 1.0, alpha)
