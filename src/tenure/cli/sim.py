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


Subject = Annotated[
    str | None, typer.Argument(metavar="[P]", help="a project folder, or a shipped case; not needed with --env")
]
Env = Annotated[
    str | None,
    typer.Option(help="a Gymnasium environment by its id instead of P: CartPole-v1, or MODULE:ID of a module here"),
]


@sim_app.command("check")
def sim_check(
    project: Subject = None,
    env: Env = None,
    worlds: Annotated[int, typer.Option(min=1, help="worlds side by side")] = 8,
    steps: Annotated[int, typer.Option(min=1, help="steps of random allowed actions")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="of all chance; the same seed finds the same")] = 0,
    json: Json = False,
) -> None:
    """Does the simulator keep its contract? Every promise at every level, each break with world, field and fix."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.sim_check import run_sim_check

        raise SystemExit(run_sim_check(output, project, env, worlds, steps, seed))


@sim_app.command("profile")
def sim_profile(project: Subject = None, env: Env = None, json: Json = False) -> None:
    """How fast is the simulator, where do time and memory go, and does a Python loop slow it down?"""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.sim_profile import run_sim_profile

        raise SystemExit(run_sim_profile(output, project, env))


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


@sim_app.command("validate")
def sim_validate(
    project: Project,
    log: Annotated[str, typer.Option(help="real decisions with their signals: .sqlite, an export, or a table")],
    policy: Annotated[str | None, typer.Option(help="version or rule; default the newest run's choice")] = None,
    inconclusive_above: Annotated[float, typer.Option(min=0, help="drop of value, as a share, left open")] = 0.15,
    fail_above: Annotated[float, typer.Option(min=0, help="drop of value, as a share, that fails")] = 0.20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Is the simulator like the world that a log is of: values, ranking, timing, and every field?"""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.sim_validate import Asked, run_sim_validate

        raise SystemExit(run_sim_validate(output, project, Asked(log, policy, inconclusive_above, fail_above), home))
