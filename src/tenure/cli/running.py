"""Verbs while a policy is live: serve, stop, watch, train again, and ask what was."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tenure.cli.options import Actor, Home, Json, Project, Reason
from tenure.cli.output import Output, reported

running_app = typer.Typer()


@running_app.command()
def serve(
    project: Project,
    host: Annotated[str, typer.Option(help="address to listen on; a public one needs --auth")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")] = 8080,
    auth: Annotated[
        bool, typer.Option("--auth", help="ask everybody for a token; make the first with `tenure token create`")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="another name this server is reached by, as in the Host header")
    ] = None,
    log_format: Annotated[Literal["text", "json"], typer.Option(help="of the lines on standard error")] = "text",
    simulated_clock: Annotated[
        bool, typer.Option("--simulated-clock", help="follow the requests' `at`, for replays")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Answer decisions over HTTP until stopped."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.serve import run_server

        run_server(
            *(output, project, host, port, simulated_clock, home),
            auth=auth,
            allow_host=allow_host or (),
            log_format=log_format,
        )


@running_app.command()
def kill(
    project: Project,
    reason: Reason,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Stop the learned policy at once and for good; works with the server up or down."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.operate import run_kill

        raise SystemExit(run_kill(output, project, reason, actor, home))


@running_app.command()
def restore(
    project: Project,
    reason: Reason,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Lift a kill; the candidate starts again from the beginning."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.operate import run_restore

        run_restore(output, project, reason, actor, home)


@running_app.command()
def drill(project: Project, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Rehearse the kill on a copy of the log with a real server; measured and recorded."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.drill import run_drill

        raise SystemExit(run_drill(output, project, actor, home))


@running_app.command()
def monitor(
    project: Project,
    since: Annotated[
        str | None, typer.Option(help="show alarms raised since, such as 2026-03-01; default 30 days")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """What has changed: KPIs, features, actions, outcomes, new groups; exit code 4 while an alarm waits to be seen."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.monitor import run_monitor

        raise SystemExit(run_monitor(output, project, since, home))


@running_app.command()
def tick(project: Project, home: Home = None, json: Json = False) -> None:
    """One look at the evidence and at most one step, for cron or a timer; twice at once is safe."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_tick

        raise SystemExit(run_tick(output, project, home))


@running_app.command()
def retrain(
    project: Project,
    seeds: Annotated[int, typer.Option(min=1, help="training seeds")] = 2,
    steps: Annotated[int | None, typer.Option(min=1, help="decisions per seed; default the project's")] = None,
    least: Annotated[
        int | None, typer.Option(min=1, help="fewest new decisions; default [retrain] min_new_decisions")
    ] = None,
    if_due: Annotated[bool, typer.Option("--if-due", help="for cron: only if a trigger of [retrain] fires")] = False,
    remember: Annotated[
        str | None, typer.Option(metavar="NAME", help="train nothing: keep a regime that no new version may forget")
    ] = None,
    level: Annotated[str, typer.Option(help="with --remember: the simulator's level that stands for it")] = "normal",
    because: Annotated[str, typer.Option(help="with --remember: why it is kept")] = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """From the served log to a new version in SHADOW; run it again after a crash and it goes on."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.retrain import Asked, keep_regime, run_if_due, run_retrain

        if remember is not None:
            keep_regime(output, project, remember, level, because, home)
        else:
            run = run_if_due if if_due else run_retrain
            raise SystemExit(run(output, project, Asked(seeds, steps, least), home))


@running_app.command()
def why(
    decision_id: Annotated[str, typer.Argument(metavar="DECISION_ID", help="a decision of the log")],
    project: Annotated[str, typer.Option(help="the project whose log it is in")] = "bikes",
    home: Home = None,
    json: Json = False,
) -> None:
    """Why one decision went as it did: who, what else, which features, with what probability, and what came of it."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.why import run_why

        run_why(output, decision_id, project, home)


@running_app.command()
def versions(
    project: Project,
    as_of: Annotated[str | None, typer.Option(help="as it was at this moment, such as 2026-05-01T00:00:00Z")] = None,
    fetch: Annotated[str | None, typer.Option(help="first bring this version here from the store of artifacts")] = None,
    push: Annotated[str | None, typer.Option(help="first bring this version to the store of artifacts")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Registered versions, which one is live, and the rollout's history; now or as of any time."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.versions import carry, list_versions

        if fetch or push:
            carry(output, project, fetch, push, home)
        list_versions(output, project, as_of, home)


@running_app.command()
def doctor(
    project: Annotated[str, typer.Argument(metavar="[P]")] = "bikes", home: Home = None, json: Json = False
) -> None:
    """Check installation, project, bundles and log."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.operate import run_doctor

        raise SystemExit(run_doctor(output, project, home))
