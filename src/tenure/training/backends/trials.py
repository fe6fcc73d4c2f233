"""Jobs as trials of Ray Tune: reserved, watched from here, survived when a process dies, gone on with by a new driver.

The state of a run lies in its folder under `ray/`. Nodes other than this one must see the folder at the same path;
Ray Tune asks for such storage too.
"""

from __future__ import annotations

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

    def trial(config: dict[str, Any], jobs: Mapping[str, Job]) -> None:
        from ray import tune

        job = jobs[config["job"]]

        def report(point: CurvePoint) -> None:
            tune.report({"progress": progress_of(job, point)})

        try:
            tune.report({"record": work(job, report)})
        except Exception as error:
            tune.report({"failure": failure_of(error, job)})

    return run_trials(trial, jobs, watch, where)


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
        trial: takes a config, with the name of its `job`, and `jobs` by name.
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
        return _records(inbox, tuner.fit(), named)


def _new_tuner(ray: Any, trial: Any, space: Mapping[str, Any], folder: Path, where: Where, scheduler: Any) -> Any:
    from tenure.training.backends.relay import FirstFailure, Relay

    tune = ray.tune
    return tune.Tuner(
        trial,
        param_space={**space, "job": tune.grid_search(space["job"])},
        tune_config=tune.TuneConfig(scheduler=scheduler, trial_dirname_creator=_short_name),
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
    before = {result.config["job"]: result.metrics.get("record") for result in grid}
    done = {name: record for name, record in before.items() if isinstance(record, SeedRecord)} | inbox.records
    lost = [result for result in grid if result.error and result.config["job"] in jobs]
    if lost:
        raise _died(jobs[lost[0].config["job"]], str(lost[0].error))
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


def _short_name(trial: Any) -> str:
    return f"{trial.config['job']}-{trial.trial_id}"
