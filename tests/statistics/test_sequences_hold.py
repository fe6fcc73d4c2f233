"""Sequences looked at after every observation: 1,000 streams of each of 8 laws, 5,000 steps, two-sided, 95 %."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tenure.core.arrays import Bools, Ints
from tenure.core.evidence import Verdict
from tenure.evaluation import BettingMean
from tenure.evaluation.experiment.health import FEW, SPLIT_STRENGTH, split_p
from tenure.evaluation.gates import not_worse_if_allowed
from tenure.evaluation.sequences.asymptotic import AsymptoticMean
from tenure.evaluation.sequences.bernoulli import best_strength, log_evidence
from tenure.evaluation.sequences.quantiles import quantile_sequence

from .laws import (
    ALLOWED,
    ALPHA,
    BOUNDED,
    LAWS,
    ROWS_A_DAY,
    STEPS,
    STREAMS,
    UNBOUNDED,
    asymptotic_looks,
    bernstein_missed,
    betting_missed,
    clustered_rows,
    drawn,
    naive_looks,
    refuted,
)


@pytest.mark.parametrize("name", BOUNDED)
def test_sequences_of_bounded_values_miss_at_most_as_often_as_they_say(name: str) -> None:
    x, mean = drawn(name), LAWS[name].mean
    assert x.mean() == pytest.approx(mean, rel=0.02)
    assert int(betting_missed(x, mean).sum()) <= ALLOWED
    assert int(bernstein_missed(x, mean).sum()) <= ALLOWED
    assert int(naive_looks(x, mean).missed.sum()) > 150


@pytest.mark.parametrize("name", UNBOUNDED)
def test_the_large_sample_form_misses_at_most_as_often_as_it_says(name: str) -> None:
    x, mean = drawn(name), LAWS[name].mean
    assert x.mean() == pytest.approx(mean, abs=0.01)
    looks = asymptotic_looks(x, mean)
    assert int(looks.missed.sum()) <= ALLOWED
    assert looks.refused == 0
    assert int(naive_looks(x, mean).missed.sum()) > 150


@pytest.mark.parametrize(("name", "least"), [("Bernoulli .002", 500), ("Bernoulli .01", 150)])
def test_the_large_sample_form_refuses_a_rare_event_that_it_would_miss(name: str, least: int) -> None:
    x, mean = drawn(name), LAWS[name].mean
    assert int(asymptotic_looks(x, mean, forced=True).missed.sum()) > least
    own = asymptotic_looks(x, mean)
    assert int(own.missed.sum()) <= ALLOWED
    assert own.refused > 0.99
    sequence = AsymptoticMean()
    sequence.update(x[:, 0])
    assert not_worse_if_allowed("g", sequence.estimate, 0.1, "x").verdict is Verdict.INCONCLUSIVE


def test_a_weight_that_has_not_come_yet_is_in_no_sample_s_skewness() -> None:
    """Why importance-weighted rewards are bounded by betting: nothing refuses here before the first large weight."""
    x, mean = drawn("importance-weighted up to 25"), LAWS["importance-weighted up to 25"].mean
    assert int(asymptotic_looks(x, mean).missed.sum()) > ALLOWED


def test_an_interval_by_row_fails_on_a_clustered_law() -> None:
    rows = clustered_rows(np.random.default_rng(20260103), STEPS // ROWS_A_DAY, STREAMS)
    by_row = asymptotic_looks(rows.reshape(STEPS, STREAMS), 0.0)
    assert int(by_row.missed.sum()) > 400
    within = np.corrcoef(rows[:, 0].ravel(), rows[:, 1].ravel())[0, 1]
    assert within == pytest.approx(0.45, abs=0.01)


@pytest.mark.parametrize(("looks", "alarms"), [(10, 0.193), (20, 0.248), (100, 0.374)])
def test_a_naive_interval_raises_false_alarms_with_every_look(looks: int, alarms: float) -> None:
    # Armitage, McPherson and Rowe (1969), table 2; looks equally far apart.
    walk = np.random.default_rng(20260104).standard_normal((looks, 20_000)).cumsum(axis=0)
    z = np.abs(walk) / np.sqrt(np.arange(1, looks + 1))[:, None]
    found = (z > stats.norm.ppf(1 - ALPHA / 2)).any(axis=0).mean()
    assert found == pytest.approx(alarms, abs=4 * math.sqrt(alarms * (1 - alarms) / 20_000))


def ever(count: Ints, p: float, strength: float, alpha: float, first: int = 1) -> Bools:
    """Which streams of running counts refuted p at the first look or later; [steps, streams]."""
    n = np.arange(first, len(count) + 1)[:, None]
    return np.asarray((log_evidence(count[first - 1 :], n, p, strength) >= -math.log(alpha)).any(axis=0))


@pytest.mark.parametrize("p", [0.5, 0.01])
def test_the_bernoulli_sequence_holds(p: float) -> None:
    count = (np.random.default_rng(20260105).random((STEPS, STREAMS)) < p).cumsum(axis=0)
    assert int(ever(count, p, best_strength(100, ALPHA), ALPHA).sum()) <= ALLOWED


def test_the_quantile_sequence_holds() -> None:
    # The interval holds the quantile exactly where the count at or below it is not refuted.
    x = np.random.default_rng(20260106).gamma(4.0, size=(STEPS, STREAMS))
    below = (x <= stats.gamma.ppf(0.9, 4.0)).cumsum(axis=0)
    assert int(ever(below, 0.9, best_strength(1000, ALPHA), ALPHA).sum()) <= ALLOWED


def test_the_shipped_quantile_interval_holds_with_ties_at_looks_of_its_own() -> None:
    x = np.random.default_rng(20260106).integers(0, 10, size=(200, 1000))
    looks = (10, 30, 100, 300, 1000)
    missed = 0
    for stream in x:
        found = [quantile_sequence(stream[:n].astype(float), 0.75, t_opt=100) for n in looks]
        missed += any(not one.low <= 7 <= one.high for one in found)
    assert missed <= 21  # of 200; more have a probability of about .001 at 5 %


def exact_alarms(share: float, alpha: float) -> Bools:
    """By the exact binomial test: which counts of n units alarm while an arm expects fewer than ten; [n + 1, n + 1]."""
    last = math.ceil(FEW / min(share, 1 - share)) - 1
    alarms = np.zeros((last + 1, last + 1), dtype=bool)
    for n in range(1, last + 1):
        alarms[n, : n + 1] = [split_p(count, n, share)[0] < alpha for count in range(n + 1)]
    return alarms


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_split_without_a_mismatch_hardly_ever_alarms_at_all_looks_together(share: float) -> None:
    # 20,000 splits of 2,000 units, looked at after every unit; the exact test, for one look, is what adds alarms.
    rng, exact = np.random.default_rng(20260107), exact_alarms(share, 0.001)
    first = len(exact)
    late, ever_at_all = 0, 0
    for _ in range(10):
        count = (rng.random((2000, 2000)) < share).cumsum(axis=0)
        sequential = ever(count, share, SPLIT_STRENGTH, 0.001, first)
        early = exact[np.arange(1, first)[:, None], count[: first - 1]].any(axis=0)
        late += int(sequential.sum())
        ever_at_all += int((sequential | early).sum())
    assert late <= 35  # an error of exactly .001 exceeds that with a probability of about .0005
    assert ever_at_all <= 160  # .8 %


@pytest.mark.parametrize(("name", "least"), [(name, 100 if ".002" in name else 500) for name in BOUNDED])
def test_a_sequence_finds_a_mean_that_is_twice_the_null(name: str, least: int) -> None:
    x, mean = drawn(name, 20260108), LAWS[name].mean
    assert int(refuted(x, mean / 2, ALPHA).sum()) >= least


def test_an_upward_drift_that_never_leaves_the_null_is_no_false_alarm() -> None:
    rng = np.random.default_rng(20260109)
    rising = np.linspace(0.2, 0.5, STEPS)[:, None]
    x = (rng.random((STEPS, STREAMS)) < rising).astype(float)
    assert int(refuted(x, 0.5, ALPHA).sum()) <= ALLOWED


def test_the_shipped_betting_sequence_is_the_one_tested_here() -> None:
    x, mean = drawn("beta(2, 5)", 20260106, 300, 8), LAWS["beta(2, 5)"].mean
    for null in (mean / 1.5, mean):
        expected = refuted(x, null, ALPHA / 2).tolist()
        found = []
        for stream in x.T:
            both = BettingMean(0, 1, ALPHA, null=null, points=10)
            both.update(stream)
            found.append(both.lower.rejects(null))
        assert found == expected
    assert not all(expected)


def test_the_shipped_large_sample_form_is_the_one_tested_here() -> None:
    x = drawn("gamma(4)", 20260106, 400, 30)
    misses, width = [], []
    for stream in x.T:
        mean, missed = AsymptoticMean(), False
        mean.update(stream[:199])
        for value in stream[199:]:
            mean.update(float(value))
            found = mean.estimate()
            missed |= not found.low <= 3.6 <= found.high
        misses.append(missed)
        width.append(found.high - found.low)
    looks = asymptotic_looks(x, 3.6)
    assert misses == looks.missed.tolist()
    assert any(misses)
    assert looks.width == pytest.approx(float(np.median(width)))
