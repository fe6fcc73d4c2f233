"""Quantile sequence: ranks against a search over every count, ties, and too few numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.errors import EvidenceError
from tenure.evaluation.sequences.bernoulli import best_strength
from tenure.evaluation.sequences.quantiles import quantile_sequence, rank_bounds
from tenure.evaluation.tails import quantile_interval


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@given(st.integers(1, 300), st.floats(0.02, 0.98))
def test_ranks_are_the_first_and_last_counts_not_refuted(n: int, q: float) -> None:
    strength = best_strength(200, 0.1)
    a, b = strength * q, strength * (1 - q)
    kept = [
        count
        for count in range(n + 1)
        if log_beta(count + a, n - count + b) - log_beta(a, b) - count * math.log(q) - (n - count) * math.log(1 - q)
        < math.log(10) - 1e-9
    ]
    fewest, most = rank_bounds(n, q, 0.1, 200)
    assert (fewest, most) == (kept[0], kept[-1])


def test_the_interval_is_between_the_order_statistics_and_wider_than_for_one_look() -> None:
    x = np.random.default_rng(5).permutation(np.arange(1.0, 1001))
    found, once = quantile_sequence(x, 0.9), quantile_interval(x, 0.9)
    fewest, most = rank_bounds(1000, 0.9, 0.05, 1000.0)
    assert (found.value, found.low, found.high) == (900.0, fewest, most + 1)
    assert found.low < once.low < once.high < found.high


def test_too_few_numbers_leave_an_end_open() -> None:
    found = quantile_sequence(np.arange(20.0), 0.99)
    assert found.high == math.inf
    assert quantile_sequence(np.array([1.0]), 0.5).low == -math.inf


def test_ties_are_no_trouble() -> None:
    found = quantile_sequence(np.repeat([1.0, 2.0], 500), 0.25)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("arguments", [([], 0.5), ([1.0, math.nan], 0.5), ([1.0], 1.0), ([1.0], 0.5, 0.0)])
def test_impossible_arguments_are_refused(arguments: tuple[list[float], float]) -> None:
    with pytest.raises(EvidenceError):
        quantile_sequence(np.array(arguments[0]), *arguments[1:])
    with pytest.raises(EvidenceError):
        rank_bounds(0, 0.5, 0.05, 100)
