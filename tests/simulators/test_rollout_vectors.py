"""A policy of vectors over a panel, worked by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tenure.core import Box, Proposal, Step
from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProjectError
from tenure.simulators import run

from .worlds import Always, LineWalk, line_problem

STEER = replace(line_problem(), action=Box(("go", "glow"), ("places", ""), (0.0, -1.0), (2.0, 1.0)))


class Steered(LineWalk):
    """A line walked by the first number of a vector."""

    def step(self, state: Any, action: Any, rng: np.random.Generator) -> Step:
        return super().step(state, action[:, 0].astype(np.int64), rng)


@dataclass(frozen=True)
class Same:
    """One vector for ever."""

    vector: tuple[float, float]
    version: str = "same"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        n = len(observation)
        return Proposal(np.tile(self.vector, (n, 1)), np.ones(n))


def test_the_trace_holds_the_vectors_and_nan_once_a_world_has_ended() -> None:
    panel = Steered().panel("selection")
    trace = run(STEER, Steered(), Same((2.0, 0.25)), panel).trace
    labelled = run(line_problem(), LineWalk(), Always(2), panel).trace
    assert trace.action.shape == (panel.steps, 2, 2)
    assert np.array_equal(trace.alive, labelled.alive)
    assert not trace.alive.all()
    assert (trace.action[trace.alive] == [2.0, 0.25]).all()
    assert np.isnan(trace.action[~trace.alive]).all()
    assert not trace.signals["moved"][~trace.alive].any()


@pytest.mark.parametrize("vector", [(2.001, 0.0), (1.0, -1.5), (np.nan, 0.0), (1.0, -np.inf)])
def test_a_vector_out_of_bounds_or_not_finite_stops_the_run_by_name(vector: tuple[float, float]) -> None:
    with pytest.raises(ProjectError, match="policy 'same', world 0") as caught:
        run(STEER, Steered(), Same(vector), Steered().panel("selection"))
    assert caught.value.found == str(list(vector))
