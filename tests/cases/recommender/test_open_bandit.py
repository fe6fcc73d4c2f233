"""Each real log values the other's policy; the Thompson log's answer about the uniform policy is a published oracle."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from tenure.cases.recommender.compare import (
    SHOWN,
    Direction,
    difference,
    directions,
    main,
    table,
)
from tenure.cases.recommender.data import log, week
from tenure.evaluation.off_policy.value import PolicyValue


@pytest.fixture(scope="module")
def both() -> tuple[Direction, Direction]:
    """Both directions, computed once."""
    return directions()


def test_the_uniform_policy_from_the_thompson_log_is_the_published_one(both: tuple[Direction, Direction]) -> None:
    report = both[1].report
    assert f"{report.estimate('ips').value:.5f}" == "0.00301"
    assert f"{report.estimate('snips').value:.5f}" == "0.00319"
    assert f"{report.estimate('snips').ess:.0f}" == "656"
    assert report.estimate("snips").max_weight == pytest.approx(1 / 34 / week("thompson").propensity.min())


def test_the_thompson_policy_from_the_uniform_log_by_hand(both: tuple[Direction, Direction]) -> None:
    """Weights are 34 times the item's share of its position's rows in the other log; counted here row by row."""
    shown, other = week("uniform"), week("thompson")
    count = Counter(zip(other.position.tolist(), other.item.tolist(), strict=True))
    total = Counter(other.position.tolist())
    rows = zip(shown.position.tolist(), shown.item.tolist(), strict=True)
    weight = np.array([34 * count[place, item] / total[place] for place, item in rows])
    report = both[0].report
    assert report.estimate("ips").value == pytest.approx((weight * shown.click).mean())
    assert report.estimate("snips").value == pytest.approx((weight * shown.click).sum() / weight.sum())
    assert report.estimate("snips").ess == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert report.estimate("snips").max_weight == pytest.approx(weight.max())


def test_each_log_s_own_value_is_its_click_rate(both: tuple[Direction, Direction]) -> None:
    assert [each.own.value for each in both] == [0.0069, 0.0046]


def test_no_log_contradicts_the_other(both: tuple[Direction, Direction]) -> None:
    """With both errors counted 0 lies in every difference; that is all so few clicks can say."""
    for each in both:
        for name in SHOWN:
            _, low, high = difference(each.report.estimate(name), each.own)
            assert low < 0 < high


def test_a_difference_counts_both_errors_by_hand() -> None:
    """5 (4 to 8) less 3 (1 to 4): 2, down by hypot(1, 1), up by hypot(3, 2)."""
    one, other = (PolicyValue("x", *ends, n=2, ess=2, max_weight=1) for ends in ((5.0, 4.0, 8.0), (3.0, 1.0, 4.0)))
    assert difference(one, other) == pytest.approx((2, 2 - math.sqrt(2), 2 + math.sqrt(13)))


def test_few_clicks_are_told_by_their_effective_decisions(both: tuple[Direction, Direction]) -> None:
    """n^2 / sum w^2 where weights are not normalised, (sum w)^2 / sum w^2 where they are."""
    weight = 1 / 34 / log("thompson").rows.propensity
    plain, normalised = 1e8 / float(weight @ weight), float(weight.sum() ** 2 / (weight @ weight))
    for name, due in (("ips", plain), ("snips", normalised), ("dr", plain)):
        assert both[1].report.estimate(name).method.startswith(f"Wilson at {due:,.0f} effective decisions")


def test_the_table_states_both_directions_with_their_doubt(
    both: tuple[Direction, Direction], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.cases.recommender.compare.directions", lambda: both)
    main()
    printed = capsys.readouterr().out
    assert printed == table(both) + "\n"
    for words in ("weigh as much as 656", "largest weight 178.3", "3.01 (", "3.19 (", "6.90 (", "4.60 (", "less own"):
        assert words in printed
    assert len(printed.splitlines()) == 2 + 2 * 6 - 1
