"""`tenure rollout`: what a person can do to a rollout, where it stands, and how long it will take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.options import Actor, Home, Json, Project, Reason
from tenure.cli.output import Output, reported

rollout_app = typer.Typer(
    help="Where a candidate stands on its way to the whole traffic, and every move a person can make.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _move(verb: str, project: str, reason: str, actor: str, home: Path | None, json: bool) -> None:
    """A verb that takes an actor and a reason, then shows where the rollout stands."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_move

        run_move(output, verb, project, reason, actor, home)


@rollout_app.command()
def status(project: Project, home: Home = None, json: Json = False) -> None:
    """Stage, share, what the next one waits for, breakers, exploration and history."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_status

        run_status(output, project, home)


@rollout_app.command()
def start(
    project: Project,
    version: Annotated[str, typer.Option(help="a registered version; see `tenure versions`")],
    reason: Reason,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Begin in SHADOW, if the selection data allow it; refused or not, it is recorded."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_start

        raise SystemExit(run_start(output, project, version, reason, actor, home))


@rollout_app.command()
def promote(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Take the next step, if and only if every gate passes; else say what holds."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_promote

        raise SystemExit(run_promote(output, project, reason, actor, home))


@rollout_app.command()
def pause(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Take no step until resumed; guardrails and breakers go on."""
    _move("pause", project, reason, actor, home, json)


@rollout_app.command()
def resume(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Let the gates take steps again."""
    _move("resume", project, reason, actor, home, json)


@rollout_app.command()
def rollback(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Take the candidate's traffic away; one person is enough."""
    _move("rollback", project, reason, actor, home, json)


@rollout_app.command()
def abort(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """End a rollout that has not reached the whole traffic."""
    _move("abort", project, reason, actor, home, json)


@rollout_app.command()
def approve(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Say yes to the share that was asked for; by another than who asked or started."""
    _move("approve", project, reason, actor, home, json)


@rollout_app.command()
def reject(project: Project, reason: Reason, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Say no to the share that was asked for, which pauses the rollout."""
    _move("reject", project, reason, actor, home, json)


@rollout_app.command()
def explore(
    project: Project,
    reason: Reason,
    rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="share of its decisions drawn at random; default tenure.toml's")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Change how much the candidate explores; the model stays as it is."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_explore

        run_explore(output, project, rate, reason, actor, home)


@rollout_app.command()
def plan(
    project: Project,
    harm: Annotated[
        float, typer.Option(min=1e-6, help="a harm that must not go unseen, as a share of the incumbent's KPI")
    ] = 0.25,
    kpi: Annotated[str | None, typer.Option(help="of which KPI; default the first")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """From the real traffic: days per stage, the chance to catch a stated harm, breakers that would have tripped."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_plan import run_plan

        run_plan(output, project, harm, kpi, home)
