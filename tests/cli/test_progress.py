"""A training shows where its scores stand between incumbent and bound, and how many actions each seed still takes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tenure.cli.output import Output
from tenure.cli.progress import HEIGHT, WIDTH, Curves, latest, plot, sparkline, watching
from tenure.cli.workspace import open_workspace
from tenure.training import Progress
from tenure.training.record import CurvePoint


def point(score: float, share: float = 0.25) -> CurvePoint:
    return CurvePoint(steps=10, gradient_steps=1, seconds=1.0, score=score, most_taken_share=share, entropy=1.5)


def test_every_seed_stands_at_the_height_of_its_score_between_the_named_levels() -> None:
    lines = plot({1: [8.0, 2.0], 12: [5.0]}, {"incumbent": 8.0, "bound": 2.0})
    assert len(lines) == HEIGHT
    assert lines[0].startswith("         8 1-")
    assert lines[0].endswith("- incumbent")
    assert lines[-1].startswith("         2 -1")
    assert lines[-1].endswith("- bound")
    assert [at for at, line in enumerate(lines) if "2" in line[11:]] == [4]  # half way, its last digit


def test_a_bad_start_does_not_flatten_what_matters() -> None:
    lines = plot({1: [100.0, 2.0, 1.0]}, {})
    assert [at for at, line in enumerate(lines) if "1" in line[11:]] == [0, 6, 7]


def test_a_long_curve_keeps_its_last_point_and_fits() -> None:
    kept = latest(list(range(1000)))
    assert len(kept) <= WIDTH
    assert kept[-1] == 999


def test_a_flat_curve_is_drawn_flat_and_what_lies_out_of_range_at_the_edge() -> None:
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([-1.0, 9.0], 0.0, 1.0) == "▁█"


def test_each_seed_says_its_entropy_and_its_most_taken_action() -> None:
    curves = Curves("cost", {"incumbent": 5.0})
    curves.update(2, point(4.0, 0.5))
    assert "seed 2  entropy ▁ 1.50 nats  most taken action ▅ 50.0 %" in str(curves.__rich__())


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_sees_the_plot_and_a_log_file_plain_lines(terminal: bool, tmp_path: Path) -> None:
    output, written, news = Output(json=False), io.StringIO(), list[int]()
    output.console = Console(file=written, force_terminal=terminal, width=160, highlight=False, color_system=None)
    with watching(output, open_workspace("bikes", tmp_path), (1,), lambda: news.append(1)) as watch:
        watch(Progress(1, 0.5, point(7.0)))
        watch(Progress(1, 1.0, point(5.5)))
    told = written.getvalue()
    assert ("cost on the selection data" in told) is terminal
    assert ("- incumbent" in told) is terminal
    assert ("seed 1, 50.0 %: cost 7.000 (incumbent 5.946, bound 4.010); entropy 1.50" in told) is not terminal
    assert news == [1, 1]
