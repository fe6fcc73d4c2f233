"""The first pass: the same whatever the partition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.evaluation.logs import bandit_log

from tenure.core.logged import Logged
from tenure.evaluation.off_policy import scan
from tenure.evaluation.off_policy.scan import Sample, Scan
from tenure.evaluation.off_policy.terms import DiscreteTerms

LOG, _ = bandit_log(3000, np.random.default_rng(0), per_unit=3)


def scanned(log: Logged, *cuts: int) -> Scan:
    edges, whole = [0, *cuts, len(log)], None
    for start, stop in itertools.pairwise(edges):
        part = log.take(slice(start, stop))
        one = Scan(np.zeros(3, dtype=np.int64), np.zeros((3, 0)))
        one.update(part, *DiscreteTerms.regress(part))
        if whole is None:
            whole = one
        else:
            whole.merge(one)
    assert whole is not None
    return whole


def test_counts_and_sums_merge() -> None:
    one, many = scanned(LOG), scanned(LOG, 10, 1500, 2999)
    assert (one.n, one.taken.tolist()) == (many.n, many.taken.tolist()) == (3000, np.bincount(LOG.action).tolist())
    assert one.ridge is not None
    assert many.ridge is not None
    assert one.ridge.fitted() == pytest.approx(many.ridge.fitted(), rel=1e-9)


def test_the_sample_is_the_same_whatever_the_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SAMPLE", 500)
    one, many = scanned(LOG).sample, scanned(LOG, 700, 1400, 2100).sample
    assert one.rows is not None
    assert many.rows is not None
    assert len(one.rows) == 500
    assert sorted(one.rows.index.tolist()) == sorted(many.rows.index.tolist())


def test_the_sample_is_of_units_from_all_over_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SAMPLE", 500)
    rows = scanned(LOG).sample.rows
    assert rows is not None
    # 500 of 3,000 rows: a sixth from each sixth of the log, within 5 standard deviations of about 15.
    assert np.abs(np.histogram(rows.index, bins=6, range=(0, 3000))[0] - 500 / 6).max() < 75


def test_the_sample_takes_whole_units_but_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SAMPLE", 500)
    rows = scanned(LOG).sample.rows
    assert rows is not None
    assert np.unique(rows.unit, return_counts=True)[1].tolist().count(3) >= 166


def test_an_empty_sample_merges_into_any() -> None:
    sample = Sample()
    sample.update(LOG)
    before = sample.rows
    sample.merge(Sample())
    assert sample.rows is before


def test_box_actions_are_counted_by_their_moments() -> None:
    box = Scan(np.zeros(0, dtype=np.int64), np.zeros((3, 1)))
    action = np.random.default_rng(1).normal(3, 2, size=(500, 1))
    part = Logged(**{**vars(LOG.take(slice(0, 500))), "action": action, "labels": ()})
    box.update(part, None, np.zeros(500, dtype=np.int64))
    assert box.spread == pytest.approx(action.std(axis=0))
    assert box.ridge is None


def test_a_scan_without_a_model_takes_that_of_another() -> None:
    bare, whole = Scan(np.zeros(3, dtype=np.int64), np.zeros((3, 0))), scanned(LOG)
    bare.merge(whole)
    assert bare.ridge is whole.ridge
    assert bare.n == 3000
