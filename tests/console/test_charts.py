"""Charts are text, named for those who cannot see them, and bring nothing from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tenure.console import Curve, Training
from tenure.console.charts import learning_curves, relative_changes, rollout_days

from .sample import curves, days, kpi

TRAINING = Training("cost", "$", curves(7), 2.18, 1.62, 1e5)

CHARTS: list[Callable[[str], str]] = [
    lambda label: learning_curves(TRAINING, label),
    lambda label: relative_changes((kpi(),), label),
    lambda label: rollout_days(days(), label),
]


@pytest.mark.parametrize("draw", CHARTS)
def test_a_chart_is_well_formed_and_carries_its_sentence(draw: Callable[[str], str]) -> None:
    root = ElementTree.fromstring(draw('5 < 6 & "so"'))
    assert root.get("role") == "img"
    assert root.get("aria-label") == '5 < 6 & "so"'


@pytest.mark.parametrize("draw", CHARTS)
def test_a_chart_takes_its_colours_from_the_page_and_defines_no_id(draw: Callable[[str], str]) -> None:
    svg = draw("a chart")
    assert "#0102" not in svg
    assert "var(--ink)" in svg
    assert " id=" not in svg


def test_every_seed_has_its_label_and_both_levels_are_named() -> None:
    svg = learning_curves(TRAINING, "")
    assert all(f">seed {seed}<" in svg for seed in range(7))
    assert ">incumbent<" in svg
    assert ">bound: no policy can do better<" in svg


def test_without_a_bound_no_line_is_drawn_for_it() -> None:
    assert "bound" not in learning_curves(replace(TRAINING, bound=None), "")


def test_a_score_that_is_not_finite_is_left_out() -> None:
    broken = Curve(0, (1, 2, 3), (1.0, float("nan"), 2.0))
    assert "NaN" not in learning_curves(replace(TRAINING, curves=(broken,)), "")


def test_long_curves_keep_the_page_light() -> None:
    assert len(learning_curves(replace(TRAINING, curves=curves(5, 5000)), "")) < 60_000


def test_a_changed_kpi_is_judged_in_words_inside_the_chart() -> None:
    svg = relative_changes((kpi("cost"), kpi("idle", change=0.5), kpi("moves", change=0.01)), "")
    assert "cost: \N{MINUS SIGN}10.0" in svg
    assert all(word in svg for word in (", better<", ", worse<", ", unclear<"))


def test_text_from_outside_is_escaped_in_a_chart() -> None:
    assert "<script" not in relative_changes((kpi("<script>alert(1)</script>"),), "<script>")


def test_a_kpi_without_a_relative_change_is_left_out() -> None:
    svg = relative_changes((kpi("cost"), kpi("from_nothing", incumbent=0.0)), "")
    assert "from_nothing" not in svg


def test_the_stages_are_named_over_the_days() -> None:
    svg = rollout_days(days(), "")
    assert all(name in svg for name in (">SHADOW<", ">1\xa0%<", ">10\xa0%<", ">100\xa0%<", ">ROLLED BACK<"))


def test_days_without_any_cost_show_the_share_alone() -> None:
    blind = tuple(replace(day, control=None, candidate=None) for day in days())
    svg = rollout_days(blind, "")
    assert "candidate's share" in svg
    assert "cost per unit" not in svg


def test_a_single_day_is_drawn() -> None:
    assert ">SHADOW<" in rollout_days(days()[:1], "")
