"""The one-line answer to how many more decisions would settle a question."""

from __future__ import annotations

import math

import pytest

from tenure.core.errors import EvidenceError
from tenure.evaluation.sequences.boundaries import decisions_to_settle
from tenure.evaluation.settling import rounded, settling_sentence


@pytest.mark.parametrize(
    ("more", "per_day", "sentence"),
    [
        (
            4183,
            350,
            "about 4,200 more decisions (12 days at today's traffic) would settle this, if the difference stays",
        ),
        (4183, None, "about 4,200 more decisions would settle this, if the difference stays"),
        (3, 100, "about 3 more decisions (1 day at today's traffic) would settle this, if the difference stays"),
        (0, 10, "this is settled"),
        (None, 10, "no number of decisions settles a difference of exactly the margin"),
    ],
)
def test_the_sentence(more: int | None, per_day: float | None, sentence: str) -> None:
    assert settling_sentence(more, per_day) == sentence


def test_it_takes_what_decisions_to_settle_gives() -> None:
    exact = decisions_to_settle(mean=-0.05, sd=0.3, margin=0.05)
    assert settling_sentence(exact, unit="units") == "no number of units settles a difference of exactly the margin"
    sixty = decisions_to_settle(mean=0.05, sd=0.3, margin=0.05)
    assert settling_sentence(sixty, per_day=30).startswith("about 60 more decisions (2 days")


@pytest.mark.parametrize(("count", "told"), [(7, 7), (99, 99), (104, 100), (125_000, 120_000), (1_999_999, 2_000_000)])
def test_two_digits_are_told(count: int, told: int) -> None:
    assert rounded(count) == told


@pytest.mark.parametrize(("more", "per_day"), [(-1, None), (5, 0.0), (5, math.nan), (5, math.inf)])
def test_impossible_figures_are_refused(more: int, per_day: float | None) -> None:
    with pytest.raises(EvidenceError):
        settling_sentence(more, per_day)
