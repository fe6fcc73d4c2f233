"""One report, one HTML page with nothing outside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.console import words
from tenure.console.model import Day, HeldOut, Report, Rollout, Training

if TYPE_CHECKING:
    from jinja2 import Environment

WIDE, NARROW = 640, 270
"""Widths of a chart's plot on a laptop and paper, and on a phone, in CSS pixels."""

WORDS_USED = {
    "incumbent": "The system that decides today; it answers whenever the candidate may not.",
    "candidate": "The learned policy that wants the incumbent's seat.",
    "shadow": "The candidate proposes beside the incumbent; its proposals are recorded and never carried out.",
    "canary": "A small share of the units gets the candidate, the others stay as its control.",
    "unit": "Who or what is given to one of the two and stays there; results are counted per unit.",
    "propensity": "The probability with which the action that was taken was taken; recorded with each decision.",
    "guardrail": "A figure watched all the time; proven harm to it takes the candidate back by itself.",
    "bound, headroom": "The bound is what no policy can beat; the headroom is the way from the incumbent to it.",
    "interval": "The range that holds the true figure in 95 of 100 such studies, when it is a 95 % interval.",
    "cluster": "What counts as one independent observation, so that like cases are not counted twice.",
    "kill epoch": "A counter that a kill raises; a learned decision of an older epoch can no longer be recorded.",
}


def render(report: Report) -> str:
    """The report as one self-contained HTML page; all its text is escaped."""
    template = environment().get_template("report.html.j2")
    return template.render(
        report=report, charts=_charts(report), stages=stage_rows(report.rollout.days), words_used=WORDS_USED
    )


def write(report: Report, path: Path) -> Path:
    """Render into a file, making its folder.

    Returns:
        The path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report), encoding="utf-8")
    return path


def stage_rows(days: tuple[Day, ...]) -> list[dict[str, Any]]:
    """One row for each stretch of days with the same stage and share, with sums over it."""
    runs = [list(run) for _, run in groupby(days, key=lambda day: (day.stage.lower(), day.share))]
    return [
        {
            "stage": run[0].stage.upper().replace("_", " "),
            "share": run[0].share,
            "first": run[0].day,
            "last": run[-1].day,
            "days": len(run),
            "units": sum(day.candidate_units for day in run),
            "decisions": sum(day.learned_decisions for day in run),
        }
        for run in runs
    ]


def environment() -> Environment:
    """Where this room's templates are read: everything escaped, nothing undefined, figures written for people."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("tenure.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written: Mapping[str, Callable[..., object]] = {
        "number": words.number,
        "wholes": words.wholes,
        "percent": words.percent,
        "gain": words.gain,
        "level": words.level,
        "moment": words.moment,
        "share_name": words.share_name,
        "times": words.times,
        "parts": words.parts,
    }
    made.filters.update(written)
    made.globals["span"] = words.span
    return made


def _charts(report: Report) -> dict[str, dict[str, str]]:
    """Each chart for the wide and the narrow page, drawn by our own code and therefore safe to inline."""
    from markupsafe import Markup

    from tenure.console import charts

    drawn: dict[str, Callable[[int], str]] = {}
    if report.training.curves:
        drawn["learning"] = lambda width: charts.learning_curves(
            report.training, learning_sentence(report.training), width
        )
    if any(kpi.span for kpi in report.held_out.kpis):
        drawn["changes"] = lambda width: charts.relative_changes(
            report.held_out.kpis, changes_sentence(report.held_out), width
        )
    if report.rollout.days:
        drawn["days"] = lambda width: charts.rollout_days(report.rollout.days, days_sentence(report.rollout), width)
    return {
        name: {size: Markup(draw(width)) for size, width in (("wide", WIDE), ("narrow", NARROW))}  # noqa: S704
        for name, draw in drawn.items()
    }


def learning_sentence(training: Training) -> str:
    """The learning curves for those who cannot see them."""
    last = "; ".join(
        f"seed {curve.seed} ends at {words.number(curve.score[-1])}" for curve in training.curves if curve.score
    )
    bound = f", the bound {words.number(training.bound)}" if training.bound is not None else ", no bound is known"
    return (
        f"Line chart of {training.kpi} ({training.unit}) over training steps, one line per seed: {last or 'no score'}. "
        f"The incumbent's line is at {words.number(training.incumbent)}{bound}."
    )


def changes_sentence(held_out: HeldOut) -> str:
    """The chart of relative changes for those who cannot see it."""
    told = "; ".join(
        f"{kpi.name} {words.percent(kpi.relative, signed=True)} ({words.span(*kpi.span, as_percent=True)}), {kpi.word}"
        for kpi in held_out.kpis
        if kpi.span
    )
    return f"Dot and interval chart of each KPI's change against the incumbent: {told}."


def days_sentence(rollout: Rollout) -> str:
    """The chart of the rollout's days for those who cannot see it."""
    told = "; ".join(
        f"{row['stage']} at {words.share_name(row['share'])} from {row['first']} to {row['last']}"
        for row in stage_rows(rollout.days)
    )
    return f"Two panels over days: the candidate's share of the traffic, and the cost per unit of both. {told}."
