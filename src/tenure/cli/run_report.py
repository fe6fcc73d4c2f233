"""`tenure report`: one training run as one HTML page, the diagnosis in its first lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.diagnose import FILE, run_folder
from tenure.cli.output import Output
from tenure.cli.workspace import open_workspace
from tenure.console.model import Curve, Fact, Training
from tenure.console.run import Panel, RunPage, write_run
from tenure.core.clock import SystemClock
from tenure.core.errors import ProjectError
from tenure.core.reward import KPI

if TYPE_CHECKING:
    from tenure.training import RunRecord

DRAWN = (
    "return_mean",
    "return_mean_100",
    "behaviour_entropy",
    "policy_entropy",
    "behaviour_top",
    "explored",
    "value_loss",
    "loss",
    "explained_variance",
    "kl",
    "gradient_norm",
    "dead_units",
)
"""Metrics that are drawn, in this order; the table has all."""
PAGE = "report.html"
"""Of a run's folder."""


def report_run(output: Output, project: str, run: str | None, out: Path | None, home: Path | None) -> None:
    """Write the page of a run and say where it lies.

    Raises:
        ProjectError: there is no such run, or nothing in it that was scored.
    """
    from tenure.diagnosis.reading import read_run

    workspace = open_workspace(project, home)
    folder = run_folder(workspace, run)
    reading = read_run(workspace.project, folder)
    if reading.record is None:
        raise ProjectError(
            expected="a run with scored checkpoints",
            found=" ".join(reading.missing),
            where=str(folder),
            fix="train it further with `tenure train --resume`, or name another run",
        )
    problem, record = workspace.project.problem, reading.record
    page = RunPage(
        title=f"{problem.name}: training run {record.run}",
        subtitle=problem.about,
        diagnosis=kept_diagnosis(folder),
        diagnose=f"tenure diagnose {project} {record.run}",
        facts=_facts(record, problem.kpis[0]),
        training=_training(record, problem.kpis[0]),
        charts=tuple(panel for name in DRAWN for panel in panels_of(record, [name])),
        metrics=panels_of(record, names_of(record)),
        missing=reading.missing,
        generated_at=SystemClock().now(),
        command=f"tenure report {project} {record.run}",
    )
    written = write_run(page, out or folder / PAGE)
    output.say(f"The report of run {record.run} lies in {written}.")
    output.result({"run": record.run, "report": str(written), "diagnosed": page.diagnosis is not None})


def kept_diagnosis(folder: Path) -> dict[str, Any] | None:
    """What `tenure diagnose` left in a run's folder; None where there is nothing that can be read."""
    try:
        found = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return None
    whole = isinstance(found, dict) and {"told", "shape", "named", "causes", "missing"} <= set(found)
    return found if whole else None


def names_of(record: RunRecord) -> list[str]:
    """Every metric some checkpoint has, in the order they came."""
    return list(dict.fromkeys(name for seed in record.seeds for point in seed.curve for name in point.metrics))


def panels_of(record: RunRecord, names: list[str]) -> tuple[Panel, ...]:
    """The metrics of these names, each with the curves of the seeds that have it; those nobody has are left out."""
    from tenure.training.metrics import metric_of

    panels = []
    for name in names:
        curves = tuple(curve for seed in record.seeds if (curve := _curve(seed, name)).steps)
        if curves:
            metric = metric_of(name)
            panels.append(Panel(name, metric.unit, metric.told, metric.normal, curves))
    return tuple(panels)


def _curve(seed: Any, name: str) -> Curve:
    points = [point for point in seed.curve if name in point.metrics]
    return Curve(seed.seed, tuple(p.steps for p in points), tuple(p.metrics[name] for p in points))


def _training(record: RunRecord, kpi: KPI) -> Training:
    curves = tuple(
        Curve(seed.seed, tuple(p.steps for p in seed.curve), tuple(p.score for p in seed.curve))
        for seed in record.seeds
    )
    return Training(kpi.name, kpi.unit, curves, record.incumbent, record.bound, record.steps_per_s)


def _facts(record: RunRecord, kpi: KPI) -> tuple[Fact, ...]:
    best = max(record.seeds, key=lambda seed: seed.merit(kpi))
    facts = [
        Fact("Recipe", record.recipe, f"{len(record.seeds)} seeds, {best.curve[-1].steps:,} decisions each"),
        Fact(f"Best seed's {kpi.name}", f"{best.score:.4g}", f"{kpi.unit}; the incumbent has {record.incumbent:.4g}"),
        Fact("Speed", f"{record.steps_per_s:,.0f} decisions/s", "per seed, scoring included"),
    ]
    return tuple(facts)
