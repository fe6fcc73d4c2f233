"""`tenure shadow report` and `tenure shadow note`: what a candidate would have done, and what people say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.options import Home, Json
from tenure.cli.output import Output, reported

shadow_app = typer.Typer(
    help="What the candidate would have done beside the incumbent, and what it would have been worth.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@shadow_app.command()
def report(
    project: Annotated[
        str | None, typer.Argument(metavar="P", help="a project folder, or a shipped case such as 'bikes'")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="also write the report as one HTML page")] = None,
    example: Annotated[
        bool, typer.Option("--example", help="a made-up log instead of P: faster routes that hide what they cost")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Value the candidate's disagreements, KPI by KPI and segment by segment, and say whether it may go on."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.shadow_report import run_report

        raise SystemExit(run_report(output, project, example, html, home))


@shadow_app.command()
def note(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION_ID", help="the decision, as the log names it")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what is to be said of it")],
    project: Annotated[str, typer.Option(help="a project folder, or a shipped case")] = "bikes",
    actor: Annotated[str, typer.Option(help="who says it, for the audit log; default the login name")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Write a note on one decision into the log; the report shows it."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.shadow_note import run_note

        run_note(output, project, decision_id, text, actor, home)
