"""The way from the incumbent to the bound: its share, and the doubt about it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.evaluation import Sums, crossed_headroom, headroom_share


def sums(cost: Floats) -> Sums:
    """Costs of one unit of work each."""
    return Sums(cost, np.ones_like(cost))


def rng() -> np.random.Generator:
    return np.random.default_rng(20260103)


def test_headroom_is_the_share_of_the_way_to_the_bound() -> None:
    assert headroom_share(100.0, 90.0, 60.0) == 0.25
    assert headroom_share(100.0, 110.0, 60.0) == -0.25
    assert headroom_share(100.0, 60.0, 60.0) == 1.0


@pytest.mark.parametrize("figures", [(100.0, 90.0, 100.0), (100.0, 90.0, 120.0), (100.0, math.nan, 60.0)])
def test_headroom_without_room_is_refused(figures: tuple[float, float, float]) -> None:
    with pytest.raises(EvidenceError, match="bound"):
        headroom_share(*figures)


def test_where_every_world_goes_the_same_share_there_is_no_doubt() -> None:
    incumbent = np.array([100.0, 60.0, 80.0])
    bound = np.array([50.0, 20.0, 70.0])
    candidate = incumbent - 0.75 * (incumbent - bound)
    found = crossed_headroom(sums(incumbent), sums(bound), sums(candidate[None]), rng())
    assert (found.value, found.low, found.high) == pytest.approx((0.75, 0.75, 0.75))
    assert (found.cluster, found.n) == ("world", 3)


def test_the_share_is_of_the_totals_and_not_the_mean_of_shares() -> None:
    found = crossed_headroom(sums(np.array([10.0, 2.0])), sums(np.zeros(2)), sums(np.array([[5.0, 2.0]])), rng())
    assert found.value == pytest.approx(5 / 12)


def test_seeds_that_differ_widen_the_interval() -> None:
    worlds = rng().normal(100, 5, 50)
    bound = worlds - 40
    alike = np.stack([worlds - 20] * 4)
    apart = np.stack([worlds - step for step in (5.0, 15.0, 25.0, 35.0)])
    same, other = (crossed_headroom(sums(worlds), sums(bound), sums(runs), rng()) for runs in (alike, apart))
    assert same.value == pytest.approx(other.value)
    assert other.high - other.low > same.high - same.low + 0.2


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # Worlds and seeds both vary; the truth is 0.6. Nominal 95 %; 60 runs below 88 % have a chance of under 2 %.
    chance, hits = rng(), 0
    for _ in range(60):
        worlds = chance.normal(100, 10, 40)
        bound = worlds - chance.normal(30, 6, 40)
        seeds = chance.normal(0.6, 0.05, 5)
        reached = worlds - seeds[:, None] * 30 - chance.normal(0, 3, (5, 40))
        found = crossed_headroom(sums(worlds), sums(bound), sums(reached), chance, draws=400)
        hits += found.low <= 0.6 <= found.high
    assert hits >= 53


def test_headroom_over_worlds_is_refused_without_room_or_with_other_worlds() -> None:
    ones = sums(np.ones(3))
    with pytest.raises(EvidenceError, match="bound"):
        crossed_headroom(ones, ones, sums(np.ones((1, 3))), rng())
    with pytest.raises(EvidenceError, match=r"crossed_headroom\(bound\)"):
        crossed_headroom(ones, sums(np.zeros(2)), sums(np.ones((1, 3))), rng())
