"""One training run as one HTML page with nothing outside it: what is the matter first, then the curves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.console.model import Curve, Fact, Training
from tenure.console.report import NARROW, WIDE, environment, learning_sentence
from tenure.console.words import number

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Panel:
    """One metric as curves.

    Args:
        name: of the metric.
        unit: its unit.
        told: what it is.
        normal: what it does in a run that is well.
        curves: one per seed that has it.
    """

    name: str
    unit: str
    told: str
    normal: str
    curves: tuple[Curve, ...]

    @property
    def sentence(self) -> str:
        """The chart for those who cannot see it."""
        ends = "; ".join(
            f"seed {curve.seed} from {number(curve.score[0])} to {number(curve.score[-1])}" for curve in self.curves
        )
        return f"Line chart of {self.name} ({self.unit}) over training steps: {ends}."


@dataclass(frozen=True)
class RunPage:
    """What the page needs.

    Args:
        title: problem and run.
        subtitle: what is decided.
        diagnosis: the diagnosis as diagnosis.json has it; None where nobody made one.
        diagnose: the command that makes one.
        facts: tiles below the first sentences.
        training: the score of every seed, between incumbent and bound.
        charts: metrics that are drawn.
        metrics: all metrics, for the table.
        missing: what could not be read of the run, a sentence each.
        generated_at: when, UTC.
        command: what made it.
    """

    title: str
    subtitle: str
    diagnosis: dict[str, Any] | None
    diagnose: str
    facts: tuple[Fact, ...]
    training: Training
    charts: tuple[Panel, ...]
    metrics: tuple[Panel, ...]
    missing: tuple[str, ...]
    generated_at: datetime
    command: str


def render_run(page: RunPage) -> str:
    """The page as self-contained HTML without a script; all its text is escaped."""
    return environment().get_template("run.html.j2").render(page=page, charts=_charts(page))


def write_run(page: RunPage, path: Path) -> Path:
    """Render into a file, making its folder; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_run(page), encoding="utf-8")
    return path


def _charts(page: RunPage) -> dict[str, dict[str, Markup]]:
    """Each chart for the wide and the narrow page, drawn by our own code and therefore safe to inline."""
    from markupsafe import Markup

    from tenure.console import charts

    score, sentence = page.training, learning_sentence(page.training)
    widths = {"wide": WIDE, "narrow": NARROW}
    drawn = {"score": {size: charts.learning_curves(score, sentence, width) for size, width in widths.items()}}
    for panel in page.charts:
        drawn[panel.name] = {
            size: charts.metric_curves(panel.curves, panel.unit, panel.sentence, width)
            for size, width in widths.items()
        }
    return {name: {size: Markup(svg) for size, svg in sizes.items()} for name, sizes in drawn.items()}  # noqa: S704
