"""Scores over few seeds: the interquartile mean, with a stratified bootstrap interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import trim_mean

from tenure.core.arrays import Floats

RESAMPLES = 2_000
"""Bootstrap samples, as many as Agarwal et al. (2021) take."""


@dataclass(frozen=True)
class Score:
    """An interquartile mean with its interval, in the unit of its values."""

    value: float
    low: float
    high: float


def interquartile_mean(values: Floats) -> float:
    """Mean of the middle half: a quarter, rounded down, is cut off at either end; of three values, of all.

    >>> interquartile_mean(np.array([0.0, 1.0, 2.0, 99.0]))
    1.5
    """
    return float(trim_mean(values, 0.25, axis=None))


def score(strata: Sequence[Floats], seed: int = 0, alpha: float = 0.05) -> Score:
    """The interquartile mean over all runs, with its percentile interval from resampling runs within each stratum.

    Three runs make a rough interval: it can be no wider than their range.

    Args:
        strata: values of the runs of each task; one array in a race on one problem.
        seed: of the resampling.
        alpha: error rate.

    Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice".
    """
    rng = np.random.default_rng(seed)
    drawn = [values[rng.integers(0, len(values), (RESAMPLES, len(values)))] for values in strata]
    means = trim_mean(np.concatenate(drawn, axis=1), 0.25, axis=1)
    low, high = np.quantile(means, [alpha / 2, 1 - alpha / 2])
    return Score(interquartile_mean(np.concatenate(list(strata))), float(low), float(high))
