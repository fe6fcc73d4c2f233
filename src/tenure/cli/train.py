"""`tenure train`: seeds in parallel, progress against incumbent and bound, a run record, registered versions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenure.cli.asked import Asked, settings_of, the_training
from tenure.cli.hint import hint
from tenure.cli.judge import judge
from tenure.cli.output import Output, percent
from tenure.cli.progress import watching
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import ProjectError
from tenure.core.evidence import Verdict
from tenure.evaluation import headroom_share
from tenure.simulators.incidents import sentence_of as incidents_sentence


def run_training(output: Output, project: str, asked: Asked, home: Path | None) -> None:
    """Train and print the run."""
    workspace = replace(open_workspace(project, home), kept_at=asked.artifacts)
    record = train_seeds(output, workspace, asked)
    output.say(f"On the selection data: {sentence_of(workspace, record)}")
    chosen = next(seed for seed in record.seeds if seed.version == record.chosen)
    for limit in workspace.project.problem.limits:
        weight = f"; learned weight {chosen.weights[limit.name]:.3g}" if limit.name in chosen.weights else ""
        output.say(f"Limit {limit.name!r}, {limit.most:g} of {limit.signal} at most{weight}.")
    if chosen.excess > 0:
        output.say(f"No checkpoint keeps every limit; the chosen one exceeds one by {percent(chosen.excess)}.")
    if record.log:
        output.say(_log_sentence(record.log))
    if chosen.utilisation:
        output.say(_used(chosen.utilisation))
    mended = incidents_sentence(record.incidents)
    if mended:
        output.say(f"{mended}.")
    for level, lost in forgotten_by(chosen).items():
        gain = chosen.curve[-1].levels[level]
        output.say(f"Level {level!r}: {percent(gain)} better than the incumbent at the end, {percent(lost)} forgotten.")
    if record.experiment:
        output.say(f"EXPERIMENT, no candidate: {record.experiment}. Train without --without for one.")
    output.say(f"Chosen: version {record.chosen}. Next: tenure evaluate {project}")
    output.result({**as_json(record), "diagnosis": _hinted(output, workspace, record, project)})


def _hinted(output: Output, workspace: Workspace, record: Any, project: str) -> list[str]:
    """What looks wrong, said and given; empty where nothing does."""
    told = hint(workspace.project, record, project)
    if told:
        output.say(told)
    return [told] if told else []


def _used(used: dict[str, Any]) -> str:
    """What the chosen seed's process used, in words."""
    machine = f"{used['cores']:.1f} cores, {used['memory_mb']:,.0f} MB at most, GPU {used['gpu']}"
    return f"It used {machine}; {used['bottleneck']}. Batches: {used['batch_hint']}."


def _log_sentence(log: dict[str, Any]) -> str:
    """What was learned from, and how its own policy did."""
    learned = (
        f"Learned from {log['decisions']:,} decisions of {log['file']}; the last {log['held_back']:,} are kept back"
    )
    own = "have no outcome" if log["score"] is None else f"say {log['kpi']} {log['score']:.4g} of the log's own policy"
    return f"{learned}, and {own}."


def sentence_of(workspace: Workspace, record: Any) -> str:
    """The first sentence about a run on the selection data, with every KPI that got worse."""
    policies = [workspace.bundle(seed.version) for seed in record.seeds]
    return judge(workspace.project, policies, "selection").comparison.sentence


def forgotten_by(seed: Any) -> dict[str, float]:
    """What a seed's last checkpoint lost of its best gain on each level of a curriculum; empty without one."""
    from tenure.training.curriculum import forgotten

    return forgotten([point.levels for point in seed.curve])


def as_json(record: Any) -> dict[str, Any]:
    """A run as the command line reports it."""
    scores = {seed.version: seed.score for seed in record.seeds}
    chosen = next(seed for seed in record.seeds if seed.version == record.chosen)
    bound = record.bound
    share = None if bound is None else headroom_share(record.incumbent, chosen.score, bound)
    return {
        "run": record.run,
        "experiment": record.experiment,
        "version": record.chosen,
        "score": {"value": chosen.score, "headroom": share, "per_seed": scores},
        "incumbent": {"value": record.incumbent},
        "bound": {"value": bound},
        "gain": record.gain,
        "limits": {"excess": chosen.excess, "weights": chosen.weights},
        "forgotten": forgotten_by(chosen),
        "steps_per_s": record.steps_per_s,
        "incidents": record.incidents,
        "log": record.log,
        "utilisation": {seed.version: seed.utilisation for seed in record.seeds},
    }


