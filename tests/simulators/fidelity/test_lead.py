"""Features placed in time by what they move."""

from __future__ import annotations

import numpy as np
import pytest
from tests.simulators.fidelity.rows import rows

from tenure.core.evidence import Verdict
from tenure.simulators.fidelity.lead import Lead, leads
from tenure.simulators.fidelity.sample import Sample, sample_of

EPISODES, STEPS = 40, 72


def world(seed: int, late: int, memory: float = 0.7) -> Sample:
    """A feature that moves a signal at once, and is known so many steps late."""
    rng = np.random.default_rng(seed)
    x = np.zeros((EPISODES, STEPS + late))
    for k in range(1, STEPS + late):
        x[:, k] = memory * x[:, k - 1] + rng.normal(0, 1, EPISODES)
    y = x[:, late:] + rng.normal(0, 1, (EPISODES, STEPS))
    return sample_of(rows({"x": x[:, :STEPS].ravel()}, {"y": y.ravel()}, EPISODES), ["x"], ["y"], "episode")


@pytest.mark.parametrize("late", [1, 2, 3])
def test_a_feature_that_comes_late_in_the_log_is_found_with_its_steps(late: int) -> None:
    (found,) = leads(world(1, late), world(2, 0))
    assert (found.steps, found.partner) == (late, "y")
    assert found.finding.verdict is Verdict.FAIL


def test_a_feature_of_one_time_is_no_leak_and_neither_is_one_the_simulator_has_later() -> None:
    assert leads(world(1, 0), world(2, 0))[0].finding.verdict is Verdict.PASS
    assert leads(world(1, 0), world(2, 2))[0].finding.verdict is Verdict.PASS


def test_a_shift_that_the_halves_of_the_log_do_not_share_is_inconclusive() -> None:
    assert Lead("x", 1, "y", 0.5).finding.verdict is Verdict.INCONCLUSIVE


def test_a_feature_that_moves_nothing_is_not_placed() -> None:
    rng = np.random.default_rng(0)
    n = EPISODES * STEPS
    one, other = (
        sample_of(rows({"x": rng.normal(0, 1, n)}, {"y": rng.normal(0, 1, n)}, EPISODES), ["x"], ["y"], "episode")
        for _ in range(2)
    )
    assert leads(one, other)[0].steps == 0
