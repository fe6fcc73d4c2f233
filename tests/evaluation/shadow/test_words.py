"""The first sentence in the cases a whole report seldom meets."""

from __future__ import annotations

import pytest

from tenure.core.evidence import Estimate, Verdict
from tenure.evaluation.segment_effects import SegmentEffect
from tenure.evaluation.shadow.log import Margin
from tenure.evaluation.shadow.report import KpiSegments
from tenure.evaluation.shadow.value import KpiChange, KpiEvidence
from tenure.evaluation.shadow.words import first_sentence


def estimate(value: float, half: float) -> Estimate:
    return Estimate(value, value - half, value + half, 100, 50.0, "t", "day")


def kpi(name: str, value: float, incumbent: float = 10.0) -> KpiEvidence:
    change = KpiChange("replay", incumbent, incumbent + value, estimate(value, 0.1))
    return KpiEvidence(name, "min", "lower", Margin(0.01), (change,))


def segment(rule: str, share: float, effect: float) -> SegmentEffect:
    return SegmentEffect(rule, share, estimate(effect, 0.05), "worse" if effect > 0 else "better")


def told(first: KpiEvidence, second: KpiEvidence, *rows: SegmentEffect, verdict: Verdict = Verdict.FAIL) -> str:
    segments = [KpiSegments(second.name, "trucks", "replay", rows)]
    return first_sentence(verdict, (), (), (), (first, second), segments, 10)


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ((segment("a", 0.5, 2.0),), ", all of it where a"),
        ((segment("a", 0.3, 2.0), segment("b", 0.4, 1.0)), ", all of it where a or where b"),
        ((segment("a", 0.3, 2.0), segment("b", 0.7, -1.0)), ", 60 % of it where a"),
        ((segment("a", 0.2, 2.0), segment("b", 0.8, -1.0)), ""),
        ((segment("all", 1.0, 1.0),), ""),
        ((segment("b", 0.7, -1.0),), ""),
    ],
)
def test_a_harm_is_placed_where_most_of_it_lies_and_nowhere_else(rows: tuple[SegmentEffect, ...], where: str) -> None:
    found = told(kpi("time", -1.0), kpi("trucks", 1.0), *rows)
    assert found == f"Time falls 10.0 % (9.0 to 11.0), but trucks rise 10.0 % (9.0 to 11.0){where}: hold."


def test_a_first_kpi_without_a_figure_says_why() -> None:
    lost = KpiEvidence("time", "min", "lower", None, (), "two clusters needed, found 1")
    assert told(lost, kpi("trucks", 1.0)).startswith("Time could not be valued (two clusters needed, found 1); trucks")


def test_a_figure_that_was_0_changes_by_its_own_unit() -> None:
    found = told(kpi("time", -1.0), kpi("trucks", 0.25, incumbent=0.0))
    assert ", but trucks rise by 0.25 (0.15 to 0.35): hold." in found
