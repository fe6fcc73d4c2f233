"""The command line: one function per verb."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.alerts import alerts_app
from tenure.cli.approvals import approvals_app
from tenure.cli.learning import learning_app
from tenure.cli.log import log_app
from tenure.cli.options import Home, Json, Project
from tenure.cli.output import Output, reported
from tenure.cli.reward import reward_app
from tenure.cli.rollout import rollout_app
from tenure.cli.running import running_app
from tenure.cli.shadow import shadow_app
from tenure.cli.sim import sim_app
from tenure.cli.token import token_app

app = typer.Typer(
    help="From a repeated decision to a reinforcement-learning policy that is safely live.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # plain help: the coloured one takes as long as all the rest
)

app.add_typer(reward_app, name="reward")
app.add_typer(sim_app, name="sim")
app.add_typer(shadow_app, name="shadow")
app.add_typer(rollout_app, name="rollout")
app.add_typer(approvals_app, name="approvals")
app.add_typer(alerts_app, name="alerts")
app.add_typer(log_app, name="log")
app.add_typer(token_app, name="token")


@app.command()
def demo(
    case: Annotated[str, typer.Argument(metavar="CASE", help="a shipped case")] = "bikes",
    seeds: Annotated[int, typer.Option(min=1, help="training seeds")] = 2,
    serve: Annotated[bool, typer.Option("--serve", help="keep the decision server running at the end")] = False,
    report: Annotated[Path, typer.Option(help="where the report goes")] = Path("tenure-report.html"),
    home: Home = None,
    json: Json = False,
) -> None:
    """The whole road on real data: train, judge, shadow, 1 %, 10 %, 100 %, the kill, and a gate that says no."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.demo import run_demo

        raise SystemExit(run_demo(output, case, seeds, serve, report, home))


@app.command("next")
def show_next(project: Project, home: Home = None, json: Json = False) -> None:
    """The ten stages as a checklist: what is done, what holds the next one, and the command for it."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.next import run_next

        run_next(output, project, home)


@app.command()
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="of the new project and its folder")],
    source: Annotated[Path | None, typer.Option("--from", help="guess problem and world from this log")] = None,
    case: Annotated[str | None, typer.Option(help="copy this shipped case")] = None,
    action: Annotated[str | None, typer.Option(help="with --from: the column of what was done")] = None,
    outcome: Annotated[str | None, typer.Option(help="with --from: the column of what came of it")] = None,
    time: Annotated[str | None, typer.Option(help="with --from: the column of the moment")] = None,
    unit: Annotated[str | None, typer.Option(help="with --from: the column of who or what it was for")] = None,
    propensity: Annotated[str | None, typer.Option(help="with --from: the column of its probability")] = None,
    feature: Annotated[
        list[str] | None, typer.Option(help="with --from: a column that was known before the decision")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="with --from: a column to leave out")] = None,
    json: Json = False,
) -> None:
    """Make a project folder: from a log, from a shipped case, or a small working world to change."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.init import run_init
        from tenure.design.starting.roles import Told

        told = Told(action, outcome, time, unit, propensity, tuple(feature or ()), tuple(ignore or ()))
        run_init(output, name, source, case, told)


for group in (learning_app, running_app):
    app.registered_commands += group.registered_commands


def main() -> None:
    """Entry point of `tenure`."""
    app()


__all__ = ["app", "main"]
