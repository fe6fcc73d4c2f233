"""Passes over a log in this process."""

from __future__ import annotations

import numpy as np
import pytest
from tests.evaluation.logs import bandit_log

from tenure.core.logged import Logged, LoggedTable
from tenure.evaluation.off_policy.passes import local

LOG, _ = bandit_log(1000, np.random.default_rng(0))


def first(batch: Logged) -> int:
    return int(batch.index[0])


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_come_in_the_order_of_the_log(workers: int) -> None:
    assert list(local(LoggedTable(LOG, 90), workers)(first)) == list(range(0, 1000, 90))


def test_a_pass_can_be_made_again() -> None:
    each = local(LoggedTable(LOG, 500))
    assert list(each(len)) == list(each(len)) == [500, 500]


def test_an_error_reaches_the_caller() -> None:
    def broken(batch: Logged) -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(local(LoggedTable(LOG, 100))(broken))
