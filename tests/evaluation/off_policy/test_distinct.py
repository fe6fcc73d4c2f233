"""Counting different units in constant memory."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.evaluation.off_policy.distinct import KEPT, Distinct


def counted(*batches: np.ndarray) -> Distinct:
    distinct = Distinct()
    for batch in batches:
        distinct.update(batch.astype(np.uint64))
    return distinct


def test_few_units_are_counted_exactly() -> None:
    assert counted(np.arange(1000), np.arange(500, 1500)).count == 1500
    assert counted().count == 0


def test_many_units_are_counted_within_five_percent() -> None:
    # One standard error is 1 / sqrt(4,094), 1.6 %.
    distinct = counted(*np.split(np.arange(1_000_000), 10))
    assert distinct.count == pytest.approx(1_000_000, rel=0.05)
    assert len(distinct.smallest) == KEPT


def test_merging_is_the_same_as_one_pass() -> None:
    one, other = counted(np.arange(60_000)), counted(np.arange(40_000, 100_000))
    one.merge(other)
    assert (one.smallest == counted(np.arange(100_000)).smallest).all()
