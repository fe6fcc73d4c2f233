"""Figures as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tenure.console import words


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (0.0, "0.00"), (1500, "1,500"), (0.5, "0.500"), (-3.14159, "\N{MINUS SIGN}3.14"), (123.456, "123.5")],
)
def test_a_number_has_about_three_significant_digits(value: float, written: str) -> None:
    assert words.number(value) == written


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_unknown_is_a_word_and_never_a_zero(value: float | None) -> None:
    assert words.number(value) == words.percent(value) == "not known"


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert words.percent(-0.0001, signed=True) == f"0.0{words.NARROW}%"
    assert words.number(-0.0000000001) == "0.00000000"


def test_an_interval_shows_both_signs() -> None:
    assert words.span(-1.5, 0.25) == "\N{MINUS SIGN}1.50 to +0.250"


def test_whole_figures_are_rounded_and_unknown_ones_named() -> None:
    assert words.wholes(104_312.4) == "104,312"
    assert words.wholes(float("nan")) == "not known"


def test_a_moment_and_a_share_are_short() -> None:
    assert words.moment(datetime(2011, 10, 1, 8, 0, 5, 99, tzinfo=UTC)) == "2011-10-01 08:00:05"
    assert words.share_name(0.01) == f"1{words.NARROW}%"
    assert words.share_name(0.125) == f"12.5{words.NARROW}%"
