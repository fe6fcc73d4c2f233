"""Empirical-Bernstein sequence: the paper's formulas once more in a plain loop, and its refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.sequences.bernstein import BernsteinMean


def plain(x: list[float], alpha: float) -> tuple[float, float]:
    """Waudby-Smith and Ramdas (2023), theorem 2 and equation 15, word for word, with the running intersection."""
    low, high, weights, weighted, spent = 0.0, 1.0, 0.0, 0.0, 0.0
    means, variances = [0.5], [0.25]
    for t in range(1, len(x) + 1):
        weight = min(math.sqrt(2 * math.log(2 / alpha) / (variances[-1] * t * math.log(t + 1))), 0.5)
        v = 4 * (x[t - 1] - means[-1]) ** 2
        psi = (-math.log(1 - weight) - weight) / 4
        weights, weighted, spent = weights + weight, weighted + weight * x[t - 1], spent + v * psi
        means.append((0.5 + sum(x[:t])) / (t + 1))
        variances.append((0.25 + sum((x[i] - means[i + 1]) ** 2 for i in range(t))) / (t + 1))
        radius = (math.log(2 / alpha) + spent) / weights
        low, high = max(low, weighted / weights - radius), min(high, weighted / weights + radius)
    return low, high


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_bounds_equal_the_paper_s_formulas(alpha: float) -> None:
    x = np.random.default_rng(3).beta(2, 5, 400)
    sequence = BernsteinMean(-1, 3, alpha)
    for value in x:
        sequence.update(-1 + 4 * float(value))
    low, high = plain(x.tolist(), alpha)
    assert 0 < low < 2 / 7 < high < 1
    assert (sequence.low, sequence.high) == pytest.approx((-1 + 4 * low, -1 + 4 * high))
    assert sequence.mean == pytest.approx(-1 + 4 * x.mean())


def test_streams_side_by_side_are_the_same_as_each_alone() -> None:
    x = np.random.default_rng(4).random((50, 3))
    together, alone = BernsteinMean(0, 1), [BernsteinMean(0, 1) for _ in range(3)]
    for row in x:
        together.update(row)
        for sequence, value in zip(alone, row, strict=True):
            sequence.update(float(value))
    assert np.asarray(together.high) == pytest.approx([sequence.high for sequence in alone])


def test_an_observation_out_of_bounds_is_refused_and_changes_nothing() -> None:
    sequence = BernsteinMean(0, 1)
    for wrong in (1.1, -0.1, math.nan, np.array([0.5, 2.0])):
        with pytest.raises(EvidenceError):
            sequence.update(wrong)
    assert sequence.n == 0
    assert math.isnan(float(sequence.mean))
    assert (sequence.low, sequence.high) == (0, 1)


@pytest.mark.parametrize("arguments", [(1.0, 1.0, 0.05), (0.0, math.inf, 0.05), (0.0, 1.0, 1.0)])
def test_impossible_arguments_are_refused(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(EvidenceError):
        BernsteinMean(*arguments)


def test_an_estimate_needs_observations_around_one_mean() -> None:
    sequence = BernsteinMean(0, 1)
    with pytest.raises(EvidenceError):
        sequence.estimate()
    for x in [0.0] * 2000:
        sequence.update(x)
    found = sequence.estimate("day")
    assert (found.value, found.low, found.cluster) == (0.0, 0.0, "day")
    assert found.high < 0.05
    for x in [1.0] * 20_000:
        sequence.update(x)
    with pytest.raises(EvidenceError):
        sequence.estimate()
