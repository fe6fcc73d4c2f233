"""Jobs as trials of Ray Tune: reserved, watched from here, survived when a process dies, gone on with by a new driver.

The state of a run lies in its folder under `ray/`. Nodes other than this one must see the folder at the same path;
Ray Tune asks for such storage too.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tenure.core.errors import ProjectError
from tenure.training.backends.cluster import on_ray, reserve, the_ray
from tenure.training.backends.where import Where
from tenure.training.record import CurvePoint, SeedRecord
from tenure.training.workers import Job, Progress, Work, failure_of, progress_of

STATE = "ray"
"""Folder in a run's folder that holds the state of its trials."""


def as_trials(work: Work, jobs: list[Job], watch: Callable[[Progress], None], where: Where) -> list[SeedRecord]:
    """Do every job as a trial; a job whose process dies begins again, at its newest checkpoint where `work` keeps any.

    Raises:
        TenureError: the first failure of a job, or of the cluster.
        KeyboardInterrupt: Ctrl-C; a run of the same jobs in the same folder goes on.
    """

    def trial(config: dict[str, Any], jobs: Mapping[str, Job]) -> None:  # noqa: ARG001
        from ray import tune

        job = jobs.get(tune.get_context().get_trial_name())
        if job is None:  # done since Tune saved its state, as the run's folder tells
            return

        def report(point: CurvePoint) -> None:
            tune.report({"progress": progress_of(job, point)})

        try:
            tune.report({"record": done_once(job, lambda: work(job, report))})
        except Exception as error:
            tune.report({"failure": failure_of(error, job)})

    return run_trials(trial, jobs, watch, where)


def done_once(job: Job, work: Callable[[], SeedRecord]) -> SeedRecord:
    """The job's record: the one it has left, where it was done before a driver died, else that of doing it now."""
    kept = job.run_folder / STATE / f"{name_of(job)}.done"
    if kept.exists():
        record: SeedRecord = pickle.loads(kept.read_bytes())  # noqa: S301  # our own file in the run's folder
        return record
    record = work()
    half = kept.with_suffix(".half")
    half.write_bytes(pickle.dumps(record))
    half.replace(kept)
    return record


def run_trials(
    trial: Callable[..., None],
    jobs: list[Job],
    watch: Callable[[Progress], None],
    where: Where,
    space: Mapping[str, Any] | None = None,
    scheduler: Any = None,
) -> list[SeedRecord]:
    """Run a function per job as Tune does, until each has reported its `record`, or one a `failure`.

    Args:
        trial: takes a config, and jobs by the name its context gives as the trial's.
        jobs: at least one, all with the same run folder.
        watch: called in this process.
        where: processors, retries, patience.
        space: more of the config, in Tune's terms.
        scheduler: one of Tune's; None takes trials as they come.
    """
    the_ray()
    from tenure.training.backends.relay import opened

    named, folder = {name_of(job): placed(job) for job in jobs}, jobs[0].run_folder.resolve()
    bundle = {"CPU": where.cpus_per_job}
    with on_ray() as ray, opened(watch) as inbox:
        reserve(ray, bundle, where.wait_s)
        given = ray.tune.with_parameters(trial, jobs=named)
        given = ray.tune.with_resources(given, ray.tune.PlacementGroupFactory([bundle]))
        state = str(folder / STATE)
        if ray.tune.Tuner.can_restore(state):
            tuner = ray.tune.Tuner.restore(state, given, resume_errored=True)
        else:
            tuner = _new_tuner(ray, given, {"job": list(named), **(space or {})}, folder, where, scheduler)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray's own advice
            found = tuner.fit()
        return _records(inbox, found, named)


def _new_tuner(ray: Any, trial: Any, space: Mapping[str, Any], folder: Path, where: Where, scheduler: Any) -> Any:
    from tenure.training.backends.relay import FirstFailure, Relay

    tune, turns = ray.tune, scheduler is not None
    names = {"trial_name_creator": _named, "trial_dirname_creator": _named}
    return tune.Tuner(
        trial,
        param_space={**space, "job": tune.grid_search(space["job"])},
        tune_config=tune.TuneConfig(scheduler=scheduler, reuse_actors=turns, **names),
        run_config=tune.RunConfig(
            name=STATE,
            storage_path=str(folder),
            failure_config=tune.FailureConfig(max_failures=where.retries),
            callbacks=[Relay()],
            stop=FirstFailure(),
            verbose=0,
        ),
    )


def _records(inbox: Any, grid: Any, jobs: Mapping[str, Job]) -> list[SeedRecord]:
    """Records of every job, of which an earlier driver may have seen some.

    Raises:
        TenureError: what ended the run.
    """
    if inbox.ended is not None:
        raise inbox.ended
    by_name = {Path(result.path).name: result for result in grid}
    before = {name: result.metrics.get("record") for name, result in by_name.items()}
    done = {name: record for name, record in before.items() if isinstance(record, SeedRecord)} | inbox.records
    lost = [name for name in jobs if name in by_name and by_name[name].error]
    if lost:
        raise _died(jobs[lost[0]], str(by_name[lost[0]].error))
    if not set(jobs) <= set(done):
        raise KeyboardInterrupt  # Tune takes the signal, saves its state and returns what there is
    return [done[name] for name in jobs]


def _died(job: Job, said: str) -> ProjectError:
    return ProjectError(
        expected="a training process that runs to its end",
        found=f"one that died more often than is survived: {said.splitlines()[-1][:200]}",
        where=f"seed {job.seed} of run {job.run_folder.name!r}, on Ray",
        fix="give each seed more memory: fewer at once, with a larger --cpus-per-seed",
    )


def name_of(job: Job) -> str:
    """What a job is called among the trials of its run."""
    return f"seed-{job.seed}"


def placed(job: Job) -> Job:
    """The job with paths that hold in another process's working directory; a packaged project keeps its name."""
    project = Path(job.project)
    return replace(
        job,
        project=str(project.resolve()) if project.exists() else job.project,
        run_folder=job.run_folder.resolve(),
        bundles=job.bundles.resolve(),
    )


def _named(trial: Any) -> str:
    """Called once, when a trial is made: a member that copies another takes over its config, `job` and all."""
    return str(trial.config["job"])
