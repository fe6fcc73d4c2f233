"""Beta-binomial sequence: the published interval, the martingale's mean of one, and its edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tenure.core.errors import EvidenceError
from tenure.evaluation.sequences.bernoulli import bernoulli_interval, best_strength, log_evidence


def test_700_of_1000_meets_the_published_interval() -> None:
    # Howard et al.'s package confseq, t_opt 100, alpha .05.
    found = bernoulli_interval(700, 1000, 0.05, 100)
    assert found.low == pytest.approx(0.651629, abs=1e-6)
    assert found.high == pytest.approx(0.745949, abs=1e-6)
    assert found.value == 0.7


@given(st.integers(0, 30), st.floats(0.01, 0.99), st.floats(0.5, 200))
def test_the_evidence_is_one_on_average_where_p_is_right(trials: int, p: float, strength: float) -> None:
    chance = [float(stats.binom.pmf(count, trials, p)) for count in range(trials + 1)]
    evidence = [math.exp(float(log_evidence(count, trials, p, strength))) for count in range(trials + 1)]
    assert sum(c * e for c, e in zip(chance, evidence, strict=True)) == pytest.approx(1, rel=1e-6)


def test_the_evidence_of_one_success_is_worked_by_hand() -> None:
    # beta(5, 5) around 1/2: two successes in two: (5 * 6) / (10 * 11) / (1/4) = 12/11.
    assert float(log_evidence(2, 2, 0.5, 10.0)) == pytest.approx(math.log(12 / 11))


@pytest.mark.parametrize(("count", "total"), [(0, 20), (1, 20), (19, 20), (20, 20), (0, 1), (1, 1)])
def test_the_interval_stays_inside_and_holds_the_share(count: int, total: int) -> None:
    found = bernoulli_interval(count, total)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (found.low == 0) == (count <= 1)
    assert (found.high == 1) == (count >= total - 1)
    mirrored = bernoulli_interval(total - count, total)
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


def test_it_is_about_narrowest_where_it_is_asked_to_be() -> None:
    widths = {}
    for t_opt in (100.0, 1000.0, 10_000.0):
        found = bernoulli_interval(300, 1000, t_opt=t_opt)
        widths[t_opt] = found.high - found.low
    assert min(widths, key=lambda key: widths[key]) == 1000.0


@pytest.mark.parametrize("arguments", [(-1, 10), (11, 10), (0, 0), (1, 10, 0.0), (1, 10, 0.05, 7.0)])
def test_impossible_counts_and_rates_are_refused(arguments: tuple[int, int]) -> None:
    with pytest.raises(EvidenceError):
        bernoulli_interval(*arguments)


def test_the_mixture_s_size_follows_the_optimum() -> None:
    # 100 / (2 ln 20 + ln(1 + 2 ln 20)) - 1 = 100 / 7.936154 - 1.
    assert best_strength(100, 0.05) == pytest.approx(11.60056, abs=1e-5)
