"""The shadow report as one HTML page with nothing outside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.console import words
from tenure.console.model import Kpi
from tenure.console.report import NARROW, WIDE, environment
from tenure.core.problem import Problem
from tenure.evaluation.shadow.report import ShadowReport
from tenure.evaluation.shadow.value import KpiEvidence

if TYPE_CHECKING:
    from markupsafe import Markup

WAYS = {
    "replay": "by replay in the simulator",
    "off_policy": "off-policy, on the log",
}

WORDS_USED = {
    "incumbent": "The system that decides today; it decided everything in this report.",
    "candidate": "The learned policy; its proposals were recorded beside the incumbent and never carried out.",
    "disagreement": "A decision on which the candidate would have acted otherwise; only these can be worth anything.",
    "replay": "Both policies simulated over the same days, from the state in which the log found them.",
    "off-policy": "Logged decisions weighed by how likely each policy is to take them; it needs exploration.",
    "segment": "A part of all decisions, found on one half of the units and measured on the other half.",
    "better, worse, mixed": "Proven over all segments of a KPI together; mixed is neither proven.",
    "margin": "How much worse a KPI may be, stated in tenure.toml; without one, any proven harm holds.",
    "interval": "The range that holds the true figure in 95 of 100 such studies, over all KPIs together.",
    "calibration": "Whether the candidate is right as often as it says; the error is the mean distance, 0 is perfect.",
}


@dataclass(frozen=True)
class ShadowPage:
    """What the page needs beside the report.

    Args:
        problem: what is decided.
        version: the candidate.
        report: its figures and verdict.
        generated_at: when, UTC.
        command: what made it.
    """

    problem: Problem
    version: str
    report: ShadowReport
    generated_at: datetime
    command: str


def render_shadow(page: ShadowPage) -> str:
    """The page as self-contained HTML; all its text is escaped."""
    template = environment().get_template("shadow.html.j2")
    return template.render(page=page, report=page.report, charts=_charts(page.report), ways=WAYS, words_used=WORDS_USED)


def write_shadow(page: ShadowPage, path: Path) -> Path:
    """Render into a file, making its folder; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_shadow(page), encoding="utf-8")
    return path


def chart_rows(kpis: Sequence[KpiEvidence]) -> tuple[Kpi, ...]:
    """KPIs as the chart of relative changes takes them: the change each one's verdict rests on."""
    rows = []
    for kpi in kpis:
        found = kpi.shown
        if found is not None:
            ends = found.change.low, found.change.high
            relative = found.relative[0] if found.relative else float("nan")
            worse = kpi.harm(found)[0] > 0
            rows.append(Kpi(kpi.name, kpi.unit, found.incumbent, found.candidate, *ends, relative, worse, kpi.better))
    return tuple(rows)


def changes_sentence(rows: Sequence[Kpi]) -> str:
    """The chart for those who cannot see it."""
    told = "; ".join(
        f"{kpi.name} {words.percent(kpi.relative, signed=True)} ({words.span(*kpi.span, as_percent=True)}), {kpi.word}"
        for kpi in rows
        if kpi.span
    )
    return f"Dot and interval chart of each KPI's change against the incumbent: {told}."


def _charts(report: ShadowReport) -> dict[str, dict[str, Markup]]:
    """The chart for the wide and the narrow page, drawn by our own code and therefore safe to inline."""
    rows = chart_rows(report.kpis)
    if not any(row.span for row in rows):
        return {}
    from markupsafe import Markup

    from tenure.console import charts

    label = changes_sentence(rows)
    sizes = (("wide", WIDE), ("narrow", NARROW))
    drawn = {size: Markup(charts.relative_changes(rows, label, width)) for size, width in sizes}  # noqa: S704
    return {"changes": drawn}
