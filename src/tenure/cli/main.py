"""The command line: one function per verb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from tenure.cli.alerts import alerts_app
from tenure.cli.approvals import approvals_app
from tenure.cli.log import log_app
from tenure.cli.options import Actor, Home, Json, Project, Reason
from tenure.cli.output import Output, needed, reported
from tenure.cli.reward import reward_app
from tenure.cli.rollout import rollout_app
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


@app.command()
def assess(
    projects: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[P]...", help="projects, cases or log files; several are ranked and exit by the worst one"
        ),
    ] = None,
    log: Annotated[Path | None, typer.Option(help="assess this log (CSV, JSONL, Parquet...)")] = None,
    answers: Annotated[Path | None, typer.Option(help="a TOML file of answers, where there is no data yet")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="ask for the answers here")] = False,
    after: Annotated[
        list[str] | None, typer.Option(help="a column of the log that is known only after the decision")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML saying which column of the log is what")] = None,
    a_day: Annotated[float | None, typer.Option(min=0, help="decisions a day, where the data do not say")] = None,
    safe_place: Annotated[
        bool, typer.Option("--safe-place", help="mistakes are cheap somewhere, so a policy could learn live")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Is this a problem for reinforcement learning, for something simpler, or can the data not tell? And what for?"""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.assess import run_assess

        raise SystemExit(
            run_assess(
                *(output, projects or (), log, answers),
                ask=ask,
                after=after or (),
                mapping=mapping,
                a_day=a_day,
                safe_place=safe_place,
                home=home,
            )
        )


@app.command()
def train(
    project: Project,
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds, 1, 2, 3...")] = 2,
    steps: Annotated[int | None, typer.Option(help="decisions per seed; default of the recipe")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="another recipe than the project's; `tenure bench` races them")
    ] = None,
    residual: Annotated[
        float | None, typer.Option(help="learn an adjustment of the incumbent: most labels, or share of a range")
    ] = None,
    log: Annotated[str | None, typer.Option(help="learn from this log: recipes cloning, cql and iql")] = None,
    mapping: Annotated[Path | None, typer.Option(help="with --log: TOML saying which column is what")] = None,
    without: Annotated[list[str] | None, typer.Option(help="leave out the reward terms over this signal")] = None,
    name: Annotated[str | None, typer.Option(help="name of the run; default the date and time")] = None,
    artifacts: Annotated[
        str | None, typer.Option(metavar="URL", help="keep the run there for other machines (docs/deploy.md)")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with a stopped run: NAME, or the newest")] = False,
    backend: Annotated[str, typer.Option(help="where to train: local, ray or rllib (docs/ray.md)")] = "local",
    cpus_per_seed: Annotated[float, typer.Option(help="with ray, rllib: processors reserved for each process")] = 1.0,
    population: Annotated[int, typer.Option(help="with ray: members that copy the better ones; 0 trains seeds")] = 0,
    env_runners: Annotated[int, typer.Option(help="with rllib: processes that step worlds")] = 1,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="train nothing: core hours and money it would take (docs/deploy.md)")
    ] = False,
    cloud: Annotated[str | None, typer.Option(help="estimate for this one: aws, gcp or azure")] = None,
    prices: Annotated[Path | None, typer.Option(help="estimate with your own table of prices")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Train a policy; the best checkpoint is chosen on the selection data, the held-out data is never read."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.asked import Asked

        told = None if mapping is None else str(mapping)
        asked = Asked(seeds, steps, tuple(without or ()), name, recipe, residual, log, told, resume=resume)
        asked = replace(asked, backend=backend, cpus_per_seed=cpus_per_seed, artifacts=artifacts)
        asked = replace(asked, population=population, env_runners=env_runners)
        if estimate or cloud or prices:
            from tenure.cli.estimate import run_estimate

            run_estimate(output, project, asked, cloud, prices, home)
        else:
            from tenure.cli.train import run_training

            run_training(output, project, asked, home)


@app.command()
def bench(
    project: Project,
    share: Annotated[float, typer.Option(min=0.001, max=1, help="of the budget, in the last round")] = 0.1,
    seeds: Annotated[int, typer.Option(min=3, help="of each contestant")] = 3,
    steps: Annotated[
        int | None, typer.Option(min=1, help="the budget: decisions per seed; default the project's")
    ] = None,
    recipe: Annotated[list[str] | None, typer.Option(help="who races; default those that suit the problem")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="then train the last ones on the whole budget: did the share tell?")
    ] = False,
    backend: Annotated[str, typer.Option(help="local, or ray for contestants at once (docs/ray.md)")] = "local",
    cpus_per_seed: Annotated[float, typer.Option(help="with ray: processors reserved for each seed")] = 1.0,
    home: Home = None,
    json: Json = False,
) -> None:
    """Which recipe suits this problem? A race on a share of the budget, beside the incumbent and the bound."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.bench import Asked, run_bench

        asked = Asked(share, seeds, steps, tuple(recipe or ()), full, backend, cpus_per_seed)
        raise SystemExit(run_bench(output, project, asked, home))


@app.command()
def tune(
    project: Project,
    trials: Annotated[int, typer.Option(min=1, help="settings to try")] = 20,
    seeds: Annotated[int, typer.Option(min=2, help="of each trial; as many fresh ones for the winner")] = 2,
    steps: Annotated[int | None, typer.Option(min=1, help="decisions per seed; default those of the last run")] = None,
    backend: Annotated[str, typer.Option(help="local, or ray for trials at once (docs/ray.md)")] = "local",
    cpus_per_seed: Annotated[float, typer.Option(help="with ray: processors reserved for each seed")] = 1.0,
    home: Home = None,
    json: Json = False,
) -> None:
    """Search for settings, once the last run's curve is flat; prints the table to paste and changes nothing."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.tune import Asked, run_tune

        asked = Asked(trials, seeds, steps, backend, cpus_per_seed)
        raise SystemExit(run_tune(output, project, asked, home))