def train_seeds(output: Output, workspace: Workspace, asked: Asked) -> Any:
    """Train with a progress display, register every seed's version, and give back the run record.

    Settings are the project's `[train]` table over the recipe's defaults; what is named here goes before both.

    Raises:
        ProjectError: the training extra is not installed, a term to leave out does not exist, or the reward has no
            current pass of `reward check` (`checked` makes one).
    """
    from tenure.design.reward.record import require_check

    training = the_training()
    from tenure.training.backends import Where

    require_check(workspace.project, workspace.home)
    if workspace.artifacts is not None:
        workspace.artifacts.check()
    where = Where(asked.backend, asked.cpus_per_seed, asked.population, asked.env_runners)
    go = _resumed if asked.resume else _begun
    record = go(training, output, workspace, asked, where)
    _register(workspace, record)
    return record


def _begun(training: Any, output: Output, workspace: Workspace, asked: Asked, where: Any) -> Any:
    """A new run."""
    from tenure.training.record import experiment_of

    settings = settings_of(training, workspace, asked)
    if asked.without:
        output.say(f"EXPERIMENT, no candidate: {experiment_of(asked.without)}.")
    seeds = tuple(range(1, (asked.population or asked.seeds) + 1))
    run = asked.name or datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    with _kept(workspace, run) as news, watching(output, workspace, seeds, news) as watch:
        return training.train(workspace.project, settings, seeds, workspace.home, run, watch, where)


def _resumed(training: Any, output: Output, workspace: Workspace, asked: Asked, where: Any) -> Any:
    """A run that was stopped, to its end."""
    from tenure.training.resume import read_plan, unfinished

    given = ("steps", "without", "recipe", "residual", "log", "mapping", "population")
    changed = [f"--{name}" for name in given if getattr(asked, name)]
    if changed:
        raise ProjectError(
            expected="a run that goes on as what it was begun",
            found=" ".join(changed),
            where="tenure train --resume",
            fix="leave these out, or train anew without --resume",
        )
    fetched = _fetched(workspace, asked.name)
    plan = read_plan(unfinished(workspace.runs, asked.name))
    if fetched and workspace.artifacts:
        output.say(f"Run {fetched} was fetched from {workspace.artifacts.url}.")
    output.say(f"Going on with run {plan.run}: recipe {plan.recipe}, {len(plan.seeds)} seed(s).")
    with _kept(workspace, plan.run) as news, watching(output, workspace, plan.seeds, news) as watch:
        record = training.resume(workspace.project, workspace.home, plan.run, watch, where)
    for seed in record.seeds:
        _say_resumed(output, seed)
    return record


def _kept(workspace: Workspace, run: str) -> AbstractContextManager[Callable[[], None]]:
    """Keeps a run for other machines while it trains; gives what to call at each point of its curves."""
    from tenure.training.mirror import mirrored

    return mirrored(workspace.artifacts, workspace.runs / run, workspace.bundles)


def _fetched(workspace: Workspace, run: str | None) -> str | None:
    """The name of a stopped run that was brought here to go on with; None for none."""
    from tenure.training.mirror import fetch_unfinished

    if workspace.artifacts is None:
        return None
    return fetch_unfinished(workspace.artifacts, workspace.runs, workspace.bundles, run)


def _say_resumed(output: Output, seed: Any) -> None:
    """From where a seed went on, and what was damaged."""
    for damage in seed.resumed.get("damaged", ()):
        output.say(f"Seed {seed.seed}: {damage}; an earlier checkpoint was taken.")
    if "steps" in seed.resumed:
        output.say(f"Seed {seed.seed} went on after {seed.resumed['steps']:,} decisions.")


def checked(workspace: Workspace) -> Verdict:
    """Check the reward and keep what was found, as `tenure reward check` does."""
    from tenure.design.reward.check import check_reward
    from tenure.design.reward.record import sources_of, write_result

    project, sources = workspace.project, sources_of(workspace.project)
    found = check_reward(project)
    write_result(project, workspace.home, "check", found.as_dict(project.problem), SystemClock().now(), sources)
    return found.verdict


def _register(workspace: Workspace, record: Any) -> None:
    with workspace.store() as store:
        for seed in record.seeds:
            manifest = workspace.bundle(seed.version).bundle.manifest
            lineage = {key: manifest[key] for key in ("problem_version", "reward_version", "lineage", "evaluation")}
            store.register_version(seed.version, record.problem, SystemClock().now(), lineage)
