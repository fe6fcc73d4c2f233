"""Steps per second by a clock that is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core import ManualClock, Step
from tenure.core.arrays import Ints
from tenure.core.errors import EvidenceError
from tenure.simulators import steps_per_second

from .worlds import Line, LineWalk, WalledWalk, line_problem


class Slow(WalledWalk):
    """Each step of the batch takes a quarter of a second; no step leaves the line."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        assert ((state.position > -3) & (state.position < 3)).all()
        self.clock.advance(timedelta(seconds=0.25))
        return super().step(state, action, rng)


def test_world_steps_are_divided_by_the_time_they_took() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert steps_per_second(line_problem(), Slow(clock), n=10, steps=40, clock=clock) == 40.0


def test_a_clock_that_stands_still_gives_no_figure() -> None:
    with pytest.raises(EvidenceError, match="more steps"):
        steps_per_second(line_problem(), LineWalk(), 2, 2, ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
