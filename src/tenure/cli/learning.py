"""Verbs on the way to a policy: assess, train, race, tune, diagnose, report, evaluate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.options import Home, Json, Project
from tenure.cli.output import Output, needed, reported

learning_app = typer.Typer()


@learning_app.command()
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


@learning_app.command()
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


@learning_app.command()
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


@learning_app.command()
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


@learning_app.command()
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


@learning_app.command("report")
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


@learning_app.command()
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
