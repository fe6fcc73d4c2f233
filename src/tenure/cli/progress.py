"""What a long work shows while it goes on: a bar for each part, and the curves of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from tenure.cli.judge import bound_totals, simulate
from tenure.cli.output import Output, percent
from tenure.cli.workspace import Workspace
from tenure.core.trace import bound_kpi

WIDTH, HEIGHT = 60, 8
"""Columns and rows of the plot in the terminal."""
BLOCKS = "▁▂▃▄▅▆▇█"


def progress_bar(output: Output) -> Progress:
    """The bar all long work uses."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(28), TextColumn("{task.percentage:>4.0f} %"))
    return Progress(*columns, TextColumn("{task.fields[note]}"), TimeElapsedColumn(), console=output.console)


class Curves:
    """The curves of a training for a terminal: all scores in one plot, and below it what each seed does.

    Args:
        kpi: name of the first KPI.
        levels: scores to compare with, by name: the incumbent's, and the bound's where one is known.
    """

    def __init__(self, kpi: str, levels: dict[str, float]) -> None:
        self.kpi, self.levels = kpi, levels
        self.scores: dict[int, list[float]] = {}
        self.entropy: dict[int, list[float]] = {}
        self.most_taken: dict[int, list[float]] = {}

    def update(self, seed: int, point: Any) -> None:
        """One more point of a seed's curve."""
        for kept, value in (
            (self.scores, point.score),
            (self.entropy, point.entropy),
            (self.most_taken, point.most_taken_share),
        ):
            kept.setdefault(seed, []).append(value)

    def __rich__(self) -> Text:
        if not self.scores:
            return Text("")
        return Text("\n".join([f"{self.kpi} on the selection data", *plot(self.scores, self.levels), *self.below()]))

    def below(self) -> list[str]:
        """A line for each seed: how many actions it still takes."""
        return [
            f"seed {seed}  entropy {sparkline(self.entropy[seed])} {self.entropy[seed][-1]:.2f} nats"
            f"  most taken action {sparkline(self.most_taken[seed], 0.0, 1.0)} {percent(self.most_taken[seed][-1])}"
            for seed in sorted(self.scores)
        ]


def plot(scores: dict[int, list[float]], levels: dict[str, float]) -> list[str]:
    """Scores over checkpoints, each seed's last digit at its place, between named levels; a line of text per row.

    >>> print("\\n".join(plot({1: [4.0, 2.0]}, {"bound": 1.0})))
             4 1
             |
             |
             |
             |
             |  1
             |
             1 ------------------------------------------------------------ bound
    """
    shown = [score for curve in scores.values() for score in curve] + list(levels.values())
    low, high = min(shown), max(shown)
    place = _place(low, high)
    rows = [[" "] * WIDTH for _ in range(HEIGHT)]
    names = [""] * HEIGHT
    for name, level in levels.items():
        rows[place(level)], names[place(level)] = ["-"] * WIDTH, f" {name}"
    for seed, curve in sorted(scores.items()):
        for column, score in enumerate(latest(curve)):
            rows[place(score)][column] = str(seed % 10)
    ends = {0: f"{high:.4g}", HEIGHT - 1: f"{low:.4g}"}
    return [f"{ends.get(at, '|'):>10} {''.join(row)}{names[at]}".rstrip() for at, row in enumerate(rows)]


def _place(low: float, high: float) -> Callable[[float], int]:
    """From a score to its row, the highest first; by logarithms where an untrained start would flatten the rest."""
    scale = math.log if low > 0 and high > 5 * low else float
    span = scale(high) - scale(low) or 1.0
    return lambda score: round((HEIGHT - 1) * (scale(high) - scale(score)) / span)


def latest(curve: Sequence[float]) -> Sequence[float]:
    """A curve in at most as many columns as the plot has: the last of equally many points each."""
    each = math.ceil(len(curve) / WIDTH)
    return curve[::-1][::each][::-1] if each else curve


def sparkline(curve: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """The last values as blocks, from `low` to `high`; without them from the least to the greatest of all.

    >>> sparkline([0.0, 1.0, 2.0]), sparkline([0.5], 0.0, 1.0)
    ('▁▅█', '▅')
    """
    low, high = min(curve) if low is None else low, max(curve) if high is None else high
    top, span = len(BLOCKS) - 1, (high - low) or 1.0
    return "".join(BLOCKS[min(top, max(0, math.ceil(top * (value - low) / span)))] for value in curve[-20:])


@contextmanager
def watching(
    output: Output, workspace: Workspace, seeds: tuple[int, ...], news: Callable[[], None]
) -> Iterator[Callable[[Any], None]]:
    """Shows each seed's bar and curves beside incumbent and bound; gives what to call with each point.

    Where the output is no terminal, a line at each quarter of a seed's steps.

    Args:
        output: where it is shown.
        workspace: of the project.
        seeds: that are trained.
        news: called at each point.
    """
    bar, (kpi, levels) = progress_bar(output), compared(workspace)
    curves = Curves(kpi, levels)
    against = ", ".join(f"{name} {level:.3f}" for name, level in levels.items())
    tasks: dict[int, TaskID] = {seed: bar.add_task(f"seed {seed}", total=1.0, note=against) for seed in seeds}

    def watch(progress: Any) -> None:
        news()
        curves.update(progress.seed, progress.point)
        note = f"{kpi} {progress.point.score:.3f} ({against}){_doing(progress.point)}"
        before = bar.tasks[tasks[progress.seed]].completed
        bar.update(tasks[progress.seed], completed=progress.share, note=note)
        if not bar.console.is_terminal and int(4 * progress.share) > int(4 * before):  # a log file sees no bar
            bar.console.print(f"seed {progress.seed}, {percent(progress.share)}: {note}", highlight=False)

    terminal = output.console.is_terminal
    with Live(Group(bar, curves), console=output.console, refresh_per_second=4) if terminal else bar:
        yield watch


def compared(workspace: Workspace) -> tuple[str, dict[str, float]]:
    """The first KPI's name, and what incumbent and bound have on the selection data; no bound is left out."""
    project, panel = workspace.project, workspace.project.simulator.panel("selection")
    kpi = project.problem.kpis[0]
    incumbent, totals = simulate(project, project.incumbent, panel), bound_totals(project, panel)
    bound = None if totals is None else bound_kpi(kpi, totals, [incumbent])
    return kpi.name, {"incumbent": incumbent.kpi(kpi)} | ({} if bound is None else {"bound": bound})


def _doing(point: Any) -> str:
    """How many actions the policy still takes, and what the time goes to."""
    from tenure.training.utilisation import busy_with

    busy = f"; {busy_with(point.shares)}" if point.shares else ""
    return f"; entropy {point.entropy:.2f}, most taken action {percent(point.most_taken_share)}{busy}"
