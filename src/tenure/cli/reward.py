"""`tenure reward`: does the reward say what is meant, what does it pay for besides, and what does a change of it do?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tenure.cli.options import Home, Json, Project
from tenure.cli.output import Output, reported

reward_app = typer.Typer(
    help="Whether the reward says what is meant, what it pays for besides, and what a change of it does.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@reward_app.command()
def check(project: Project, home: Home = None, json: Json = False) -> None:
    """Let the project's mock behaviours act, and see whether they come out in the order they must."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rewarding import run_check

        raise SystemExit(run_check(output, project, home))


@reward_app.command()
def audit(
    project: Project,
    seed: Annotated[int, typer.Option(min=0, help="of all chance; the same seed finds the same")] = 0,
    home: Home = None,
    json: Json = False,
) -> None:
    """Search for behaviour that the reward pays and that harms a KPI or breaks a limit; show what is found."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rewarding import run_audit

        raise SystemExit(run_audit(output, project, seed, home))


@reward_app.command()
def doc(
    project: Project,
    out: Annotated[Path | None, typer.Option(help="where it goes; default reward.html or reward.md here")] = None,
    form: Annotated[Literal["html", "md"], typer.Option("--format", help="of the page")] = "html",
    home: Home = None,
    json: Json = False,
) -> None:
    """One page for the risk officer, from the newest audit; refused when anything has changed since."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rewarding import run_doc

        run_doc(output, project, out, form, home)


@reward_app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="a project as it is, such as 'bikes'")],
    after: Annotated[str, typer.Argument(metavar="B", help="as it would be, such as 'bikes:draft' or another folder")],
    log: Annotated[
        str | None, typer.Option(help="score these decisions under both too: a table with a column per signal")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="with --log: TOML saying which column is what")] = None,
    json: Json = False,
) -> None:
    """What a change of the reward does to the ranking of known behaviours and logged decisions; nothing is trained."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rewarding import run_diff

        raise SystemExit(run_diff(output, before, after, log, mapping))
