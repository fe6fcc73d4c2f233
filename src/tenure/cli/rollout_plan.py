"""`tenure rollout plan`: what a rollout will take, from the real traffic."""

from __future__ import annotations

from pathlib import Path

from tenure.cli.output import Output, percent
from tenure.cli.workspace import open_workspace
from tenure.core.clock import SystemClock
from tenure.rollout.plan import Plan, StagePlan, plan


def run_plan(output: Output, project: str, harm: float, kpi: str | None, home: Path | None) -> None:
    """Print the plan.

    Raises:
        EvidenceError: the log holds no closed day.
        ProblemError: there is no such KPI.
    """
    workspace = open_workspace(project, home)
    with workspace.store() as store:
        found = plan(workspace.project.problem, workspace.settings, store, SystemClock().now(), harm, kpi)
    _say(output, found)
    output.result(found.as_dict())


def _say(output: Output, found: Plan) -> None:
    traffic = f"{found.decisions_per_day:,.0f} decisions and {found.units_per_day:,.0f} units a day"
    output.say(f"{found.days_seen} closed days: {traffic}. The whole rollout takes {found.days} days.")
    chance = f"harm of {percent(found.harm)} to {found.kpi} proven"
    columns = ["stage", "days", "own decisions", "own units", chance, "because"]
    output.table(columns, [_row(stage) for stage in found.stages])
    for one in found.tripped:
        first = f"first at {one.first_at} on decision {one.first_decision}" if one.times else "never"
        output.say(f"breaker {one.breaker}: would have tripped {one.times} times in {one.decisions} decisions, {first}")
    for note in found.notes:
        output.say(note)


def _row(stage: StagePlan) -> list[str]:
    name = "shadow" if stage.share == 0 else percent(stage.share)
    chance = "-"
    if stage.chance is not None and stage.chance_low is not None and stage.chance_high is not None:
        chance = f"{percent(stage.chance)} ({percent(stage.chance_low)} to {percent(stage.chance_high)})"
    return [name, str(stage.days), f"{stage.decisions:,.0f}", f"{stage.units:,.0f}", chance, stage.reason]
