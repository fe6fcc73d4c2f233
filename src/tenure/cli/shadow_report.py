"""`tenure shadow report`: the report for people, for programs and as a page."""

from __future__ import annotations

from pathlib import Path

from tenure.cli.output import Output, percent
from tenure.cli.workspace import open_workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import RequestError
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.evaluation.shadow.report import ShadowReport, shadow_report
from tenure.evaluation.shadow.value import KpiEvidence

EXAMPLE_SEED = 1


def run_report(output: Output, project: str | None, example: bool, html: Path | None, home: Path | None) -> int:
    """Make the report, show it and write the page; the exit code is the verdict's.

    Raises:
        RequestError: neither a project nor the example was asked for, or both.
    """
    if example == (project is not None):
        found = "both" if example else "neither"
        raise RequestError(expected="P, or --example", found=found, where="tenure shadow report", fix="name one")
    if project is None:
        problem, version, report = _example()
    else:
        problem, version, report = _of_project(project, home)
    _show(output, version, report)
    page = None if html is None else _write(problem, version, report, html, project)
    if page is not None:
        output.say(f"Page: {page}")
    output.result({"version": version, **report.as_dict(), "html": None if page is None else str(page)})
    return report.verdict.exit_code


def _example() -> tuple[Problem, str, ShadowReport]:
    from tenure.evaluation.shadow import example

    case = example.routes(EXAMPLE_SEED)
    found = shadow_report(example.problem, case.log, case.replay, need=example.NEED, margins=example.MARGINS)
    return example.problem, "example", found


def _of_project(project: str, home: Path | None) -> tuple[Problem, str, ShadowReport]:
    from tenure.cli.shadow_source import shadow_source

    workspace = open_workspace(project, home)
    problem = workspace.project.problem
    with workspace.store() as store:
        source = shadow_source(workspace, store, SystemClock())
    found = shadow_report(
        problem, source.log, source.replay, need=source.need, margins=source.margins, notes=source.notes
    )
    return problem, source.version, found


def _write(problem: Problem, version: str, report: ShadowReport, path: Path, project: str | None) -> Path:
    from tenure.console.shadow import ShadowPage, write_shadow

    command = f"tenure shadow report {project or '--example'} --html {path}"
    return write_shadow(ShadowPage(problem, version, report, SystemClock().now(), command), path)


def _show(output: Output, version: str, report: ShadowReport) -> None:
    output.say(f"{report.verdict.word}: {report.sentence}")
    output.say(f"Version {version}: {report.decisions:,} decisions with a proposal on {report.days} days.")
    for finding in (report.delivery, *report.health):
        output.say(f"{finding.verdict.word}: {finding.gate}: {finding.reason}")
    _show_value(output, report)
    columns = ["KPI", "way", "incumbent", "candidate", "change", "verdict"]
    output.table(columns, [row for kpi in report.kpis for row in _kpi_rows(kpi)])
    for tail in report.tails:
        told = f"{tail.incumbent:.4g} to {tail.candidate:.4g}, change {_figure(tail.change)}"
        output.say(f"Worst {percent(tail.share)} of units, {tail.kpi}: {told}{' (worse)' if tail.worse else ''}")
    for part in report.segments:
        for row in part.segments:
            if row.effect is not None and row.verdict != "mixed":
                output.say(
                    f"{part.kpi} is {row.verdict} where {row.rule} ({percent(row.share)}): {_figure(row.effect)}"
                )
    _show_calibration(output, report)
    for note in report.notes:
        output.say(f"Note on {note.decision_id} by {note.actor}, {note.at:%Y-%m-%d %H:%M}: {note.text}")


def _show_value(output: Output, report: ShadowReport) -> None:
    share, count = report.disagreement.share, report.disagreement.decisions
    output.say(f"They differ on {count:,} decisions{'' if share is None else f' ({_shares(share)})'}.")
    for pair in report.disagreement.pairs[:3]:
        output.say(f"  {pair.candidate} instead of {pair.incumbent}: {pair.decisions:,}")
    for each in report.value:
        figure = None if each.gain is None else _figure(each.gain)
        told = (
            f"refused, {each.reason}; {each.helps}"
            if figure is None
            else "; ".join(filter(None, (figure, each.reason)))
        )
        output.say(f"Gain in reward per decision, {each.way.replace('_', '-')}: {told}")


def _show_calibration(output: Output, report: ShadowReport) -> None:
    if report.calibration is None:
        output.say(f"Calibration: {report.uncalibrated}.")
    else:
        output.say(f"Expected calibration error: {_shares(report.calibration.error)}; good: {report.calibration.good}.")


def _kpi_rows(kpi: KpiEvidence) -> list[list[str]]:
    if not kpi.changes:
        return [[kpi.name, "-", "-", "-", "-", kpi.reason]]
    return [
        [
            kpi.name,
            each.way.replace("_", "-"),
            f"{each.incumbent:.4g}",
            f"{each.candidate:.4g}",
            f"{each.change.value:+.3g} ({each.change.low:+.3g} to {each.change.high:+.3g})",
            kpi.word,
        ]
        for each in kpi.changes
    ]


def _figure(found: Estimate) -> str:
    return f"{found.value:+.4g} ({found.low:+.4g} to {found.high:+.4g}, by {found.cluster})"


def _shares(found: Estimate) -> str:
    return f"{percent(found.value)}, {percent(found.low)} to {percent(found.high)}"
