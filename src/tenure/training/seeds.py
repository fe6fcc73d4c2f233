"""Several seeds of one recipe at once, each in a process of its own; then one record of them all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import EvidenceError, SettingsError, TenureError
from tenure.core.history import History
from tenure.core.problem import Problem
from tenure.core.project import Project, load_project
from tenure.core.reward import KPI
from tenure.core.spaces import Box
from tenure.simulators.faults import WorldFault
from tenure.simulators.incidents import incidents_of
from tenure.simulators.rollout import run as simulate
from tenure.store import save_bundle
from tenure.training.backends import LOCAL, Where, run_jobs
from tenure.training.choose import refuse
from tenure.training.offline_settings import OfflineSettings
from tenure.training.recipes import recipe_of
from tenure.training.record import (
    CurvePoint,
    RunRecord,
    SeedRecord,
    experiment_of,
    fresh_folder,
    libraries,
    lineage_of_tree,
    write_record,
)
from tenure.training.resume import (
    Plan,
    hashes_of,
    held,
    read_done,
    read_plan,
    unfinished,
    with_resume,
    write_done,
    write_plan,
)
from tenure.training.settings import Settings
from tenure.training.summary import summary_of
from tenure.training.tracking import both, tracked
from tenure.training.workers import Job, Progress
from tenure.training.worlds import check_seen, training_worlds

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


def train(
    project: Project,
    settings: Settings,
    seeds: tuple[int, ...],
    home: Path,
    run: str,
    watch: Callable[[Progress], None] = lambda _: None,
    where: Where = LOCAL,
) -> RunRecord:
    """Train every seed, export each one's best checkpoint, and record the run; one run of that name before is replaced.

    Args:
        project: what to train for.
        settings: of the recipe.
        seeds: distinct seeds, at least one.
        home: where `runs/` and `bundles/` lie.
        run: name of the run.
        watch: called in this process with every point of every curve.
        where: in processes of this machine, or on Ray.

    Raises:
        SettingsError: no seeds or one twice, a name that is no folder's name, a signal to leave out that no term reads.
        ConflictError: another process is training a run of that name.
        StoreError: the run's folder cannot be written.
        ProjectError: a seed failed; the others are stopped.
    """
    _check(project, settings, seeds)
    log = _log(project.problem, settings)  # refuses a log that cannot be read
    plain, hashes = json.loads(json.dumps(asdict(settings))), hashes_of(project, settings)
    plan = Plan(run, settings.recipe, plain, seeds, hashes, lineage_of_tree(project.folder))
    with held(home / "runs", run):
        folder = fresh_folder(home / "runs", run)
        write_plan(plan, folder)
        return _carry_out(project, plan, folder, log, watch, where)


def resume(
    project: Project,
    home: Path,
    run: str | None = None,
    watch: Callable[[Progress], None] = lambda _: None,
    where: Where = LOCAL,
) -> RunRecord:
    """Go on with a run that was stopped: finished seeds stay, the others go on from their newest sound checkpoint.

    Args:
        project: what it was begun for.
        home: where `runs/` and `bundles/` lie.
        run: name of the run; None takes the newest that is not finished.
        watch: called in this process with every further point of every curve.
        where: in processes of this machine, or on Ray.

    Raises:
        ProjectError: there is no such run, the problem, reward, simulator or log is another one than it was begun with,
            or a seed failed.
        ConflictError: another process is training it.
        StoreError: the run's folder cannot be written.
    """
    folder = unfinished(home / "runs", run)
    with held(folder.parent, folder.name):
        plan = read_plan(folder)
        plan.check(project)
        settings = plan.settings_of()
        _check(project, settings, plan.seeds)
        return _carry_out(project, plan, folder, _log(project.problem, settings), watch, where)


def _carry_out(
    project: Project, plan: Plan, folder: Path, log: dict[str, Any], watch: Callable[[Progress], None], where: Where
) -> RunRecord:
    """Train the seeds that are not finished, then record the run."""
    bundles, settings = folder.parent.parent / "bundles", plan.settings_of()
    found = [read_done(folder / f"seed-{seed}", bundles) for seed in plan.seeds]
    done = [record for record in found if record is not None]
    left = sorted(set(plan.seeds) - {record.seed for record in done})
    jobs = [Job(project.place, settings, seed, folder, bundles, plan.commit) for seed in left]
    try:
        with tracked(settings.tracking, project.problem.name, plan.run, folder) as send:
            done += run_jobs(train_seed, jobs, both(watch, send), where) if jobs else []
    except TenureError as error:
        raise with_resume(error, folder) from error
    seeds = tuple(sorted(done, key=lambda record: record.seed))
    record = replace(summary_of(project, settings, seeds, plan.run, bundles, plan.commit), log=log)
    write_record(record, folder)
    return record


def _check(project: Project, settings: Settings, seeds: tuple[int, ...]) -> None:
    problem = project.problem
    if isinstance(problem.action, Box) and not np.isfinite([problem.action.low, problem.action.high]).all():
        raise _refused("a Box with finite bounds", str(problem.action), "bound every number by what can really be done")
    refuse(recipe_of(settings.recipe), problem)
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise _refused("distinct seeds, at least one, none below 0", str(seeds), "name each seed once")
    levels = (settings.level,) if settings.curriculum is None else settings.curriculum.levels
    if settings.curriculum is not None and not recipe_of(settings.recipe).climbs:
        raise _refused("a recipe that can climb levels", repr(settings.recipe), "leave out [train.curriculum]")
    unknown = [level for level in levels if level not in project.simulator.levels]
    if unknown:
        raise _refused(f"levels of {sorted(project.simulator.levels)}", str(unknown), "name some of these")
    training_worlds(project, settings)
    check_seen(project.problem, settings)
    terms = {term.signal for term in problem.reward.terms}
    if not terms > set(settings.without):
        expected = f"to leave out some of the reward's terms, {sorted(terms)}, and not all of them"
        raise _refused(expected, str(list(settings.without)), "name the signal of a term")
    _check_incumbent(project)


def _check_incumbent(project: Project) -> None:
    """A gain is a share of what the incumbent reaches; that it reaches nothing is told before hours of training.

    Raises:
        EvidenceError: its first KPI is 0 on the selection data.
    """
    problem, simulator = project.problem, project.simulator
    panel, kpi = simulator.panel("selection"), problem.kpis[0]
    try:
        reached = simulate(problem, simulator, project.incumbent, panel).trace.kpi(kpi)
    except Exception:  # whatever a simulator raises, the seed's own process tells with its file and line
        return
    if reached == 0:
        raise EvidenceError(
            expected=f"an incumbent whose {kpi.name!r} is not 0 on the selection data: a gain is a share of it",
            found="0",
            where=f"problem {problem.name!r}, its first KPI",
            fix="put a KPI first that the incumbent has, such as a cost per decision",
        )


def _log(problem: Problem, settings: Settings) -> dict[str, Any]:
    """What the record tells of the log, read before any seed begins; empty where worlds are learned from."""
    if not isinstance(settings, OfflineSettings):
        return {}
    from tenure.training.offline import open_halves, told

    return told(open_halves(settings, problem), problem)


def _refused(expected: str, found: str, fix: str) -> SettingsError:
    return SettingsError(expected=expected, found=found, where="a training run", fix=fix)


def train_seed(
    job: Job,
    report: Callable[[CurvePoint], None],
    learn: Callable[[Ground], Trained] | None = None,
    clock: Clock | None = None,
) -> SeedRecord:
    """One seed from the first world, or from its newest sound checkpoint, to the saved bundle.

    Args:
        job: what to train.
        report: takes every point of the curve.
        learn: in place of the recipe's own way, as RLlib's.
        clock: says when a checkpoint is due; None takes the machine's.

    Raises:
        StoreError: the disk is full or must not be written; the last good checkpoint is named.
        WorldFault: a world answered what is no number; `incident.json` in the seed's folder says which.
    """
    from tenure.training.confidence.fit import confident
    from tenure.training.export import export
    from tenure.training.faults import told
    from tenure.training.ground import Ground

    project = load_project(job.project)
    folder = job.run_folder / f"seed-{job.seed}"
    folder.mkdir(exist_ok=True)  # a seed whose process died goes on from its checkpoints
    learn = learn or recipe_of(job.settings.recipe).train
    ground = Ground(project, job.settings, job.seed, folder, report, resume=True, clock=clock or SystemClock())
    try:
        trained = learn(ground)
    except (OSError, WorldFault) as error:
        raise told(error, ground) from error
    curve = trained.curve
    best = best_point(project.problem.kpis[0], curve)
    graph, sure = confident(ground, trained.graph)
    bundle = export(
        project.problem,
        graph,
        _situations(project, job.settings.history),
        lineage=_lineage(project, job, best),
        evaluation={"split": "selection", "kpi": project.problem.kpis[0].name, "score": best.score, **sure},
        residual=None if job.settings.residual is None else (job.settings.residual, project.incumbent),
        history=job.settings.history,
    )
    save_bundle(bundle, job.bundles)
    speed = curve[-1].steps / curve[-1].seconds
    mended = incidents_of(project.simulator)
    record = SeedRecord(
        job.seed,
        bundle.version,
        best.score,
        speed,
        tuple(curve),
        best.excess,
        best.weights,
        mended,
        ground.resumed,
        ground.utilisation(trained.graph),
    )
    write_done(record, folder)
    return record


def best_point(kpi: KPI, curve: list[CurvePoint]) -> CurvePoint:
    """The best checkpoint of a curve; the earliest of equals, as they are saved."""
    return max(curve, key=lambda point: point.merit(kpi))


def _lineage(project: Project, job: Job, best: CurvePoint) -> dict[str, Any]:
    experiment = experiment_of(job.settings.without)
    told: dict[str, Any] = {"weights": best.weights} if best.weights else {}
    told |= {"experiment": experiment} if experiment else {}
    if job.settings.disturbances:
        told["trained_on"] = training_worlds(project, job.settings).version
    if isinstance(job.settings, OfflineSettings):
        from tenure.training.offline import digest_of

        told["log"] = {"file": Path(job.settings.log).name, "sha256": digest_of(job.settings.log)}
    return {
        "run": job.run_folder.name,
        "seed": job.seed,
        "recipe": job.settings.recipe,
        "settings": asdict(job.settings),
        "simulator_version": project.simulator.version,
        "commit": job.commit,
        "libraries": libraries(),
        **told,
    }


def _situations(project: Project, history: History | None) -> Floats:
    """What the incumbent meets on the selection data; float32 [rows, features], or windows."""
    panel = project.simulator.panel("selection")
    trace = simulate(project.problem, project.simulator, project.incumbent, panel).trace
    assert trace.observation is not None
    seen = trace.observation if history is None else history.windows(trace.observation)
    return seen.reshape(-1, seen.shape[-1])
