"""Every metric is explained: in the table, and row by row in docs/metrics.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.tiny import Tiny

from tenure.training.metrics import METRICS, metric_of

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


@pytest.mark.parametrize("name", METRICS)
def test_the_docs_say_of_every_metric_what_it_is_and_what_is_normal(name: str) -> None:
    metric = METRICS[name]
    row = f"| `{name}` | {metric.unit} | {metric.told} | {metric.normal} | {metric.otherwise} |"
    assert row in PAGE.read_text().splitlines()


def test_the_docs_name_no_metric_that_is_not_measured() -> None:
    named = [line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert named == list(METRICS)


def test_a_term_and_a_kpi_have_the_meaning_of_their_family() -> None:
    assert metric_of("term/lost") is METRICS["term/NAME"]
    assert metric_of("kpi/cost") is METRICS["kpi/NAME"]
    with pytest.raises(KeyError):
        metric_of("surprise")


def test_every_metric_that_a_run_measures_is_in_the_table(tiny: Tiny) -> None:
    measured = {name for seed in tiny.record.seeds for point in seed.curve for name in point.metrics}
    assert {metric_of(name).unit for name in measured}
    assert {"reward_mean", "term/lost_rentals", "kpi/cost", "gradient_norm", "explored", "train_score"} <= measured
