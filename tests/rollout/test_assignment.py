"""Draws: uniform, sticky, monotone in the share, and independent of every other salt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tenure.rollout import draw, gets_candidate

UNITS = [f"district-{number % 20:02d}/{number // 20}" for number in range(20_000)]
DRAWS = np.array([draw("salt", "arm", unit) for unit in UNITS])


def test_draws_are_uniform() -> None:
    """Chi-square over 100 cells, one fixed salt; a uniform draw would fail it for 1 salt in 1,000."""
    assert ((DRAWS >= 0) & (DRAWS < 1)).all()
    cells = np.bincount((DRAWS * 100).astype(int), minlength=100)
    assert stats.chisquare(cells).pvalue > 0.001


def test_a_unit_keeps_its_draw() -> None:
    assert [draw("salt", "arm", unit) for unit in UNITS[:100]] == DRAWS[:100].tolist()
    assert draw("bikes-2011", "arm", "district-07/2011-10-03") == 0.31516029055138417


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_share_lies_in_the_binomial_band(share: float) -> None:
    """The band leaves 1 in 1,000 salts outside."""
    got = sum(gets_candidate("salt", unit, share) for unit in UNITS)
    low, high = stats.binom.interval(0.999, len(UNITS), share)
    assert low <= got <= high


def test_the_candidate_keeps_its_units_as_the_share_grows() -> None:
    shares = [0.0, 0.01, 0.1, 1.0]
    groups = [{unit for unit in UNITS if gets_candidate("salt", unit, share)} for share in shares]
    assert groups[0] == set()
    assert groups[0] < groups[1] < groups[2] < groups[3] == set(UNITS)


def test_another_salt_splits_independently() -> None:
    """Fisher's exact test on the two splits at 10 %; independent salts fail it for 1 pair in 1,000."""
    mine, other = DRAWS < 0.1, np.array([gets_candidate("other", unit, 0.1) for unit in UNITS])
    table = np.array([[(a & b).sum() for b in (other, ~other)] for a in (mine, ~mine)])
    assert table.sum() == len(UNITS)
    assert stats.fisher_exact(table).pvalue > 0.001


def test_ids_are_kept_apart() -> None:
    assert draw("salt", "ab", "c") != draw("salt", "a", "bc")
    assert draw("salt", "arm", "u") != draw("salt", "explore", "u")
