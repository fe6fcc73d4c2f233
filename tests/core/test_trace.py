"""Panels and traces: steps in days, slices that are whole days or refused, KPIs of worlds that end early."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.core.reward import KPI
from tenure.core.simulator import Panel
from tenure.core.trace import DAY, Trace, bound_kpi

START = datetime(2011, 10, 1, tzinfo=UTC)


def trace(steps: int = 60, observed: bool = True) -> Trace:
    """Two worlds, an hour a step; the cost is the step."""
    step = np.repeat(np.arange(steps)[:, None], 2, axis=1)
    observation = step[:, :, None].astype(np.float32) if observed else None
    return Trace({"cost": step.astype(float)}, step, observation, ("a", "b"), START, timedelta(hours=1))


def test_only_days_covered_in_full_count() -> None:
    assert (trace(60).days(), trace(47).days(), trace(23).days()) == (2, 1, 0)


def test_steps_lie_in_periods_counted_from_the_start() -> None:
    assert np.bincount(trace(60).periods(DAY)).tolist() == [24, 24, 12]
    panel = Panel(None, 5, ("a",), START, timedelta(hours=12))
    assert panel.periods(DAY).tolist() == [0, 0, 1, 1, 2]
    assert panel.moments()[3] == START + timedelta(hours=36)


@pytest.mark.parametrize("observed", [True, False])
def test_a_slice_holds_whole_days_with_their_time(observed: bool) -> None:
    found = trace(60, observed).slice_days(1, 1)
    assert (found.steps, found.started_at, found.worlds) == (24, START + DAY, ("a", "b"))
    assert found.signals["cost"][0].tolist() == [24.0, 24.0]
    assert found.action[-1].tolist() == [47, 47]
    assert (found.observation is not None) == observed


@pytest.mark.parametrize(("first", "days"), [(-1, 1), (0, 0), (1, 2), (2, 1)])
def test_days_that_are_not_covered_are_refused(first: int, days: int) -> None:
    with pytest.raises(EvidenceError, match="days within 0 to 2"):
        trace(60).slice_days(first, days)


# Two worlds, three steps; the second ends after its first. Costs 2, 4, 3 and 6: 15 over 4 decisions, of 2 items.
ENDED = Trace(
    {"cost": np.array([[2.0, 6.0], [4.0, 0.0], [3.0, 0.0]]), "items": np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])},
    np.array([[0, 1], [2, -1], [1, -1]]),
    None,
    ("a", "b"),
    START,
    timedelta(hours=1),
)
PER_DECISION = KPI("cost", "$", "lower", {"cost": 1})
PER_ITEM = KPI("per item", "$/item", "lower", {"cost": 1}, {"items": 1})


def test_a_step_after_a_worlds_end_is_no_decision_to_divide_by() -> None:
    assert ENDED.kpi(PER_DECISION) == 15 / 4
    assert ENDED.kpi(PER_ITEM) == 15 / 2
    above, below = ENDED.kpi_parts(PER_DECISION)
    assert (above.sum(axis=0).tolist(), below.sum(axis=0).tolist()) == ([9.0, 6.0], [3.0, 1.0])
    assert math.isnan(ENDED.kpi(KPI("", "", "lower", {"cost": 1}, {"items": 0})))


def test_dying_early_makes_nothing_cheaper() -> None:
    # 40 decisions at 1.00 each against one decision at 1.50 and the end.
    lives, cost = np.zeros((40, 1), dtype=np.int64), np.ones((40, 1))
    dies, paid = np.where(np.arange(40)[:, None] > 0, -1, 0), np.where(np.arange(40)[:, None] > 0, 0.0, 1.5)
    long, short = (
        Trace({"cost": signal}, action, None, ("a",), START, timedelta(hours=1))
        for signal, action in ((cost, lives), (paid, dies))
    )
    assert (long.kpi(PER_DECISION), short.kpi(PER_DECISION)) == (1.0, 1.5)


def test_every_room_reads_the_same_kpi_of_worlds_that_end_early() -> None:
    from tenure.design.reward.conduct import Conduct
    from tenure.evaluation.comparison import _sums

    for kpi in (PER_DECISION, PER_ITEM):
        assert Conduct("x", "x", ENDED).kpi(kpi) == ENDED.kpi(kpi) == _sums(kpi, ENDED, None).ratio


def test_a_bound_per_decision_is_unknown_where_worlds_end_early() -> None:
    totals = {"cost": np.array([6.0, 6.0]), "items": np.array([1.0, 1.0])}
    whole = replace(ENDED, action=np.zeros((3, 2), dtype=np.int64))
    assert bound_kpi(PER_DECISION, totals, [whole]) == 12 / 6
    assert bound_kpi(PER_DECISION, totals, [whole, ENDED]) is None
    assert bound_kpi(PER_ITEM, totals, [whole, ENDED]) == 12 / 2
