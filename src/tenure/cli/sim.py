"""`tenure sim`: is the simulator sound, fast, hard enough, and like the world?"""

from __future__ import annotations

from typing import Annotated

import typer

from tenure.cli.options import Home, Json, Project
from tenure.cli.output import Output, reported

sim_app = typer.Typer(
    help="Whether a simulator keeps its contract, how fast it is, how a policy stands disturbances, and how near "
    "it comes to real data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@sim_app.command("sweep")
def sim_sweep(
    project: Project,
    policy: Annotated[str | None, typer.Option(help="version or rule; default the newest run's choice")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """How does a policy stand every level and disturbance, beside the incumbent?"""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.sim_sweep import run_sim_sweep

        raise SystemExit(run_sim_sweep(output, project, policy, home))
