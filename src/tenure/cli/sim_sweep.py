"""`tenure sim sweep`: a policy through every level and every standard disturbance, beside the incumbent."""

from __future__ import annotations

from pathlib import Path

from tenure.cli.output import Output, percent
from tenure.cli.sim_check import place_of, sound_parts, tell_incidents
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.evidence import Verdict
from tenure.simulators.check_parts import blamed, require_form
from tenure.simulators.disturbances.sweep import MARGIN, Cell, Sweep, sweep


def run_sim_sweep(output: Output, project: str, chosen: str | None, home: Path | None) -> int:
    """Sweep and print; the exit code is the verdict's."""
    from tenure.cli.progress import progress_bar

    workspace = open_workspace(project, home)
    name = chosen or _newest(workspace)
    found, problem = workspace.project, workspace.project.problem
    with progress_bar(output) as bar:
        task = bar.add_task("sweep", total=1.0, note="")

        def watch(done: int, cells: int, cell: str) -> None:
            bar.update(task, completed=done / cells, note=cell)

        simulator, policy = sound_parts(found), workspace.policy(name)
        require_form(problem, simulator, place_of(found))
        with blamed(problem, simulator, place_of(found)):
            swept = sweep(problem, simulator, found.incumbent, policy, progress=watch)
    _show(output, problem.kpis[0].name, problem.kpis[0].unit, name, swept)
    output.result(
        {
            "policy": name,
            "kpi": problem.kpis[0].name,
            "simulator": swept.simulator,
            "margin": MARGIN,
            "worlds": swept.worlds,
            "unsupported": list(swept.unsupported),
            "verdict": swept.verdict.word,
            "incidents": tell_incidents(output, found.simulator),
            "cells": [cell.as_dict() for cell in swept.cells],
        }
    )
    return swept.verdict.exit_code


def _newest(workspace: Workspace) -> str:
    from tenure.training.record import latest_run

    return latest_run(workspace.runs).chosen


def _show(output: Output, kpi: str, unit: str, name: str, swept: Sweep) -> None:
    output.table(
        ["level", "disturbance", "incumbent", "policy", "gain (95 %)", "verdict"],
        [_row(cell) for cell in swept.cells],
    )
    output.say(f"First KPI {kpi}, {unit}; {swept.worlds} fresh training worlds a level; simulator {swept.simulator}.")
    _show_others(output, kpi, swept)
    for kind in swept.unsupported:
        output.say(f"Left out: {kind}. {_WHY_LEFT_OUT[kind]}")
    _say_where(output, swept, Verdict.FAIL, f"{name} is worse than the incumbent by more than {percent(MARGIN)}")
    _say_where(output, swept, Verdict.INCONCLUSIVE, "Not sure")
    output.say(f"Verdict on level normal, undisturbed and mildly disturbed: {swept.verdict.name}.")


_WHY_LEFT_OUT = {
    "sensor_noise": "No feature measures anything: all are labels, calendars or constants.",
    "demand_shock": "The simulator has no method `shocked(state, factor)`.",
    "obstacle": "The simulator has no method `obstructed(state, share)`.",
}


def _say_where(output: Output, swept: Sweep, verdict: Verdict, words: str) -> None:
    cells = [cell.name for cell in swept.cells if cell.verdict is verdict]
    if cells:
        output.say(f"{words}: {'; '.join(cells)}.")


def _show_others(output: Output, first: str, swept: Sweep) -> None:
    """The other KPIs where nothing is disturbed, and wherever they are surely worse than the incumbent's."""
    rows = [
        _figures(cell, kpi)
        for cell in swept.cells
        for kpi, gain in cell.gains.items()
        if kpi != first and (not cell.strength or (gain is not None and gain.high < 0))
    ]
    if rows:
        output.heading("Other KPIs: undisturbed, and wherever surely worse than the incumbent's")
        output.table(["level", "disturbance", "incumbent", "policy", "gain (95 %)", "KPI"], rows)


def _row(cell: Cell) -> list[str]:
    verdict = f"{cell.verdict.word}{', required' if cell.required else ''}"
    return [*_figures(cell, next(iter(cell.kpis)))[:-1], verdict]


def _figures(cell: Cell, kpi: str) -> list[str]:
    disturbance = f"{cell.strength} {cell.disturbance}".strip()
    (incumbent, policy), gain = cell.kpis[kpi], cell.gains[kpi]
    told = "-" if gain is None else f"{percent(gain.value)} ({percent(gain.low)} to {percent(gain.high)})"
    return [cell.level, disturbance, f"{incumbent:.3f}", f"{policy:.3f}", told, kpi]
