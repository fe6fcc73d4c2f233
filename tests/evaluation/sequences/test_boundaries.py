"""Boundaries against published constants and hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation import (
    BettingLower,
    asymptotic_radius,
    best_rho,
    decisions_to_settle,
    normal_mixture_bound,
)


def test_two_sided_mixture_meets_the_published_constants() -> None:
    # Howard et al.'s package confseq, normal mixture with v_opt 100, alpha .05.
    rho = best_rho(100, 0.05)
    assert rho == pytest.approx(12.60056, abs=1e-5)
    assert normal_mixture_bound(100, rho, 0.05) == pytest.approx(30.35209, abs=1e-5)


def test_one_sided_mixture_meets_the_published_constant() -> None:
    rho = best_rho(100, 0.05, one_sided=True)
    assert normal_mixture_bound(100, rho, 0.05, one_sided=True) == pytest.approx(27.66071, abs=1e-5)


def test_best_rho_is_within_a_thousandth_of_the_narrowest() -> None:
    narrowest = min(normal_mixture_bound(100, rho, 0.05) for rho in np.linspace(5, 30, 2001))
    assert narrowest <= normal_mixture_bound(100, best_rho(100, 0.05), 0.05) <= 1.001 * narrowest


def test_asymptotic_radius_equals_the_hand_worked_one() -> None:
    # -2 ln .05 = 5.991465, ln 6.991465 = 1.944690, sum 7.936154; / 5000 = rho^2 = .001587231.
    # n = 1000: n rho^2 + 1 = 2.587231; 2 * 2.587231 / 1587.231 * ln(1.608487 / .05 = 32.16974) = .01131574.
    assert asymptotic_radius(1000, 1.0) == pytest.approx(math.sqrt(0.01131574), rel=1e-5)
    # One-sided: ln(1 + 16.08487) = 2.838193: .00326006 * 2.838193 = .009252674.
    assert asymptotic_radius(1000, 2.0, one_sided=True) == pytest.approx(2 * math.sqrt(0.009252674), rel=1e-5)


def test_asymptotic_radius_shrinks_with_units_and_grows_with_confidence() -> None:
    assert asymptotic_radius(4000, 1.0) < asymptotic_radius(1000, 1.0) < asymptotic_radius(1000, 1.0, alpha=0.01)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": 199, "sd": 1.0},
        {"n": 500, "sd": math.nan},
        {"n": 500, "sd": -1.0},
        {"n": 500, "sd": 1.0, "alpha": 0.0},
        {"n": 500, "sd": 1.0, "horizon": 0},
        {"n": 500, "sd": 1.0, "skewness": 6.1},
        {"n": 500, "sd": 1.0, "skewness": -22.0},
        {"n": 500, "sd": 1.0, "skewness": math.nan},
    ],
)
def test_asymptotic_radius_refuses_where_large_samples_say_nothing(arguments: dict[str, float]) -> None:
    with pytest.raises(EvidenceError):
        asymptotic_radius(**arguments)  # type: ignore[arg-type]


def test_mixture_refuses_impossible_arguments() -> None:
    with pytest.raises(EvidenceError):
        best_rho(0, 0.05)
    with pytest.raises(EvidenceError):
        best_rho(100, 0.5, one_sided=True)
    with pytest.raises(EvidenceError):
        normal_mixture_bound(-1, 1, 0.05)
    with pytest.raises(EvidenceError):
        normal_mixture_bound(1, math.inf, 0.05)


def test_settling_takes_the_hand_worked_number() -> None:
    # gap .1, sd .3: growth .01 / (2 * .1) = .05 per unit, ln 20 = 2.9957: 60 units; half way (sqrt(20)) 30.
    assert decisions_to_settle(mean=0.05, sd=0.3, margin=0.05) == 60
    assert decisions_to_settle(mean=0.05, sd=0.3, margin=0.05, capital=math.sqrt(20)) == 30
    assert decisions_to_settle(mean=-0.15, sd=0.3, margin=0.05) == 60
    assert decisions_to_settle(mean=0.05, sd=0.3, margin=0.05, capital=25) == 0
    assert decisions_to_settle(mean=-0.05, sd=0.3, margin=0.05) is None


def test_settling_needs_figures() -> None:
    with pytest.raises(EvidenceError):
        decisions_to_settle(mean=math.nan, sd=1.0, margin=0.1)
    with pytest.raises(EvidenceError):
        decisions_to_settle(mean=0.0, sd=1.0, margin=0.1, capital=0.0)


def test_settling_is_the_right_size_against_the_real_sequence() -> None:
    chance = np.random.default_rng(5)
    took = []
    for _ in range(20):
        lower = BettingLower(-1, 1, null=-0.1, points=1)
        while not lower.rejects(-0.1):
            lower.update(float(chance.choice([-0.5, 0.5])))
        took.append(lower.n)
    plan = decisions_to_settle(mean=0.0, sd=0.5, margin=0.1)
    assert plan is not None
    assert plan / 2 < float(np.median(took)) < 2 * plan
