"""Intervals of shares at an effective number of decisions."""

from __future__ import annotations

import pytest
from scipy import stats

from tenure.core.errors import EvidenceError
from tenure.evaluation.grouped import Ends
from tenure.evaluation.off_policy.proportions import effective_wilson, share_interval


@pytest.mark.parametrize(("ones", "n"), [(0, 30), (3, 656), (12, 40), (40, 40)])
def test_at_a_plain_count_it_is_wilsons_interval(ones: int, n: int) -> None:
    exact = stats.binomtest(ones, n).proportion_ci(0.95, method="wilson")
    assert effective_wilson(ones / n, n) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_the_published_interval_is_met() -> None:
    """15 of 148: .0624 to .1605; Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    assert effective_wilson(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)


def test_estimates_outside_zero_and_one_get_an_interval_of_shares() -> None:
    assert effective_wilson(-0.01, 100) == effective_wilson(0.0, 100)
    assert effective_wilson(1.2, 100)[1] == 1.0


@pytest.mark.parametrize(("n", "alpha"), [(0.0, 0.05), (10.0, 0.0)])
def test_arguments_out_of_range_are_refused(n: float, alpha: float) -> None:
    with pytest.raises(EvidenceError):
        effective_wilson(0.1, n, alpha)


@pytest.mark.parametrize(("share", "n", "own"), [(0.1, 299, False), (0.1, 301, True), (0.9, 299, False)])
def test_thirty_effective_events_have_a_spread_of_their_own(share: float, n: float, own: bool) -> None:
    spread = Ends(share, share - 0.01, share + 0.01, "its own")
    found = share_interval(spread, n)
    assert (found is spread) is own
    assert own or found.method.startswith("Wilson at 299")