@app.command()
def diagnose(
    project: Project,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="a run; default the newest")] = None,
    probes: Annotated[int, typer.Option(min=0, help="hypotheses to test at most")] = 3,
    seconds: Annotated[float, typer.Option(min=1, help="for each of them")] = 120.0,
    apply: Annotated[bool, typer.Option("--apply", help="change tenure.toml as the named cause's fix says")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Why does a training not work? Hypotheses from its record, tested by short trainings that change one thing."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.diagnose import Asked, run_diagnosis

        raise SystemExit(run_diagnosis(output, project, Asked(run, probes, seconds, apply), home))


@app.command("report")
def run_report(
    project: Project,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="a run; default the newest")] = None,
    out: Annotated[Path | None, typer.Option(help="of the page; default report.html in the run's folder")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """One training run as an HTML page: its diagnosis, score against incumbent and bound, and every metric."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.run_report import report_run

        report_run(output, project, run, out, home)


@app.command()
def evaluate(
    project: Annotated[str | None, typer.Argument(metavar="[P]", help="a project; optional with --log")] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help="a version, a run, or a rule of the project; default the newest run. With --log also: uniform, a "
            "bundle's folder, module:name, file.py:name, or a CSV or Parquet table with one probability per action"
        ),
    ] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="read the held-out data, and count the reading")] = False,
    checkpoints: Annotated[
        str | None, typer.Option(metavar="RUN", help="rank this run's checkpoints, and say what was forgotten")
    ] = None,
    log: Annotated[
        str | None, typer.Option(help="value the policy on this log instead (CSV, JSONL, Parquet...)")
    ] = None,
    reward_model: Annotated[
        str | None, typer.Option(help="with --log: a table of predicted rewards, one column per action")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, help="with --log: how much worse still passes, in the reward's unit")
    ] = 0.0,
    alpha: Annotated[float, typer.Option(min=1e-9, max=0.5, help="with --log: error rate of the intervals")] = 0.05,
    discount: Annotated[float, typer.Option(min=0, max=1, help="with --log: per step of an episode")] = 1.0,
    least: Annotated[
        float | None,
        typer.Option(help="with --log: the smallest reward (return of an episode) there can be; adds a lower bound"),
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="with --log: TOML saying which column is what")] = None,
    rejects: Annotated[Path | None, typer.Option(help="with --log: where rows that cannot be read are listed")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Compare a policy with the incumbent, the other rules and the bound; or value it on a log."""
    output = Output(json=json)
    with reported(output):
        if log is not None:
            from tenure.cli.evaluate_log import LogQuestion, run_log_evaluation

            needed(policy, "--policy, saying which policy is to be valued")
            asked = LogQuestion(
                log, str(policy), project, reward_model, margin, alpha, discount, least, mapping, rejects, home
            )
            raise SystemExit(run_log_evaluation(output, asked))
        if checkpoints is not None:
            from tenure.cli.evaluate_checkpoints import run_checkpoints

            run_checkpoints(output, needed(project, "a project"), checkpoints, home)
            return
        from tenure.cli.evaluate import run_evaluation

        run_evaluation(output, needed(project, "a project, or --log FILE"), policy, held_out, home)


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
def drill(project: Project, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Rehearse the kill on a copy of the log with a real server; measured and recorded."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.drill import run_drill

        raise SystemExit(run_drill(output, project, actor, home))


@app.command()
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


@app.command()
def tick(project: Project, home: Home = None, json: Json = False) -> None:
    """One look at the evidence and at most one step, for cron or a timer; twice at once is safe."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.rollout_moves import run_tick

        raise SystemExit(run_tick(output, project, home))


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
def doctor(
    project: Annotated[str, typer.Argument(metavar="[P]")] = "bikes", home: Home = None, json: Json = False
) -> None:
    """Check installation, project, bundles and log."""
    output = Output(json=json)
    with reported(output):
        from tenure.cli.operate import run_doctor

        raise SystemExit(run_doctor(output, project, home))


def main() -> None:
    """Entry point of `tenure`."""
    app()


__all__ = ["app", "main"]
