"""Chance as a function of world and step: equal inside and outside a batch, even, and apart wherever it should be."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.chance import uniform

N = 100_000


def test_a_world_meets_the_same_draw_in_any_batch() -> None:
    worlds, steps = np.arange(50), np.full(50, 7)
    batch = uniform(worlds, steps, 2)
    single = [uniform(worlds[[row]], steps[[row]], 2)[0] for row in range(50)]
    assert batch.tolist() == single


@pytest.mark.parametrize("vary", ["world", "step", "use"])
def test_draws_are_even_and_unrelated_along_every_axis(vary: str) -> None:
    """Mean 1/2, variance 1/12 and no correlation of neighbours, each within four standard errors."""
    count, still = np.arange(N), np.full(N, 5)
    if vary == "use":
        draws = np.array([uniform(still[:1], still[:1], use)[0] for use in range(20_000)])
    else:
        draws = uniform(count, still, 0) if vary == "world" else uniform(still, count, 0)
    error = len(draws) ** -0.5
    assert draws.min() >= 0
    assert draws.max() < 1
    assert draws.mean() == pytest.approx(0.5, abs=4 * error * 12**-0.5)
    assert draws.var() == pytest.approx(1 / 12, abs=4 * error * (1 / 180) ** 0.5)
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 4 * error


def test_two_worlds_of_any_two_steps_share_no_stream() -> None:
    """Worlds and steps are not interchangeable: world 3 at step 4 is not world 4 at step 3."""
    one, other = np.meshgrid(np.arange(300), np.arange(300))
    draws = uniform(one.ravel(), other.ravel(), 0)
    assert len(np.unique(draws)) == len(draws)
