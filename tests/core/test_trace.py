"""Panels and traces: which step lies in which day, and slices that are whole days or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.core.simulator import Panel
from tenure.core.trace import DAY, Trace

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
