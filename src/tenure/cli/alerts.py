"""`tenure alerts`: what people were told, that they have seen it, and whether a channel works."""

from __future__ import annotations

from typing import Annotated

import typer

from tenure.cli.options import Actor, Home, Json, Project
from tenure.cli.output import Output, reported

alerts_app = typer.Typer(
    help="What people were told, whether it got through, and a test of every channel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@alerts_app.command(name="list")
def list_(project: Project, home: Home = None, json: Json = False) -> None:
    """Every alert with its deliveries and who has seen it, and how each channel does."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.alerting import run_list

        run_list(output, project, home)


@alerts_app.command()
def ack(
    project: Project,
    sequence: Annotated[int, typer.Argument(metavar="NUMBER", help="the alert's number, from `tenure alerts list`")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Say that an alert has been seen; recorded in the log."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.alerting import run_ack

        run_ack(output, project, sequence, actor, home)


@alerts_app.command(name="test")
def try_(
    project: Project,
    channel: Annotated[str | None, typer.Argument(metavar="[CHANNEL]", help="default all of them")] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Send a test alert the way real ones go; exit code 4 when one did not get through."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.alerting import run_test

        raise SystemExit(run_test(output, project, channel, actor, home))
