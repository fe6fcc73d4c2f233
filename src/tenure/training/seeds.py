"""Several seeds of one recipe at once, each in a process of its own; then one record of them all."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import timedelta
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.problem import KPI
from tenure.core.project import Project, load_project
from tenure.core.trace import Trace
from tenure.evaluation import crossed_bootstrap
from tenure.simulators.rollout import run as simulate
from tenure.store import load_bundle, save_bundle
from tenure.training.record import CurvePoint, RunRecord, SeedRecord, libraries, lineage_of_tree
from tenure.training.settings import PPOSettings

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Progress:
    """A point of one seed's curve, as it happens."""

    seed: int
    share: float
    point: CurvePoint


@dataclass(frozen=True)
class _Job:
    folder: Path
    settings: PPOSettings
    seed: int
    run_folder: Path
    bundles: Path
    commit: str


_QUEUE: Queue[Progress] | None = None


def train(
    project: Project,
    settings: PPOSettings,
    seeds: tuple[int, ...],
    home: Path,
    run: str,
    watch: Callable[[Progress], None] = lambda _: None,
) -> RunRecord:
    """Train every seed, export each one's best checkpoint, and record the run.

    Args:
        project: what to train for.
        settings: of the recipe.
        seeds: distinct seeds, at least one.
        home: where `runs/` and `bundles/` lie.
        run: name of the run.
        watch: called in this process with every point of every curve.
    """
    folder = home / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    commit = lineage_of_tree(project.folder)
    jobs = [_Job(project.folder, settings, seed, folder, home / "bundles", commit) for seed in seeds]
    done = sorted(_in_parallel(jobs, watch), key=lambda record: record.seed)
    record = _summary(project, settings, tuple(done), run, home / "bundles", commit)
    record.write(folder)
    return record


def _in_parallel(jobs: list[_Job], watch: Callable[[Progress], None]) -> list[SeedRecord]:
    context = multiprocessing.get_context("spawn")
    queue: Queue[Progress] = context.Queue()
    workers = min(len(jobs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(queue,)) as pool:
        pending: set[Future[SeedRecord]] = {pool.submit(_train_seed, job) for job in jobs}
        finished: set[Future[SeedRecord]] = set()
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            finished |= done
            _forward(queue, watch)
        _forward(queue, watch)
    return [future.result() for future in finished]


def _forward(queue: Queue[Progress], watch: Callable[[Progress], None]) -> None:
    while True:
        try:
            watch(queue.get(timeout=0.01))
        except Empty:
            return


def _start_worker(queue: Queue[Progress]) -> None:
    global _QUEUE
    _QUEUE = queue
    warnings.simplefilter("ignore")  # a worker has no reader; the parent reports what matters


def _train_seed(job: _Job) -> SeedRecord:
    """One seed from the first world to the saved bundle."""
    from tenure.training.export import export, policy_graph
    from tenure.training.ppo import train_ppo

    project = load_project(job.folder)
    folder = job.run_folder / f"seed-{job.seed}"
    folder.mkdir(exist_ok=True)

    def report(point: CurvePoint) -> None:
        if _QUEUE is not None:
            _QUEUE.put(Progress(job.seed, min(point.steps / job.settings.steps, 1.0), point))

    model, normaliser, curve = train_ppo(project, job.settings, job.seed, folder, report)
    best = min(curve, key=lambda point: -project.problem.kpis[0].sign * point.score)
    bundle = export(
        project.problem,
        policy_graph(model.policy, normaliser),
        _situations(project),
        lineage=_lineage(project, job),
        evaluation={"split": "selection", "kpi": project.problem.kpis[0].name, "score": best.score},
    )
    save_bundle(bundle, job.bundles)
    return SeedRecord(job.seed, bundle.version, best.score, curve[-1].steps / curve[-1].seconds, tuple(curve))


def _lineage(project: Project, job: _Job) -> dict[str, Any]:
    return {
        "run": job.run_folder.name,
        "seed": job.seed,
        "recipe": "ppo",
        "settings": asdict(job.settings),
        "simulator_version": project.simulator.version,
        "commit": job.commit,
        "libraries": libraries(),
    }


def _situations(project: Project) -> Floats:
    """What the incumbent meets on the selection data; float32 [rows, features]."""
    panel = project.simulator.panel("selection")
    trace = simulate(project.problem, project.simulator, project.incumbent, panel).trace
    assert trace.observation is not None
    return trace.observation.reshape(-1, trace.observation.shape[-1])


def _summary(
    project: Project, settings: PPOSettings, seeds: tuple[SeedRecord, ...], run: str, bundles: Path, commit: str
) -> RunRecord:
    """The record over all seeds, with the gain on the selection data and its doubt."""
    problem, simulator = project.problem, project.simulator
    panel, kpi = simulator.panel("selection"), problem.kpis[0]
    incumbent = simulate(problem, simulator, project.incumbent, panel).trace
    per_seed = [simulate(problem, simulator, load_bundle(bundles / s.version, problem), panel).trace for s in seeds]
    gain = crossed_bootstrap(
        _daily(kpi, incumbent),
        np.stack([_daily(kpi, trace) for trace in per_seed]),
        cluster="day",
        rng=np.random.default_rng(0),
    )
    best = project.bound(panel) if project.bound else None
    return RunRecord(
        run=run,
        problem=problem.name,
        problem_version=problem.version,
        reward_version=problem.reward_version,
        simulator_version=simulator.version,
        settings=asdict(settings),
        seeds=seeds,
        chosen=min(seeds, key=lambda seed: -kpi.sign * seed.score).version,
        incumbent=kpi.value(incumbent.signals),
        bound=None if best is None else bound_value(kpi, best, panel.steps * len(panel.worlds)),
        gain=gain.as_dict(),
        commit=commit,
        libraries=libraries(),
    )


def bound_value(kpi: KPI, totals: dict[str, Floats], decisions: int) -> float:
    """A KPI from a bound's totals: ratio KPIs as they are, means per decision over all decisions."""
    above = float(kpi.numerator(totals).sum())
    return above / (decisions if kpi.per is None else float(kpi.denominator(totals).sum()))


def _daily(kpi: KPI, trace: Trace) -> Floats:
    """Sum of a KPI's numerator over all worlds, for each day; [days]."""
    per_step = kpi.numerator(trace.signals).sum(axis=1)
    return np.asarray(np.bincount(trace.periods(DAY), weights=per_step), dtype=float)
