"""The page of a run begins with its diagnosis, or with how to get one; it stands alone and believes nobody's text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenure.console.model import Curve, Fact, Training
from tenure.console.run import Panel, RunPage, render_run, write_run

HOSTILE = "<script>alert(1)</script>"
SCORES = (Curve(1, (10, 20), (6.0, 5.0)), Curve(2, (10, 20), (7.0, 5.5)))
ENTROPY = Panel("behaviour_entropy", "nats", "entropy of actions", "falls", (Curve(1, (10, 20), (3.0, 2.0)),))
PAGE = RunPage(
    title="bikes: training run one",
    subtitle="How many bikes.",
    diagnosis=None,
    diagnose="tenure diagnose bikes one",
    facts=(Fact("Recipe", "ppo", "2 seeds"),),
    training=Training("cost", "$", SCORES, incumbent=5.9, bound=4.0, steps_per_s=100.0),
    charts=(ENTROPY,),
    metrics=(ENTROPY, replace(ENTROPY, name="loss", told=HOSTILE)),
    missing=(),
    generated_at=datetime(2026, 3, 5, 9, tzinfo=UTC),
    command="tenure report bikes one",
)
FOUND = {
    "told": "It stays behind, since it explores too little.",
    "shape": "plateau",
    "named": "too_little_exploration",
    "causes": [
        {
            "name": "too_little_exploration",
            "evidence": HOSTILE,
            "probe": "more of it: +20 %",
            "verdict": "confirmed",
            "fix": {"words": "Raise entropy to 0.01.", "settings": {"entropy": 0.01}},
        }
    ],
    "missing": ["No bound is known."],
}


def test_the_first_lines_are_the_diagnosis_before_any_chart() -> None:
    page = render_run(replace(PAGE, diagnosis=FOUND))
    first = page.index("<svg")
    for text in (
        "It stays behind",
        "plateau",
        "too_little_exploration",
        "confirmed",
        "Raise entropy to 0.01.",
        "+20 %",
    ):
        assert page.index(text) < first
    assert "No bound is known." in page
    assert "Nobody has diagnosed" not in page


def test_without_a_diagnosis_it_says_how_to_get_one() -> None:
    page = render_run(PAGE)
    assert page.index("<code>tenure diagnose bikes one</code>") < page.index("<svg")


def test_a_run_that_is_well_names_no_cause() -> None:
    page = render_run(replace(PAGE, diagnosis=FOUND | {"named": None, "causes": [], "shape": "healthy"}))
    assert "No cause was confirmed." in page


def test_it_is_escaped_and_needs_nothing_from_outside() -> None:
    page = render_run(replace(PAGE, diagnosis=FOUND, missing=(HOSTILE,)))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") == 3
    assert "src=" not in page
    assert "@import" not in page


def test_the_score_is_drawn_beside_incumbent_and_bound_and_the_metrics_below() -> None:
    page = render_run(PAGE)
    assert page.count("<svg") == 4  # each chart for a wide and for a narrow page
    assert "seed 1 ends at 5.00" in page
    assert "incumbent" in page
    assert "bound: no policy can do better" in page
    assert "Line chart of behaviour_entropy (nats) over training steps: seed 1 from 3.00 to 2.00." in page


def test_a_run_without_metrics_says_so() -> None:
    assert "No metrics were recorded" in render_run(replace(PAGE, charts=(), metrics=()))


@pytest.mark.parametrize("scores", [((10,), (6.0,)), ((), ())])
def test_one_point_and_none_are_drawn(scores: tuple[tuple[int, ...], tuple[float, ...]], tmp_path: Path) -> None:
    training = replace(PAGE.training, curves=(Curve(1, *scores),))
    path = write_run(replace(PAGE, training=training, charts=()), tmp_path / "new" / "page.html")
    assert "<svg" in path.read_text()
